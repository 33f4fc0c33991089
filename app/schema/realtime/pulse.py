"""The pulse of the system, by which a page tells silence from an outage."""

from datetime import datetime

import strawberry

from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.subscriptions import volatile
from app.kit.loaders import Audience
from app.kit.pulse import PULSE_S, PULSE_TOPIC
from app.kit.volatile import Latest

FEED, TIP, RELAY = "feed", "tip", "relay"
"""The names of the parts in the pulse."""

UNKNOWN = "Null if it is not known, for instance because the database does not answer."


@strawberry.type
class SystemPulse:
    """The state of the system, each second. A page that has received none for 3 seconds has lost its connection or its
    server; one that receives pulses and no events knows that nothing has happened. Volatile.
    """

    at: datetime = strawberry.field(description="The server's time, by the database's clock.")
    feed_age_ms: Milliseconds | None = strawberry.field(
        description="The time since the last tick of the market's prices. Null if there was none, or if it is not"
        " known."
    )
    tip_age_ms: Milliseconds | None = strawberry.field(
        description=f"The time since the newest block of the chain was connected. {UNKNOWN}"
    )
    relay_lag_ms: Milliseconds | None = strawberry.field(
        description=f"How long the oldest event has waited to be sent to subscribers; 0 if none waits. {UNKNOWN}"
    )


def _pulse(latest: Latest, _: object) -> SystemPulse:
    ages = latest.payload["ages_ms"]
    return SystemPulse(
        at=datetime.fromisoformat(latest.payload["at"]),
        feed_age_ms=ages.get(FEED),
        tip_age_ms=ages.get(TIP),
        relay_lag_ms=ages.get(RELAY),
    )


@strawberry.type
class PulseSubscription:
    """The pulse of the system."""

    @volatile(SystemPulse, payload=_pulse, audience=Audience.PUBLIC, per_s=1 / PULSE_S)
    async def system_pulse(self) -> str:
        """How the parts of the system are, each second, as the server process of this connection sees them. It goes on
        while other parts are down. Public.
        """
        return PULSE_TOPIC
