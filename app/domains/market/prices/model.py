"""Quotes of providers, and stored candles. Prices are in US dollars unless stated otherwise."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

PRICE_LIMIT = Decimal(10) ** 12
"""Prices must be less than this; the columns hold no more."""

PRICES_TOPIC = "prices"
"""The volatile topic of ticks; its one key is MARKET, its values Ticks."""
MARKET = "market"
"""The whole market is one value: a slow reader gets all of a newer tick, not half of an older one."""


class Quote(msgspec.Struct, frozen=True):
    """The quote of a token by a provider at a time. Null: not reported."""

    symbol: str
    at: datetime
    price_usd: Decimal
    price_aud: Decimal
    volume_24h_usd: Decimal | None = None
    volume_24h_aud: Decimal | None = None
    change_24h: Decimal | None = None
    change_percentage_24h: Decimal | None = None
    market_cap_usd: Decimal | None = None
    market_cap_aud: Decimal | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None


class StoredQuote(msgspec.Struct, frozen=True):
    """The stored price of a token, and the time of its quote."""

    symbol: str
    price_usd: Decimal
    last_updated: datetime


class Quotes(msgspec.Struct, frozen=True):
    """One answer of a provider: the accepted quotes, and the number of rejected values by reason."""

    accepted: list[Quote]
    ignored: dict[str, int]


class Move(msgspec.Struct, frozen=True):
    """The price of a token before and after a tick; before is null for the first price."""

    symbol: str
    before: Decimal | None
    after: Decimal


class Interval(StrEnum):
    """The interval of a candle. Candles of each interval but the first are rolled up from the one before."""

    ONE_MINUTE = "1m"
    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"
    ONE_DAY = "1d"

    @property
    def length(self) -> timedelta:
        """The length of a candle. Candles begin at multiples of it since 1970, in UTC."""
        return _LENGTHS[self]

    @property
    def topic(self) -> str:
        """The volatile topic of the open and the last closed candles; its one key is MARKET, its values Boards."""
        return f"candles:{self}"


_LENGTHS = {
    Interval.ONE_MINUTE: timedelta(minutes=1),
    Interval.FIVE_MINUTES: timedelta(minutes=5),
    Interval.ONE_HOUR: timedelta(hours=1),
    Interval.ONE_DAY: timedelta(days=1),
}


class Candle(msgspec.Struct, frozen=True):
    """The prices in an interval that began at `opened_at`."""

    symbol: str
    exchange: str
    interval: Interval
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_usd: Decimal


class PriceSample(msgspec.Struct, frozen=True):
    """The quote of a token, sampled once a minute."""

    symbol: str
    exchange: str
    price_usd: Decimal
    price_aud: Decimal
    volume_24h_usd: Decimal | None
    timestamp: datetime


class TickQuote(msgspec.Struct, frozen=True):
    """The quote of a token in a tick. Null: not reported."""

    symbol: str
    price_usd: Decimal
    price_aud: Decimal
    change_percentage_24h: Decimal | None
    volume_24h_usd: Decimal | None
    at: datetime
    """The time of the quote, which can be before the tick."""


class Tick(msgspec.Struct, frozen=True):
    """The newest quotes of all tokens at a time, by symbol."""

    source: str
    at: datetime
    quotes: dict[str, TickQuote]


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """A candle without its symbol, exchange and interval."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_usd: Decimal


class Bars(msgspec.Struct, frozen=True, array_like=True):
    """The open candle of a token, null before its first price, and the last closed one, null before the first."""

    open: Bar | None
    closed: Bar | None


class Board(msgspec.Struct, frozen=True):
    """The current candles of an interval, by symbol."""

    source: str
    bars: dict[str, Bars]


class Day(msgspec.Struct, frozen=True):
    """The last 24 hours of a token according to our own hourly candles."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume_usd: Decimal
