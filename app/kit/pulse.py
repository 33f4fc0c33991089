"""The pulse of the system: each second, how old the newest sign of life of each part is, as this process sees it.

Each server process measures by itself. A pulse that another process published would stop with that process, or with
what carries it, and a page could not tell what has failed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import structlog

from app.kit.clock import Clock
from app.kit.errors import Problem
from app.kit.hub import Hub
from app.kit.tasks import end, heed_cancellation
from app.kit.volatile import Watcher

PULSE_TOPIC: Final = "system.pulse"
PULSE_S: Final = 1.0
ANSWER_S: Final = 0.5
"""How long a pulse waits for its measurements. It tells what is known by then."""
KNOWN_S: Final = 3.0
"""For how long a measurement counts. Then the part is unknown until the next one succeeds."""

Measurement = Callable[[], Awaitable[datetime | None]]
"""When the newest sign of life of a part was; null if never. Raises where it cannot be determined."""

log = structlog.get_logger(__name__)


class TopicSign:
    """The newest value of a volatile topic as a sign of life. The topic is watched from the first measurement on."""

    def __init__(self, hub: Hub, topic: str, moment: Callable[[Any], datetime]) -> None:
        """`moment` returns the time of a value."""
        self._hub = hub
        self._topic = topic
        self._moment = moment
        self._watcher: Watcher | None = None
        self._newest: datetime | None = None

    async def __call__(self) -> datetime | None:
        """When the newest value was; null if there is none."""
        if self._watcher is None:
            self._watcher = await self._hub.watch(self._topic, lambda: None)
        for latest in self._watcher.take():
            self._newest = self._moment(latest.payload)
        return self._newest


class _Part:
    """A part of the system, and what was measured last."""

    def __init__(self, name: str, measure: Measurement) -> None:
        self.name = name
        self._measure = measure
        self._moment: datetime | None = None
        self._measured_s = float("-inf")
        self.measuring: asyncio.Task[None] | None = None

    def begin(self) -> "asyncio.Task[None]":
        """Measures, unless the measurement before has not ended."""
        if self.measuring is None or self.measuring.done():
            self.measuring = asyncio.create_task(self._take())
        return self.measuring

    def age_ms(self, now: datetime, now_s: float) -> int | None:
        """How old the newest sign of life is; null if there was none, or if it is not known."""
        if self._moment is None or now_s - self._measured_s > KNOWN_S:
            return None
        return max(0, round((now - self._moment).total_seconds() * 1000))

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(KNOWN_S):
                moment = await self._measure()
        except (Problem, TimeoutError) as error:
            log.info("pulse.unknown", part=self.name, error=str(error) or type(error).__name__)
        except Exception:
            log.exception("pulse.unknown", part=self.name)
        else:
            self._moment, self._measured_s = moment, asyncio.get_running_loop().time()


class Pulse:
    """Publishes the pulse to the watchers of PULSE_TOPIC in this process, once for all of them."""

    def __init__(self, hub: Hub, clock: Clock, parts: Mapping[str, Measurement], *, every_s: float = PULSE_S) -> None:
        self._hub = hub
        self._clock = clock
        self._parts = [_Part(name, measure) for name, measure in parts.items()]
        self._every_s = every_s

    async def run(self) -> None:
        """Pulses until cancelled, at multiples of the period. Nothing is measured while nobody watches."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            while True:
                heed_cancellation()
                if self._hub.is_watched(PULSE_TOPIC):
                    try:
                        await self.beat()
                    except Exception:
                        log.exception("pulse.failed")
                elapsed_s = loop.time() - began
                await asyncio.sleep(self._every_s - elapsed_s % self._every_s)
        finally:
            await end(*(part.measuring for part in self._parts if part.measuring is not None))

    async def beat(self) -> None:
        """One pulse: measures, waits briefly, and publishes what is known."""
        await asyncio.wait([part.begin() for part in self._parts], timeout=ANSWER_S)
        now, now_s = self._clock.now(), asyncio.get_running_loop().time()
        ages = {part.name: part.age_ms(now, now_s) for part in self._parts}
        self._hub.publish(PULSE_TOPIC, "", {"at": now.isoformat(), "ages_ms": ages})
