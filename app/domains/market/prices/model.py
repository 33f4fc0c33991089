"""Quotes as they come in, and candles as they are kept. Prices are in dollars unless they say otherwise."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

PRICE_LIMIT = Decimal(10) ** 12
"""No price is believed from here on; the columns hold no more."""

PRICES_TOPIC = "prices"
"""The volatile topic of ticks; its one key is MARKET, its values Ticks."""
MARKET = "market"
"""The whole market is one value: whoever reads slowly gets all of a newer tick, not half of an older one."""


class Quote(msgspec.Struct, frozen=True):
    """What a provider says of a token at a moment. Null: it does not say."""

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
    """One answer of a provider: what is believed, and how many values are not, by reason."""

    accepted: list[Quote]
    ignored: dict[str, int]


class Move(msgspec.Struct, frozen=True):
    """A token's price before a tick and after it; before is null for its first."""

    symbol: str
    before: Decimal | None
    after: Decimal


class Interval(StrEnum):
    """How long a candle is. Each but the first is made of the one before."""

    ONE_MINUTE = "1m"
    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"
    ONE_DAY = "1d"

    @property
    def length(self) -> timedelta:
        """The span of a candle; all begin at multiples of it since 1970, in UTC."""
        return _LENGTHS[self]

    @property
    def topic(self) -> str:
        """The volatile topic of the open candles and those closed last; its one key is MARKET, its values Boards."""
        return f"candles:{self}"


_LENGTHS = {
    Interval.ONE_MINUTE: timedelta(minutes=1),
    Interval.FIVE_MINUTES: timedelta(minutes=5),
    Interval.ONE_HOUR: timedelta(hours=1),
    Interval.ONE_DAY: timedelta(days=1),
}


class Candle(msgspec.Struct, frozen=True):
    """Prices over an interval that began at `opened_at`."""

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
    """What a token was quoted at, once a minute."""

    symbol: str
    exchange: str
    price_usd: Decimal
    price_aud: Decimal
    volume_24h_usd: Decimal | None
    timestamp: datetime


class TickQuote(msgspec.Struct, frozen=True):
    """A token in a tick. Null: nobody says."""

    symbol: str
    price_usd: Decimal
    price_aud: Decimal
    change_percentage_24h: Decimal | None
    volume_24h_usd: Decimal | None
    at: datetime
    """When the provider quoted it, which may be before the tick."""


class Tick(msgspec.Struct, frozen=True):
    """The newest quotes of all tokens at a moment, by symbol."""

    source: str
    at: datetime
    quotes: dict[str, TickQuote]


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """A candle where it is known whose it is."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_usd: Decimal


class Bars(msgspec.Struct, frozen=True, array_like=True):
    """A token's open candle, null before the first price of its time, and the last that was closed, null before any."""

    open: Bar | None
    closed: Bar | None


class Board(msgspec.Struct, frozen=True):
    """The candles of an interval as they form, by symbol."""

    source: str
    bars: dict[str, Bars]


class Day(msgspec.Struct, frozen=True):
    """What our own candles say of a token's last 24 hours, to the hour."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume_usd: Decimal
