"""Parsing rows of a file into candles. All values of a row are validated."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from app.domains.market.prices.model import PRICE_LIMIT, Candle, Interval
from app.domains.market.prices.rules.windows import begin_of
from app.domains.market.tokens.model import symbol_of

REQUIRED = ("symbol", "opened_at", "open", "high", "low", "close")
OPTIONAL = ("volume_usd", "interval", "exchange")

_STEP = Decimal("1e-12")
_CENT = Decimal("0.01")
_VOLUME_LIMIT = Decimal(10) ** 17
"""So that the sum of the volumes of a day fits into the column, whatever rounding adds."""
_EXCHANGE_CHARS = 40


class BadRow(Exception):
    """A row that is not a valid candle."""


class Terms(msgspec.Struct, frozen=True):
    """The values that rows are validated against."""

    symbols: Collection[str]
    """The symbols of all tokens."""
    exchange: str
    """The exchange of rows that do not name one."""
    since: datetime
    """Older candles are not kept."""
    now: datetime


def candle_of(row: Mapping[Any, Any], terms: Terms) -> Candle:
    """Returns the candle of a row, whose values are strings or typed. Raises BadRow with the reason."""
    if None in row:
        raise BadRow("it has more fields than the head line")
    interval = _interval(row.get("interval"))
    symbol = symbol_of(_text(row, "symbol"))
    if symbol not in terms.symbols:
        raise BadRow(f"there is no token {_text(row, 'symbol')[:20]!r}")
    opened_at = _moment(row.get("opened_at"))
    if opened_at > terms.now:
        raise BadRow("opened_at is in the future")
    if opened_at < terms.since:
        raise BadRow(f"opened_at is before {terms.since:%Y-%m-%d}, as far back as candles are kept")
    if begin_of(opened_at, interval.length) != opened_at:
        raise BadRow(f"no candle of {interval} begins at {opened_at.isoformat()}")
    opened, high, low, close = (_price(row, name) for name in ("open", "high", "low", "close"))
    if high < max(opened, close) or low > min(opened, close):
        raise BadRow("open and close are not between low and high")
    return Candle(
        symbol, _exchange(row.get("exchange"), terms), interval, opened_at, opened, high, low, close, _volume(row)
    )


def _text(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"{name} is missing")
    return value


def _interval(value: Any) -> Interval:
    if value is None or value == "":
        return Interval.ONE_MINUTE
    try:
        return Interval(value)
    except ValueError:
        raise BadRow(f"interval is none of {', '.join(Interval)}") from None


def _exchange(value: Any, terms: Terms) -> str:
    if value is None or value == "":
        return terms.exchange
    if not isinstance(value, str) or len(value) > _EXCHANGE_CHARS or not value.isprintable():
        raise BadRow(f"exchange is not a name of at most {_EXCHANGE_CHARS} characters")
    return value


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, datetime):
            # A Parquet file may have times without a zone, which are UTC.
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            parsed = datetime.fromisoformat(value.strip())
            if parsed.tzinfo is None:
                raise BadRow("opened_at has no offset from UTC")
            return parsed.astimezone(UTC)
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise BadRow("opened_at is neither ISO 8601 nor seconds since 1970") from None


def _number(row: Mapping[Any, Any], name: str) -> Decimal:
    value = row.get(name)
    try:
        # The shortest digits of a float, not its exact binary value.
        number = Decimal(value.strip() if isinstance(value, str) else str(value))
    except (InvalidOperation, ValueError):
        raise BadRow(f"{name} is no number") from None
    if not number.is_finite():
        raise BadRow(f"{name} is no number")
    return number


def _price(row: Mapping[Any, Any], name: str) -> Decimal:
    number = _number(row, name)
    if not 0 < number < PRICE_LIMIT:
        raise BadRow(f"{name} is not between 0 and {PRICE_LIMIT:,}")
    price = number.quantize(_STEP)
    if not 0 < price < PRICE_LIMIT:
        raise BadRow(f"{name} has more digits than are kept")
    return price


def _volume(row: Mapping[Any, Any]) -> Decimal:
    if row.get("volume_usd") in (None, ""):
        return Decimal(0)
    number = _number(row, "volume_usd")
    if not 0 <= number < _VOLUME_LIMIT:
        raise BadRow("volume_usd is negative or too large")
    return number.quantize(_CENT)
