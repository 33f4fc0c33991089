"""How it goes with each source: when it last answered, what of it was believed, and what was not."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from app.domains.market.sources.model import MAX_SOURCES, MarketSource, SourceKind
from app.domains.market.statements import SOURCES
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.errors import Unavailable

_FAILURE_LENGTH = 300


class Sources:
    """Keeps the books of the sources."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def succeeded(
        self, source: str, kind: SourceKind, *, accepted: int, ignored: Mapping[str, int] | None = None
    ) -> None:
        """Counts an answer, in a transaction of its own."""
        await self._database.write(
            SYSTEM, lambda tx: self.note(tx, source, kind, accepted=accepted, ignored=ignored or {})
        )

    async def failed(self, source: str, kind: SourceKind, error: Exception) -> None:
        """Notes that there was no answer, in a transaction of its own. The error's text holds no secret."""
        text = (str(error) or type(error).__name__).replace("\0", "")[:_FAILURE_LENGTH]
        await self._database.write(
            SYSTEM, lambda tx: tx.execute(SOURCES.note_failure, source, kind, self._clock.now(), text)
        )

    @asynccontextmanager
    async def counting(
        self, source: str, kind: SourceKind, ignored: Mapping[str, int]
    ) -> AsyncIterator[Callable[[int], None]]:
        """Counts the answer that its body gets: a failure if Unavailable is raised, else what the body accepts."""
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
        """Counts an answer in the transaction that stores it, so that both are there or neither."""
        await tx.execute(SOURCES.note_success, source, kind, self._clock.now(), accepted, dict(ignored))

    async def all(self, executor: Executor | None = None) -> list[MarketSource]:
        """Every source, by kind and name; a request names where it reads."""
        return [
            MarketSource(source, SourceKind(kind), *rest)
            for source, kind, *rest in await (executor or self._database).fetch(SOURCES.market_sources, MAX_SOURCES)
        ]

    async def check(self, source: str, patience: timedelta) -> None:
        """Raises Unavailable where the source of prices fails, and has given none for longer than `patience`.

        A source that nobody has asked yet, or asks any more, does not fail: whether a worker runs is another question.
        """
        for known in await self.all():
            if known.source == source and known.kind is SourceKind.PRICES and _fails(known):
                silent_since = known.last_success_at
                if silent_since is None or self._clock.now() - silent_since > patience:
                    raise Unavailable(f"{source} gives no prices")


def _fails(source: MarketSource) -> bool:
    failed, succeeded = source.last_failure_at, source.last_success_at
    return failed is not None and (succeeded is None or failed > succeeded)
