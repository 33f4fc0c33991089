"""The state of each source: when it last answered, and how many values were accepted and rejected."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from app.domains.market.sources.model import MAX_SOURCES, MarketSource, SourceKind
from app.domains.market.sources.statements import SourceSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.errors import Unavailable

_FAILURE_LENGTH = 300


class Sources:
    """Stores and reads the state of the sources."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def succeeded(
        self, source: str, kind: SourceKind, *, accepted: int, ignored: Mapping[str, int] | None = None
    ) -> None:
        """Counts an answer, in its own transaction."""
        await self._database.write(
            SYSTEM, lambda tx: self.note(tx, source, kind, accepted=accepted, ignored=ignored or {})
        )

    async def failed(self, source: str, kind: SourceKind, error: Exception) -> None:
        """Notes a failure, in its own transaction. The text of the error must not contain secrets."""
        text = (str(error) or type(error).__name__).replace("\0", "")[:_FAILURE_LENGTH]
        await self._database.write(
            SYSTEM, lambda tx: tx.execute(SourceSql.note_failure, source, kind, self._clock.now(), text)
        )

    @asynccontextmanager
    async def counting(
        self, source: str, kind: SourceKind, ignored: Mapping[str, int]
    ) -> AsyncIterator[Callable[[int], None]]:
        """Counts the answer that its body receives: a failure if it raises Unavailable, otherwise what it accepts."""
        accepted = 0

        def accept(number: int) -> None:
            nonlocal accepted
            accepted = number

        try:
            yield accept
        except Unavailable as error:
            await self.failed(source, kind, error)
            raise
        await self.succeeded(source, kind, accepted=accepted, ignored=ignored)

    async def note(self, tx: Tx, source: str, kind: SourceKind, *, accepted: int, ignored: Mapping[str, int]) -> None:
        """Counts an answer in the transaction that stores it, so that both are stored or neither is."""
        await tx.execute(SourceSql.note_success, source, kind, self._clock.now(), accepted, dict(ignored))

    async def all(self, executor: Executor | None = None) -> list[MarketSource]:
        """Returns all sources, by kind and name. A request passes the executor that it reads with."""
        sources = await (executor or self._database).fetch(SourceSql.market_sources, MAX_SOURCES)
        return [msgspec.structs.replace(source, kind=SourceKind(source.kind)) for source in sources]

    async def check(self, source: str, patience: timedelta) -> None:
        """Raises Unavailable if the source of prices fails, and has reported none for longer than `patience`.

        A source that was never read, or is no longer read, does not fail: whether a worker runs is another question.
        """
        for known in await self.all():
            if known.source == source and known.kind is SourceKind.PRICES and _fails(known):
                silent_since = known.last_success_at
                if silent_since is None or self._clock.now() - silent_since > patience:
                    raise Unavailable(f"{source} gives no prices")


def _fails(source: MarketSource) -> bool:
    failed, succeeded = source.last_failure_at, source.last_success_at
    return failed is not None and (succeeded is None or failed > succeeded)
