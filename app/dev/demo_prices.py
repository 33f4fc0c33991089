"""An invented history of the market, up to the time from which the feed continues."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Final, Self

import msgspec

from app.domains.market.prices.model import Interval, Quote
from app.domains.market.prices.services.history import CANDLES, History
from app.domains.market.prices.statements import PriceSql
from app.domains.market.providers.rules.profiles import AUD_PER_USD, Profile, money, price, profiles_of
from app.domains.market.providers.rules.simulation import Path, paths
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.market.tokens.model import Listing
from app.kit.db import SYSTEM, Database
from app.kit.postgres import end_session
from app.kit.sql import Command, Statements, columns_of

_ROWS_AT_ONCE: Final = 40_000
_COPIES_AT_ONCE: Final = 2
_COLUMNS: Final = ("symbol", "exchange", "interval", "opened_at", "open", "high", "low", "close", "volume_usd")
_SAMPLE_EVERY: Final = 5


class DemoSql(Statements, file="demo.sql"):
    """The statements of the demo."""

    delete_candles: Command


_DAY: Final = timedelta(days=1)
_DAY_MINUTES: Final = 1440


class DemoSize(msgspec.Struct, frozen=True):
    """The length of the history. `days` counts whole days in UTC before today; today so far is added."""

    minute_tokens: int = 20
    """The largest tokens have candles of every interval; the others those of an hour and of a day."""
    days: int = 30
    daily_days: int = 360
    """How far the candles of a day go back; at least `days`."""


class DemoPrices:
    """Makes the history of these tokens up to the minute of `now`."""

    def __init__(
        self, database: Database, listings: Sequence[Listing], size: DemoSize, *, seed: int, now: datetime
    ) -> None:
        self._database = database
        self._history = History(database)
        self._seed = seed
        self._now = now
        self._until = now.replace(second=0, microsecond=0)
        self._since = self._until.replace(hour=0, minute=0) - size.days * _DAY
        self._daily_days = size.daily_days - size.days
        self._profiles = profiles_of(listings)
        self._minute_tokens = size.minute_tokens

    @property
    def steps(self) -> int:
        """How often `load` reports progress."""
        return 2 * len(self._profiles)

    async def load(self, advance: Callable[[], None]) -> dict[str, Quote]:
        """Stores candles, samples and, last, the quotes, which mark the history as complete. Returns the quotes."""
        await self._database.write(SYSTEM, lambda tx: tx.execute(DemoSql.delete_candles, SIMULATED))
        days = (self._until - self._since).days + self._daily_days
        await self._history.partitions_for(CANDLES, (self._until - back * _DAY for back in range(days + 2)))
        async with _Copying(self._database) as candles:
            quotes, opens = await self._load_recent(candles, advance)
            await self._load_days(candles, opens, advance)
        columns = columns_of([msgspec.structs.astuple(quote) for quote in quotes.values()])
        await self._database.write(SYSTEM, lambda tx: tx.fetch(PriceSql.put_quotes, SIMULATED, *columns))
        return quotes

    async def _load_recent(
        self, candles: "_Copying", advance: Callable[[], None]
    ) -> tuple[dict[str, Quote], dict[str, float]]:
        """Returns the quotes and first prices. All paths are made by the minute, so that the tokens move together."""
        quotes, opens = {}, {}
        count = int((self._until - self._since).total_seconds()) // 60
        made = paths(self._profiles, seed=self._seed, start=self._since, count=count)
        for number, (profile, path) in enumerate(zip(self._profiles, made, strict=True)):
            has_minutes = number < self._minute_tokens
            for interval in Interval if has_minutes else (Interval.ONE_HOUR, Interval.ONE_DAY):
                for part in _rolled_up(path, int(interval.length.total_seconds()) // 60):
                    await candles.add(interval, part)
            if has_minutes:
                await self._history.sample(SIMULATED, list(_samples(path)))
            opens[path.symbol] = float(path.open[0])
            quotes[path.symbol] = _quote(profile, path, self._now)
            advance()
        return quotes, opens

    async def _load_days(self, candles: "_Copying", opens: dict[str, float], advance: Callable[[], None]) -> None:
        """The days before, which end where the minutes begin."""
        start = self._since - self._daily_days * _DAY
        for path in paths(
            self._profiles, seed=self._seed, start=start, count=self._daily_days, step_s=86400, ends=opens
        ):
            await candles.add(Interval.ONE_DAY, path)
            advance()


class _Copying:
    """Candles straight from arrays, some ten times as fast as records. Postgres takes in some while more are made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._times: dict[tuple[int, int, Interval], list[str]] = {}
        self._rows: list[str] = []
        self._under_way: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            await self._copy()
        await asyncio.gather(*self._under_way)

    async def add(self, interval: Interval, path: Path) -> None:
        """Adds candles, which are stored in batches."""
        self._rows += await asyncio.to_thread(self._render, interval, path)
        if len(self._rows) >= _ROWS_AT_ONCE:
            await self._copy()

    def _render(self, interval: Interval, path: Path) -> list[str]:
        key = int(path.opened_at_s[0]), len(path.opened_at_s), interval
        if key not in self._times:
            self._times[key] = [datetime.fromtimestamp(at_s, UTC).isoformat() for at_s in path.opened_at_s.tolist()]
        # Nine significant digits, as in the quotes of the simulation.
        line = f"{path.symbol}\t{SIMULATED}\t{interval}\t%s\t%.9g\t%.9g\t%.9g\t%.9g\t%.2f\n"
        columns = (column.tolist() for column in (path.open, path.high, path.low, path.close, path.volume))
        return [line % row for row in zip(self._times[key], *columns, strict=True)]

    async def _copy(self) -> None:
        if len(self._under_way) >= _COPIES_AT_ONCE:
            await self._under_way.pop(0)
        source, self._rows = BytesIO("".join(self._rows).encode()), []

        async def copy() -> None:
            connection = await self._database.connect()
            try:
                await connection.copy_to_table(CANDLES, source=source, columns=_COLUMNS)
            finally:
                end_session(connection)

        self._under_way.append(asyncio.create_task(copy()))


def _rolled_up(path: Path, count: int) -> Iterator[Path]:
    """Candles `count` times as long, the last of what there is of it."""
    rest = len(path.open) % count
    whole = slice(len(path.open) - rest)
    yield _part(path, whole).rolled_up(count)
    if rest:
        yield _part(path, slice(whole.stop, None)).rolled_up(rest)


def _part(path: Path, part: slice) -> Path:
    symbol, *columns = msgspec.structs.astuple(path)
    return Path(symbol, *(column[part] for column in columns))


def _quote(profile: Profile, path: Path, at: datetime) -> Quote:
    """Returns the quote at the end of the path, with its last day."""
    day = slice(-_DAY_MINUTES, None)
    now, before = float(path.close[-1]), float(path.open[day][0])
    volume, cap = float(path.volume[day].sum()), now * profile.supply
    return Quote(
        symbol=path.symbol,
        at=at,
        price_usd=price(now),
        price_aud=price(now * AUD_PER_USD),
        volume_24h_usd=money(volume),
        volume_24h_aud=money(volume * AUD_PER_USD),
        change_24h=price(now) - price(before),
        change_percentage_24h=Decimal(f"{100 * (now / before - 1):.4f}"),
        market_cap_usd=money(cap),
        market_cap_aud=money(cap * AUD_PER_USD),
        high_24h=price(float(path.high[day].max())),
        low_24h=price(float(path.low[day].min())),
    )


def _samples(path: Path) -> Iterator[Quote]:
    """Samples of its last day."""
    some = slice(-_DAY_MINUTES, None, _SAMPLE_EVERY)
    for at_s, value in zip(path.opened_at_s[some].tolist(), path.open[some].tolist(), strict=True):
        yield Quote(path.symbol, datetime.fromtimestamp(at_s, UTC), price(value), price(value * AUD_PER_USD))
