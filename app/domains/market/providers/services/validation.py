"""Validation of the values of providers. Every value is checked, and an invalid one does not affect the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from app.domains.market.prices.model import PRICE_LIMIT, Quote, Quotes
from app.domains.market.providers.rules.profiles import SMALLEST_PRICE
from app.domains.market.sources.model import Reason

MONEY_LIMIT: Final = Decimal(10) ** 18
PERCENTAGE_LIMIT: Final = Decimal(10) ** 6
AUD_PER_USD: Final = (Decimal("0.5"), Decimal(5))
"""All exchange rates of the last fifty years are between these, with a margin."""
JUMP: Final = 10
"""A price that has changed by this factor, up or down, is quarantined."""
CONFIRMATIONS: Final = 3
"""A quarantined price is accepted after this many similar ones in a row: tokens are split and redenominated."""
AHEAD: Final = timedelta(minutes=1)
"""The tolerance for differences between clocks."""

_CENT = Decimal("0.01")
_PERCENT_STEP = Decimal("0.0001")


class RejectedValue(Exception):
    """A value that is not valid."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class RawQuote(msgspec.Struct, frozen=True):
    """The quote of a token as the provider sent it. The values can have any type."""

    symbol: str
    at: object
    price_usd: object
    price_aud: object
    volume_24h_usd: object = None
    volume_24h_aud: object = None
    change_24h: object = None
    change_percentage_24h: object = None
    market_cap_usd: object = None
    market_cap_aud: object = None
    high_24h: object = None
    low_24h: object = None


class QuoteValidator:
    """Accepts or rejects quotes. It remembers the last accepted prices, and those in quarantine."""

    def __init__(self, last: Mapping[str, Quote], max_age: timedelta) -> None:
        self._last = {symbol: quote.price_usd for symbol, quote in last.items()}
        self._max_age = max_age
        self._quarantined: dict[str, tuple[Decimal, int]] = {}

    def quotes(
        self, raw_quotes: Iterable[RawQuote], requested: Iterable[str], now: datetime, ignored: Counter[str]
    ) -> Quotes:
        """Returns the accepted quotes, at most one for each symbol. The rejected values are added to `ignored`."""
        wanted, received = set(requested), set[str]()
        accepted: list[Quote] = []
        for raw in raw_quotes:
            try:
                if raw.symbol not in wanted:
                    raise RejectedValue(Reason.UNKNOWN_SYMBOL)
                if raw.symbol in received:
                    raise RejectedValue(Reason.DUPLICATE)
                received.add(raw.symbol)
                quote = self._quote(raw, now, ignored)
                self._check_jump(quote)
            except RejectedValue as rejected:
                ignored[rejected.reason.value] += 1
            else:
                accepted.append(quote)
        if missing := len(wanted - received):
            ignored[Reason.MISSING.value] += missing
        return Quotes(accepted, dict(ignored))

    def _quote(self, raw: RawQuote, now: datetime, ignored: Counter[str]) -> Quote:
        at = moment(raw.at)
        if at > now + AHEAD:
            raise RejectedValue(Reason.FUTURE)
        if now - at > self._max_age:
            raise RejectedValue(Reason.STALE)
        usd, aud = price(raw.price_usd), price(raw.price_aud)
        if not AUD_PER_USD[0] < aud / usd < AUD_PER_USD[1]:
            raise RejectedValue(Reason.ABSURD)

        def optional(value: object, step: Decimal, limit: Decimal, *, signed: bool = False) -> Decimal | None:
            """Returns a value that may be null. An invalid value is left out, and the price is still accepted."""
            try:
                return None if value is None else rounded(value, step, limit, signed=signed)
            except RejectedValue as rejected:
                ignored[rejected.reason.value] += 1
                return None

        high, low = (
            optional(raw.high_24h, SMALLEST_PRICE, PRICE_LIMIT),
            optional(raw.low_24h, SMALLEST_PRICE, PRICE_LIMIT),
        )
        if high is not None and low is not None and high < low:
            ignored[Reason.ABSURD.value] += 1
            high = low = None
        return Quote(
            symbol=raw.symbol,
            # Otherwise later quotes would be older, and would be ignored until then.
            at=min(at, now),
            price_usd=usd,
            price_aud=aud,
            volume_24h_usd=optional(raw.volume_24h_usd, _CENT, MONEY_LIMIT),
            volume_24h_aud=optional(raw.volume_24h_aud, _CENT, MONEY_LIMIT),
            change_24h=optional(raw.change_24h, SMALLEST_PRICE, PRICE_LIMIT, signed=True),
            change_percentage_24h=optional(raw.change_percentage_24h, _PERCENT_STEP, PERCENTAGE_LIMIT, signed=True),
            market_cap_usd=optional(raw.market_cap_usd, _CENT, MONEY_LIMIT),
            market_cap_aud=optional(raw.market_cap_aud, _CENT, MONEY_LIMIT),
            high_24h=high,
            low_24h=low,
        )

    def _check_jump(self, quote: Quote) -> None:
        symbol, now = quote.symbol, quote.price_usd
        last = self._last.get(symbol)
        if last is not None and _far(last, now):
            quarantined, times = self._quarantined.get(symbol, (now, 0))
            times = 1 if _far(quarantined, now) else times + 1
            if times < CONFIRMATIONS:
                self._quarantined[symbol] = (now, times)
                raise RejectedValue(Reason.JUMP)
        self._quarantined.pop(symbol, None)
        self._last[symbol] = now


def number(value: object, limit: Decimal, *, signed: bool = False) -> Decimal:
    """Returns a finite number whose absolute value is below `limit`, and not negative unless `signed`."""
    if value is None:
        raise RejectedValue(Reason.INCOMPLETE)
    # In Python, bool is a subclass of int.
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise RejectedValue(Reason.NOT_A_NUMBER)
    valid = Decimal(value)
    if not valid.is_finite():
        raise RejectedValue(Reason.NOT_A_NUMBER)
    if valid < 0 and not signed:
        raise RejectedValue(Reason.NEGATIVE)
    # `abs` would round, and overflow.
    if valid.copy_abs() >= limit:
        raise RejectedValue(Reason.ABSURD)
    return valid


def rounded(value: object, step: Decimal, limit: Decimal, *, signed: bool = False) -> Decimal:
    """Returns the same, rounded to steps that the column can hold, and still below `limit`."""
    valid = number(value, limit, signed=signed).quantize(step)
    return number(valid, limit, signed=signed)


def price(value: object) -> Decimal:
    """Returns a price that can be stored."""
    valid = rounded(value, SMALLEST_PRICE, PRICE_LIMIT)
    if valid == 0:
        raise RejectedValue(Reason.ZERO)
    return valid


def moment(value: object) -> datetime:
    """Returns a time in ISO 8601 with a time zone."""
    if value is None:
        raise RejectedValue(Reason.INCOMPLETE)
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None or at.tzinfo is None:
            raise RejectedValue(Reason.MALFORMED)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RejectedValue(Reason.MALFORMED) from None


def share(value: object, limit: Decimal = Decimal(100), *, signed: bool = False) -> float | None:
    """Returns a number that is only displayed, such as a score; None if it is missing or invalid."""
    try:
        valid = number(value, limit + 1, signed=signed)
    except RejectedValue:
        return None
    return float(valid) if valid.copy_abs() <= limit else None


def count(value: object) -> int | None:
    """Returns a count that is only displayed; None if it is missing or invalid."""
    try:
        return int(number(value, Decimal(2**53)))
    except RejectedValue:
        return None


def text(value: object, longest: int) -> str | None:
    """Returns a trimmed, non-empty line of printable text; None for anything else."""
    if not isinstance(value, str):
        return None
    trimmed = value.strip()
    return trimmed if 0 < len(trimmed) <= longest and trimmed.isprintable() else None


def _far(one: Decimal, other: Decimal) -> bool:
    return one * JUMP <= other or other * JUMP <= one
