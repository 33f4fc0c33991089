"""Many subscribers under a steady stream of events, and their reckoning: void unless all of it is accounted for."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from app.domains.ledger.streams import CHAIN_STREAM
from app.engine.declarations.stream_cursors import stream_cursor
from tests.streams.deployment import Deployment
from tests.streams.publishing import Publisher
from tests.streams.readers import EventSourceReader, Reader, SocketReader
from tests.waiting import seen, until

STORED = "SELECT seq, (payload->>'n')::int, payload->>'hash' FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq"
PLAIN = "subscription($after: Cursor) { blocks(after: $after) { cursor block { height hash } } }"
WIDE = "subscription($after: Cursor) { blocks(after: $after) { cursor block { hash miner { walletId } } } }"
PRIVATE = "subscription($after: Cursor) { blocks(after: $after) { cursor block { hash miner { balance } } } }"
FORGETFUL = 7
"""Some store their cursor with every seventh event only."""


@dataclass
class Crowd:
    """Who reads, who writes, and what came of it."""

    deployment: Deployment
    epoch: UUID
    start: int
    publisher: Publisher
    readers: list[Reader] = field(default_factory=list)
    first: int = 0
    """So many of the readers were there when it began."""

    @property
    def sockets(self) -> list[Reader]:
        return [reader for reader in self.readers if isinstance(reader, SocketReader)]

    @property
    def streams(self) -> list[Reader]:
        return [reader for reader in self.readers if isinstance(reader, EventSourceReader)]

    def cursor(self, seq: int) -> str:
        return stream_cursor(self.epoch, CHAIN_STREAM, seq)

    def join(self, count: int) -> None:
        """Some more come, who want everything from the start."""
        after = self.cursor(self.start)
        self.readers += [SocketReader(self.deployment.url, (PLAIN, WIDE)[each % 2], after) for each in range(count)]

    async def published(self, count: int) -> None:
        """Returns once so many more events were committed."""
        goal = len(self.publisher.log) + count
        await until(lambda: len(self.publisher.log) >= goal)

    async def caught_up(self) -> None:
        """Returns once every client has received what is committed now."""
        seq = self.publisher.log[-1].seq
        known = {self.cursor(each) for each in range(seq, seq + 10_000)}
        await until(lambda: all(reader.newest in known for reader in self.readers))

    def unhurt(self) -> None:
        """No client was disconnected, and none reconnected."""
        assert [reader.cuts for reader in self.readers if reader.cuts] == []
        assert {len(reader.legs) for reader in self.readers} == {1}

    async def settle(self) -> None:
        """Waits for the last event, and compares what each received with what was committed."""
        async with self.deployment.owner() as owner:
            stored = [tuple(row) for row in await owner.fetch(STORED, CHAIN_STREAM, self.start)]
        self._check_log(stored)
        last = self.cursor(stored[-1][0])
        await until(lambda: all(reader.newest == last for reader in self.readers))
        expected = [(self.cursor(seq), hash_) for seq, _, hash_ in stored]
        for reader in self.readers:
            assert (reader.faults, reader.over) == ([], None)
            check_legs(reader, expected)

    def _check_log(self, stored: Sequence[tuple[int, int, str]]) -> None:
        """What was acknowledged to the publisher is stored; what was not acknowledged may be."""
        logged = {each.number: each for each in self.publisher.log}
        assert [seq for seq, _, _ in stored] == list(range(self.start + 1, self.start + 1 + len(stored)))
        assert [number for _, number, _ in stored] == sorted({number for _, number, _ in stored})
        assert [(each.seq, each.number, each.hash) for each in self.publisher.log] == [
            row for row in stored if row[1] in logged
        ]
        assert {number for _, number, _ in stored} - set(logged) <= self.publisher.unsure

    def delays_s(self, since: float = 0.0, until_: float = float("inf")) -> list[float]:
        """From commit to receipt, of the events that were committed between these moments, for each first reader."""
        committed = {self.cursor(each.seq): each.committed_at for each in self.publisher.log}
        return [
            max(0.0, event.at - at)
            for reader in self.readers[: self.first]
            for event in reader.events
            if (at := committed.get(event.cursor)) is not None and since <= at <= until_
        ]

    def report(self, what: str, since: float = 0.0, until_: float = float("inf")) -> None:
        """Tells the figures of a run."""
        delays = self.delays_s(since, until_)
        deliveries = sum(len(reader.events) for reader in self.readers)
        print(
            f"{what}: {len(self.publisher.log)} events, {len(self.readers)} subscribers, {deliveries} receipts; commit "
            f"to receipt p50 {statistics.median(delays) * 1000:.0f} ms"
        )
        seen(f"{what}: from commit to receipt, at most", max(delays))


def check_legs(reader: Reader, expected: Sequence[tuple[str, str]]) -> None:
    """Each connection received exactly what follows the cursor that it sent, and the last one received the rest.

    So a client that stores the cursor of each event has received each once; others receive those since it twice.
    """
    places = {cursor: place for place, (cursor, _) in enumerate(expected, 1)}
    reached = 0
    for leg in reader.legs:
        begun = places.get(leg.after, 0)
        assert begun <= reached, "it came back further on than it was"
        _same([(event.cursor, event.hash) for event in leg.events], expected[begun : begun + len(leg.events)], places)
        reached = begun + len(leg.events)
    assert reached == len(expected), f"{reached} of {len(expected)} events came"
    if reader.notes_every == 1:
        _same([(event.cursor, event.hash) for event in reader.events], expected, places)


def _same(received: Sequence[tuple[str, str]], expected: Sequence[tuple[str, str]], places: dict[str, int]) -> None:
    if list(received) == list(expected):
        return
    numbers = [[places.get(cursor, "?") for cursor, _ in each] for each in (received, expected)]
    raise AssertionError(f"received {numbers[0]}\nnot {numbers[1]}")


@asynccontextmanager
async def crowd(
    deployment: Deployment, *, rate: float = 60.0, sockets: int = 50, streams: int = 5
) -> AsyncIterator[Crowd]:
    """All clients subscribe while events are published. At the end each must have every event; see `report`."""
    application = deployment.application
    positions = await application.events.positions([CHAIN_STREAM])
    publisher = Publisher(application.database, application.events, deployment.blocks, rate)
    here = Crowd(deployment, positions.epoch, positions.seqs[CHAIN_STREAM], publisher)
    after = here.cursor(here.start)
    for number in range(sockets):
        person = deployment.people[number % 3]
        # A tenth each shares with nobody, and is forgetful.
        document = PRIVATE if number % 10 == 0 else (PLAIN, WIDE)[number % 2]
        token = person.token if document is PRIVATE else None
        notes_every = FORGETFUL if number % 10 == 1 else 1
        here.readers.append(SocketReader(deployment.url, document, after, token=token, notes_every=notes_every))
    for _ in range(streams):
        here.readers.append(
            EventSourceReader(deployment.url, "subscription { blocks { cursor block { hash } } }", after)
        )
    here.first = len(here.readers)
    publishing = asyncio.create_task(publisher.run())
    try:
        await until(lambda: len(publisher.log) > 0 and all(reader.newest != after for reader in here.readers))
        yield here
        publisher.stopping = True
        await publishing
        await here.settle()
    finally:
        publisher.stopping = True
        await asyncio.gather(publishing, return_exceptions=True)
        await asyncio.gather(*(reader.stop() for reader in here.readers))
