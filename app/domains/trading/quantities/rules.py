"""Whole numbers of the smallest units, and milliseconds: exact, whatever the arithmetic."""

from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from typing import Final

UNIT_DECIMALS: Final = 8
COIN: Final = 10**UNIT_DECIMALS
"""The units of a coin, of a dollar or another currency, and of the fraction one. The lot is one unit."""
PRICE_SCALE: Final = 10**12
"""The units of a price of one dollar, and of a rate of one."""
_EXACT: Final = Context(prec=200, traps=[Inexact])
"""More digits than any column has. The context of the thread would round to 28."""
_product: Final = _EXACT.multiply
_integer: Final = _EXACT.to_integral_exact
_PER_ONE: Final = {scale: Decimal(scale) for scale in (COIN, PRICE_SCALE)}
_OF_ONE: Final = {scale: Decimal((0, (1,), 1 - len(str(scale)))) for scale in (COIN, PRICE_SCALE)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def units_of(value: Decimal, scale: int = COIN) -> int:
    """The units of a value. Raises ValueError if it has a fraction of a unit, or is not a number."""
    if not value:
        # Most of what an order has is nothing.
        return 0
    try:
        return int(_integer(_product(value, _PER_ONE[scale])))
    except Inexact:
        raise ValueError(f"{value} has a fraction of a unit") from None
    except (ValueError, OverflowError):
        raise ValueError(f"{value} is not a number") from None


def decimal_of(units: int, scale: int = COIN) -> Decimal:
    """The value of units, exactly."""
    return _product(units, _OF_ONE[scale])


def ms_of(moment: datetime) -> int:
    """A moment in milliseconds since 1970."""
    # Not by `timestamp()`, which is a float.
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def moment_of(ms: int) -> datetime:
    """The moment of so many milliseconds since 1970."""
    return _EPOCH + ms * _MS
