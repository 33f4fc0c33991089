"""10,000 sockets: how fast they connect, their memory, the latency of events, and how they reconnect."""

import time
from statistics import median
from typing import Final

import msgspec
from rich.progress import Progress

from bench.fanout.children import publisher
from bench.fanout.messages import Cut, Opened
from bench.fanout.runs import Audience, Run, audience
from bench.fanout.stage import Size, Stage
from bench.machine import resident_kib
from bench.servers import Server, moneta_server, serving

EVENTS_MEANWHILE_PER_S: Final = 2.0
"""While the server is down and its clients come back."""
IN_FLIGHT: Final = (8, 16, 32, 64)
_WARM_SOCKETS: Final = 100
_RETURN_S: Final = 120.0
# Until allocated memory was touched, and freed memory was returned.
_SETTLE_S: Final = 1.0


class Return(msgspec.Struct, frozen=True):
    """All sockets were cut at once by SIGKILL of the server, which was started again."""

    sockets: int
    seconds: float
    """From the kill until every socket had the first event that was committed after the last was subscribed again."""
    restart_s: float
    """Of these, until the server was ready again."""
    events: int
    """Published from shortly before the kill to the end."""
    void: str
    """Not empty: events were lost, repeated or out of order."""


class Crowd(msgspec.Struct, frozen=True):
    """What was measured with many sockets."""

    opened_per_s: dict[int, list[float]]
    """By connections in flight."""
    idle_kib: dict[int, float]
    """Resident memory for each socket, by how many there were."""
    runs: list[Run]
    returns: list[Return]


def measure(stage: Stage, size: Size, progress: Progress) -> Crowd:
    """A server for each part, so that none begins with the memory of another."""
    sockets, rounds = size.crowd, size.rounds
    task = progress.add_task(f"{sockets:,} sockets", total=len(IN_FLIGHT) * rounds + 2 + 2 * rounds)
    server = moneta_server(stage.database_url, stage.redis_url, stage.environment)
    opened_per_s: dict[int, list[float]] = {in_flight: [] for in_flight in IN_FLIGHT}
    idle_kib: dict[int, float] = {}
    runs, returns = [], []
    with publisher(stage.blocks) as publish:
        with serving(server) as target:
            for _ in range(rounds):
                for in_flight in IN_FLIGHT:
                    with audience(target, publish, stage.blocks) as listeners:
                        opened_per_s[in_flight].append(listeners.open(size.opened, stage.tokens, in_flight=in_flight))
                    progress.advance(task)
        with serving(server) as target:
            with audience(target, publish, stage.blocks) as listeners:
                listeners.open(_WARM_SOCKETS, stage.tokens)
            time.sleep(_SETTLE_S)
            before = resident_kib(target.pid)
            with audience(target, publish, stage.blocks) as listeners:
                for more in (sockets // 5, sockets - sockets // 5):
                    listeners.open(more, stage.tokens, resume=True)
                    time.sleep(_SETTLE_S)
                    idle_kib[listeners.sockets] = (resident_kib(target.pid) - before) / listeners.sockets
                    progress.advance(task)
                for _ in range(rounds):
                    runs.append(listeners.run(size.crowd_events_per_s, size.seconds))
                    progress.advance(task)
                for _ in range(rounds):
                    returns.append(_cut(listeners, server))
                    progress.advance(task)
    return Crowd(opened_per_s, idle_kib, runs, returns)


def _cut(listeners: Audience, server: Server) -> Return:
    publish = listeners.publisher
    listeners.begin()
    publish.begin(EVENTS_MEANWHILE_PER_S, 1_000_000)
    time.sleep(2 / EVENTS_MEANWHILE_PER_S)
    killed_at = time.monotonic()
    server.kill()
    listeners.target = server.start()
    ready_at = time.monotonic()
    back = listeners.client.ask(Cut(_RETURN_S), Opened)
    time.sleep(2 / EVENTS_MEANWHILE_PER_S)
    log = publish.end(early=True)
    outcome, void = listeners.settle(log)
    if back.failure:
        void = f"{back.failure}; {void}"
    first_after = next(place for place, at in enumerate(log.committing) if at > back.ended)
    return Return(
        sockets=listeners.sockets,
        seconds=outcome.reached[first_after] - killed_at,
        restart_s=ready_at - killed_at,
        events=len(log.committing),
        void=void,
    )


def fastest(crowd: Crowd) -> tuple[int, float]:
    """The connections in flight with which sockets were opened fastest, and how many a second."""
    return max(((many, median(rates)) for many, rates in crowd.opened_per_s.items()), key=lambda pair: pair[1])
