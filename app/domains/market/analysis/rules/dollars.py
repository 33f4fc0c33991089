"""Converting the floats of rules to the Decimals that are shown."""

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
    """Returns dollars with 12 significant digits and at most 18 decimals: more is rounding noise. Null stays null."""
    if value is None:
        return None
    rounded = Decimal(f"{value:.12g}")
    exponent = rounded.as_tuple().exponent
    assert isinstance(exponent, int)  # rules return finite numbers only
    return (rounded.quantize(_SMALLEST) if exponent < -18 else rounded) or Decimal(0)


def moment(time_s: int) -> datetime:
    """Returns the time that is this many seconds after 1970."""
    return datetime.fromtimestamp(time_s, UTC)
