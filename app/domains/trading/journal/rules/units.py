"""Whole numbers of the smallest units: exact, whatever the arithmetic."""

from decimal import Decimal

from app.domains.trading.journal.model import PRICE_DECIMALS, UNIT_DECIMALS


def units_of(amount: Decimal) -> int:
    """The amount in units of 1e-8. Raises ValueError if it is no whole number of them."""
    return _whole(amount, UNIT_DECIMALS)


def price_units_of(price: Decimal) -> int:
    """The price or rate in units of 1e-12. Raises ValueError if it is no whole number of them."""
    return _whole(price, PRICE_DECIMALS)


def amount_of(units: int) -> Decimal:
    """The amount of so many units of 1e-8."""
    # From its digits: arithmetic with Decimals would round to the context.
    return Decimal(f"{units}E-{UNIT_DECIMALS}")


def _whole(number: Decimal, decimals: int) -> int:
    if not number.is_finite():
        raise ValueError(f"{number} is no number")
    numerator, denominator = number.as_integer_ratio()
    scale: int = 10**decimals
    units, rest = divmod(numerator * scale, denominator)
    if rest:
        raise ValueError(f"{number} has more than {decimals} decimals")
    return units
