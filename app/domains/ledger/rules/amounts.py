"""Coins and base units. One coin is 100,000,000 base units; every rule counts in base units."""

from decimal import Context, Decimal

COIN = 100_000_000
DECIMALS = 8
MAX_MONEY_UNITS = 21_000_000 * COIN

# Our own context: the caller's may have a smaller precision and would silently round.
_EXACT = Context(prec=64)


class InvalidAmount(ValueError):
    """The value is not an amount of coins."""


class NotFinite(InvalidAmount):
    """An amount must be a finite number."""


class NegativeAmount(InvalidAmount):
    """An amount must not be negative."""


class TooManyDecimals(InvalidAmount):
    """An amount has at most 8 decimals."""


class AmountTooLarge(InvalidAmount):
    """An amount is at most 21,000,000 coins."""


def to_units(coins: Decimal) -> int:
    """Returns base units. Raises InvalidAmount. Zeros after the eighth decimal are accepted."""
    if not coins.is_finite():
        raise NotFinite(f"an amount must be a finite number, not {coins}")
    if coins < 0:
        raise NegativeAmount(f"an amount must not be negative: {coins}")
    if coins > MAX_MONEY_UNITS // COIN:
        raise AmountTooLarge(f"an amount is at most {MAX_MONEY_UNITS // COIN:,} coins")
    if not coins:
        return 0
    # Computed from the digits: arithmetic would round a coefficient longer than the context's precision.
    _, digits, exponent = coins.as_tuple()
    assert isinstance(exponent, int)  # only NaN and the infinities have a letter here
    surplus = -DECIMALS - exponent
    if surplus > 0:
        if any(digits[-surplus:]):
            raise TooManyDecimals(f"an amount has at most {DECIMALS} decimals")
        digits, surplus = digits[:-surplus], 0
    return int("".join(map(str, digits))) * int(10**-surplus)


def to_coins(units: int) -> Decimal:
    """Returns coins, always with eight decimals. Negative units are allowed: they are differences."""
    return Decimal(units).scaleb(-DECIMALS, context=_EXACT)
