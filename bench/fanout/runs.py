"""One run: events at a rate into so many sockets, reconciled with the publisher's log; and the search for the rate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from bench.fanout.children import Child, Publisher, child
from bench.fanout.messages import Begin, Begun, Open, Opened, Outcome, Prove, Proved, Published, Script, Settle
from bench.machine import cpu_seconds, wait_for_quiet
from bench.report import console
from bench.servers import Target

DOCUMENT: Final = "subscription($after: Cursor) { blocks(after: $after) { cursor block { height hash } } }"
PEER_DOCUMENT: Final = "subscription { blocks { cursor block { height hash } } }"
SUSTAINED: Final = 0.95
"""Of what was asked for, between the first commit and the last receipt."""
_DRAIN_S: Final = 30.0
_PROOFS: Final = 5
_PROOF_S: Final = 3.0
_LEAST_EVENTS: Final = 10


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run at a rate."""

    server: str
    sockets: int
    events_per_s: float
    asked: float
    """Deliveries a second."""
    achieved: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    server_cpu: float
    """Share of its core."""
    client_cpu: float
    frame_bytes: int
    other_load: float
    void: str
    """Why the run is void: not every socket had every event once and in order. Empty: each had."""

    @property
    def sustained(self) -> bool:
        """Whether the server kept up with the rate."""
        return not self.void and self.achieved >= SUSTAINED * self.asked


class Audience:
    """Sockets that one client process holds on one server, and who publishes to them."""

    def __init__(self, target: Target, client: Child, publisher: Publisher, script: Script) -> None:
        self.target = target
        self.client = client
        self.publisher = publisher
        self._script = script
        self._own = len(script.streams) > 1
        self.sockets = 0

    def open(
        self, sockets: int, tokens: list[str], *, document: str = DOCUMENT, in_flight: int = 64, resume: bool = False
    ) -> float:
        """Opens so many more, and proves that all are subscribed; returns how many of them a second."""
        order = Open(
            port=self.target.port,
            sockets=sockets,
            in_flight=in_flight,
            document=document,
            marks=self._script.marks,
            next_number=self.publisher.next_number,
            own_streams=self._own,
            tokens=tokens,
            resume=resume,
        )
        opened = self.client.ask(order, Opened)
        if opened.failure:
            raise RuntimeError(f"{self.target.name}: {opened.failure} ({opened.refused} refused)")
        self.sockets += sockets
        for attempt in range(_PROOFS):
            self.publisher.publish(1000.0, len(self._script.streams))
            proved = self.client.ask(Prove(_PROOF_S), Proved)
            if not proved.missing:
                # Where the first event after the last answer reached everybody, everybody was subscribed by then.
                ended = proved.at if attempt else opened.ended
                return sockets / (ended - opened.begun)
        raise RuntimeError(f"{self.target.name}: {proved.missing} sockets hear nothing")

    def begin(self) -> None:
        """What is delivered counts from here on."""
        self.client.ask(Begin(), Begun)

    def run(self, events_per_s: float, seconds: float, *, quiet: bool = True) -> Run:
        """Publishes, waits until all is delivered, and compares; `quiet`: waits first for other work to end."""
        other_load = wait_for_quiet() if quiet else 0.0
        self.begin()
        before = cpu_seconds(self.target.pid)
        log = self.publisher.publish(events_per_s, max(_LEAST_EVENTS, round(events_per_s * seconds)))
        outcome, void = self.settle(log)
        used = cpu_seconds(self.target.pid) - before
        took = max(outcome.reached) - log.committing[0]
        fan_out = 1 if self._own else self.sockets
        return Run(
            server=self.target.name,
            sockets=self.sockets,
            events_per_s=events_per_s,
            asked=events_per_s * fan_out,
            achieved=outcome.deliveries / took,
            p50_ms=outcome.p50_ms,
            p99_ms=outcome.p99_ms,
            worst_ms=outcome.worst_ms,
            server_cpu=used / took,
            client_cpu=outcome.client_cpu,
            frame_bytes=outcome.frame_bytes,
            other_load=other_load,
            void=void,
        )

    def settle(self, log: Published) -> tuple[Outcome, str]:
        """What was delivered of this log, and why that is not all of it, once and in order; empty: it is."""
        outcome = self.client.ask(Settle(log.first, log.committing, _DRAIN_S), Outcome)
        expected = len(log.committing) * (1 if self._own else self.sockets)
        void = ""
        if outcome.faults:
            void = f"{outcome.faults} faults: {outcome.first_fault}"
        elif outcome.missing or outcome.deliveries != expected:
            void = f"{outcome.missing} sockets lack events; {outcome.deliveries} of {expected} deliveries"
        if void:
            console.print(f"VOID: {self.target.name}: {void}", style="bold red", markup=False)
        return outcome, void


@contextmanager
def audience(target: Target, publisher: Publisher, script: Script) -> Iterator[Audience]:
    """A client without sockets."""
    with child("bench.fanout.client") as client:
        yield Audience(target, client, publisher, script)


def highest(measure: Callable[[float], Run], start: float) -> float:
    """The highest rate of events that was sustained, to within a tenth."""
    least, most, rate = 0.0, float("inf"), start
    while most > 1.1 * least:
        run = measure(rate)
        if run.sustained:
            least = rate
            rate = min(1.4 * rate, (least + most) / 2)
        else:
            most = rate
            # An overloaded server delivers about as much as it can sustain.
            achieved = 0.97 * run.events_per_s * run.achieved / run.asked
            rate = achieved if least < achieved < most else (least + most) / 2
        if most < start / 50:
            break
    return least
