"""Appends facts at a steady rate, and keeps the log against which every subscriber is checked."""

from dataclasses import dataclass, field
from typing import Any

from app.domains.ledger.streams import CHAIN_STREAM
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from app.kit.events import EventLog, Fact
from tests.statements import statement, value_of
from tests.waiting import elapse, now

SEQ = statement(
    "seq", "The stream's newest number; its row is locked by us.", "SELECT seq FROM event_streams WHERE stream = $1"
)
PAUSE_S = 0.05


def block_fact(block: dict[str, Any], number: int) -> Fact:
    """The news of an existing block; the graph ignores the number."""
    return Fact(CHAIN_STREAM, "block.connected", {**block, "n": number})


@dataclass(frozen=True)
class Published:
    """An event, as its publisher knows it."""

    seq: int
    number: int
    hash: str
    committed_at: float
    """Monotonic."""


@dataclass
class Publisher:
    """The only writer of the stream of blocks while it runs."""

    database: Database
    events: EventLog
    blocks: list[dict[str, Any]]
    rate: float
    log: list[Published] = field(default_factory=list)
    """What was committed, in order."""
    unsure: set[int] = field(default_factory=set)
    """Numbers of events of which Postgres did not say whether they were committed."""
    stopping: bool = False
    _number: int = 0

    async def run(self) -> None:
        """Publishes until it is stopped."""
        due = now()
        while not self.stopping:
            try:
                await self.publish()
            except Unavailable:
                await elapse(PAUSE_S)
            due = max(due + 1 / self.rate, now() - 1)
            await elapse(due - now())

    async def publish(self) -> Published:
        """Raises Unavailable: it may have been committed, or not."""
        number, self._number = self._number, self._number + 1
        block = self.blocks[number % len(self.blocks)]
        try:
            seq = await self.database.write(SYSTEM, lambda tx: numbered(tx, self.events, block_fact(block, number)))
        except Unavailable:
            self.unsure.add(number)
            raise
        published = Published(seq, number, block["hash"], now())
        self.log.append(published)
        return published


async def numbered(tx: Tx, events: EventLog, fact: Fact) -> int:
    """Appends a fact; returns its `seq`."""
    await events.append(tx, [fact])
    return int(await value_of(tx, SEQ, fact.stream))
