"""What is believed of what a provider says. Nothing is taken for granted, and one bad value costs no other."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from app.domains.market.prices.model import PRICE_LIMIT, Quote, Quotes
from app.domains.market.sources.model import Reason
from app.domains.market.sources.rules.profiles import SMALLEST_PRICE

MONEY_LIMIT: Final = Decimal(10) ** 18
PERCENTAGE_LIMIT: Final = Decimal(10) ** 6
AUD_PER_USD: Final = (Decimal("0.5"), Decimal(5))
"""Between these is every rate of half a century, and then some."""
JUMP: Final = 10
"""A price that is so many times the last one, or so small a part of it, is doubted."""
CONFIRMATIONS: Final = 3
"""A doubted price is believed when so many answers in a row say about the same: tokens are split and redenominated."""
AHEAD: Final = timedelta(minutes=1)
"""Clocks differ; by more they are wrong."""

_CENT = Decimal("0.01")
_PERCENT_STEP = Decimal("0.0001")


class Unbelievable(Exception):
    """A value that is not believed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Claim(msgspec.Struct, frozen=True):
    """What a provider says of a token, in its own words: the values may be anything."""

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


class Beliefs:
    """Remembers the last believed prices, and those in doubt."""

    def __init__(self, last: Mapping[str, Quote], max_age: timedelta) -> None:
        self._last = {symbol: quote.price_usd for symbol, quote in last.items()}
        self._max_age = max_age
        self._doubted: dict[str, tuple[Decimal, int]] = {}

    def quotes(self, claims: Iterable[Claim], asked: Iterable[str], now: datetime, ignored: Counter[str]) -> Quotes:
        """The claims that are believed, at most one for each symbol; `ignored` is added to and is in the result."""
        wanted, heard = set(asked), set[str]()
        accepted: list[Quote] = []
        for claim in claims:
            try:
                if claim.symbol not in wanted:
                    raise Unbelievable(Reason.UNKNOWN_SYMBOL)
                if claim.symbol in heard:
                    raise Unbelievable(Reason.DUPLICATE)
                heard.add(claim.symbol)
                quote = self._quote(claim, now, ignored)
                self._compare(quote)
            except Unbelievable as doubt:
                ignored[doubt.reason.value] += 1
            else:
                accepted.append(quote)
        if missing := len(wanted - heard):
            ignored[Reason.MISSING.value] += missing
        return Quotes(accepted, dict(ignored))

    def _quote(self, claim: Claim, now: datetime, ignored: Counter[str]) -> Quote:
        at = moment(claim.at)
        if at > now + AHEAD:
            raise Unbelievable(Reason.FUTURE)
        if now - at > self._max_age:
            raise Unbelievable(Reason.STALE)
        usd, aud = price(claim.price_usd), price(claim.price_aud)
        if not AUD_PER_USD[0] < aud / usd < AUD_PER_USD[1]:
            raise Unbelievable(Reason.ABSURD)

        def beside(value: object, step: Decimal, limit: Decimal, *, signed: bool = False) -> Decimal | None:
            """A value that may be null; one that is not believed is left out, and the price still counts."""
            try:
                return None if value is None else rounded(value, step, limit, signed=signed)
            except Unbelievable as doubt:
                ignored[doubt.reason.value] += 1
                return None

        high, low = (
            beside(claim.high_24h, SMALLEST_PRICE, PRICE_LIMIT),
            beside(claim.low_24h, SMALLEST_PRICE, PRICE_LIMIT),
        )
        if high is not None and low is not None and high < low:
            ignored[Reason.ABSURD.value] += 1
            high = low = None
        return Quote(
            symbol=claim.symbol,
            # Else what is quoted after it would be older, and count for nothing until then.
            at=min(at, now),
            price_usd=usd,
            price_aud=aud,
            volume_24h_usd=beside(claim.volume_24h_usd, _CENT, MONEY_LIMIT),
            volume_24h_aud=beside(claim.volume_24h_aud, _CENT, MONEY_LIMIT),
            change_24h=beside(claim.change_24h, SMALLEST_PRICE, PRICE_LIMIT, signed=True),
            change_percentage_24h=beside(claim.change_percentage_24h, _PERCENT_STEP, PERCENTAGE_LIMIT, signed=True),
            market_cap_usd=beside(claim.market_cap_usd, _CENT, MONEY_LIMIT),
            market_cap_aud=beside(claim.market_cap_aud, _CENT, MONEY_LIMIT),
            high_24h=high,
            low_24h=low,
        )

    def _compare(self, quote: Quote) -> None:
        symbol, now = quote.symbol, quote.price_usd
        last = self._last.get(symbol)
        if last is not None and _far(last, now):
            doubted, times = self._doubted.get(symbol, (now, 0))
            times = 1 if _far(doubted, now) else times + 1
            if times < CONFIRMATIONS:
                self._doubted[symbol] = (now, times)
                raise Unbelievable(Reason.JUMP)
        self._doubted.pop(symbol, None)
        self._last[symbol] = now


def number(value: object, limit: Decimal, *, signed: bool = False) -> Decimal:
    """A finite number whose size is below `limit`; not negative, unless `signed`."""
    if value is None:
        raise Unbelievable(Reason.INCOMPLETE)
    # To Python, true is a number.
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unbelievable(Reason.NOT_A_NUMBER)
    believed = Decimal(value)
    if not believed.is_finite():
        raise Unbelievable(Reason.NOT_A_NUMBER)
    if believed < 0 and not signed:
        raise Unbelievable(Reason.NEGATIVE)
    # `abs` would round, and overflow.
    if believed.copy_abs() >= limit:
        raise Unbelievable(Reason.ABSURD)
    return believed


def rounded(value: object, step: Decimal, limit: Decimal, *, signed: bool = False) -> Decimal:
    """The same in steps, which a column can hold: rounding does not take it up to `limit` either."""
    believed = number(value, limit, signed=signed).quantize(step)
    return number(believed, limit, signed=signed)


def price(value: object) -> Decimal:
    """A price that can be stored."""
    believed = rounded(value, SMALLEST_PRICE, PRICE_LIMIT)
    if believed == 0:
        raise Unbelievable(Reason.ZERO)
    return believed


def moment(value: object) -> datetime:
    """A moment in ISO 8601, with its zone."""
    if value is None:
        raise Unbelievable(Reason.INCOMPLETE)
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None or at.tzinfo is None:
            raise Unbelievable(Reason.MALFORMED)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unbelievable(Reason.MALFORMED) from None


def share(value: object, limit: Decimal = Decimal(100), *, signed: bool = False) -> float | None:
    """A number for show, such as a score or a percentage; None if it is not there or not believed."""
    try:
        believed = number(value, limit + 1, signed=signed)
    except Unbelievable:
        return None
    return float(believed) if believed.copy_abs() <= limit else None


def count(value: object) -> int | None:
    """A count for show; None if it is not there or not believed."""
    try:
        return int(number(value, Decimal(2**53)))
    except Unbelievable:
        return None


def text(value: object, longest: int) -> str | None:
    """A trimmed line of printable text, not empty; None if it is anything else."""
    if not isinstance(value, str):
        return None
    trimmed = value.strip()
    return trimmed if 0 < len(trimmed) <= longest and trimmed.isprintable() else None


def _far(one: Decimal, other: Decimal) -> bool:
    return one * JUMP <= other or other * JUMP <= one
