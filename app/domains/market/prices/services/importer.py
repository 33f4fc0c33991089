"""Importing candles from files: all of a file or none of it. An import can be repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.rules.imports import BadRow, Terms, candle_of
from app.domains.market.prices.services.history import History
from app.domains.market.prices.services.tables import Progress, rows_of
from app.domains.market.prices.statements import PriceSql
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Problem

BATCH: Final = 20_000
NAMED: Final = 20
"""The number of bad rows that are listed; the others are only counted."""
ROLL_UP: Final = timedelta(days=30)
"""The period that is rolled up in one transaction: the price feed waits meanwhile."""

_Spans = dict[tuple[str, Interval, str], tuple[datetime, datetime]]


class BadFile(Problem):
    """The file has rows that are not valid candles."""


class Imported(msgspec.Struct):
    """The outcome of an import."""

    stored: int = 0
    """Rows that are stored now, including those that were stored before."""
    skipped: int = 0
    named: list[str] = msgspec.field(default_factory=list)
    """The first skipped rows, and why."""


@dataclass(frozen=True)
class Importer:
    """Imports candles. Stored candles of the same time are replaced, so that a repeated import changes nothing."""

    database: Database
    clock: Clock
    history: History
    exchange: str
    """The exchange of rows that do not name one: that whose prices are currently shown."""

    async def run(self, path: Path, progress: Progress, *, skip_bad: bool = False) -> Imported:
        """Stores the candles of a file, and rolls them up.

        Without `skip_bad` the whole file is checked first, and raises BadFile if a row is bad. What was stored before
        an interruption stays; running the import again stores the rest and rolls up all of it.
        """
        terms = await self._terms()
        if not skip_bad:
            _check(path, terms, progress)
        imported, spans = Imported(), _Spans()
        candles = _candles(path, terms, progress, imported)
        while batch := list(islice(candles, BATCH)):
            imported.stored += await self.history.ingest(batch)
            _note(spans, batch)
        await self._roll_up(spans)
        return imported

    async def _terms(self) -> Terms:
        symbols = frozenset(await self.database.fetch(PriceSql.all_symbols))
        return Terms(symbols, self.exchange, await self.history.kept_since(), self.clock.now())

    async def _roll_up(self, spans: _Spans) -> None:
        # Shortest first: candles that are made from minutes may complete the imported hours.
        for (exchange, interval, symbol), (first, last) in sorted(
            spans.items(), key=lambda item: (item[0][1].length, item[0])
        ):
            since, end = first, last + interval.length
            while since < end:
                until = min(since + ROLL_UP, end)
                await self.history.roll_up([symbol], exchange, since, until, source=interval)
                since = until


def _check(path: Path, terms: Terms, progress: Progress) -> None:
    found = Imported()
    for _ in _candles(path, terms, progress, found):
        pass
    if found.skipped:
        more = found.skipped - len(found.named)
        lines = [*found.named, *([f"and {more:,} more"] if more else [])]
        raise BadFile(f"{path}: {found.skipped:,} bad rows, nothing was stored.\n" + "\n".join(lines))


def _candles(path: Path, terms: Terms, progress: Progress, imported: Imported) -> Iterator[Candle]:
    """Yields the candles of a file, and counts bad rows."""
    for number, row in rows_of(path, progress):
        try:
            yield candle_of(row, terms)
        except BadRow as reason:
            imported.skipped += 1
            if len(imported.named) < NAMED:
                imported.named.append(f"line {number}: {reason}")


def _note(spans: _Spans, batch: list[Candle]) -> None:
    for each in batch:
        key = each.exchange, each.interval, each.symbol
        first, last = spans.get(key, (each.opened_at, each.opened_at))
        spans[key] = min(first, each.opened_at), max(last, each.opened_at)
