"""From the floats that rules reckon in to the Decimals that are shown."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import overload

_SMALLEST = Decimal("1E-18")


@overload
def dollars(value: float) -> Decimal: ...
@overload
def dollars(value: None) -> None: ...
@overload
def dollars(value: float | None) -> Decimal | None: ...
def dollars(value: float | None) -> Decimal | None:
    """Dollars with 12 significant digits and at most 18 decimals: more is the noise of floats. Null stays null."""
    if value is None:
        return None
    rounded = Decimal(f"{value:.12g}")
    exponent = rounded.as_tuple().exponent
    assert isinstance(exponent, int)  # a rule hands out finite numbers only
    return (rounded.quantize(_SMALLEST) if exponent < -18 else rounded) or Decimal(0)


def moment(time_s: int) -> datetime:
    """The moment that is so many seconds after 1970."""
    return datetime.fromtimestamp(time_s, UTC)
