"""What an order keeps of its portfolio for what is left of it. Everything is a whole number, as the exchange has it."""

from typing import Final

from app.domains.trading.exchange.rules.fees import fee_at
from app.domains.trading.exchange.rules.rounding import converted_cost, paid
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE

_BUFFER_PERCENT: Final = 2
_ROUNDED: Final = 4
"""By how many units of a dollar the needs of two orders differ more, at most, when less is left of both: the price and
the fee of each are rounded up."""


def need(
    side: Side,
    left: int,
    *,
    worst_price: int | None,
    amount: int | None,
    taker_fee: int,
    reserve_rate: int | None,
) -> int:
    """What is reserved for `left` coins: coins of a sell, cash in the currency of the portfolio of a buy.

    A buy reserves what it costs at its worst price (its limit, or its protection price), or the dollars that are left
    of its amount, and the taker's fee on that. `taker_fee` is in units of 1e-8. `reserve_rate` is the currency for one
    dollar in units of 1e-12; None: dollars. Nothing is needed for what is filled.
    """
    if side is Side.SELL:
        return left
    if amount is not None:
        price_part = amount
    else:
        assert worst_price is not None, "a buy has a worst price"
        price_part = paid(left, worst_price)
    dollars = price_part + fee_at(taker_fee, price_part)
    return dollars if reserve_rate is None else converted_cost(dollars, reserve_rate)


def reserve_rate_at(price_usd: int, price_aud: int) -> int:
    """The rate at which a buy of a portfolio in Australian dollars reserves: that of the quote, and 2%, rounded up."""
    return -(-price_aud * PRICE_SCALE * (100 + _BUFFER_PERCENT) // (price_usd * 100))


def extra_for_change(
    *,
    left: int,
    worst_price: int,
    new_left: int,
    new_worst_price: int,
    taker_fee: int,
    reserve_rate: int | None,
) -> int:
    """What a changed buy may need beyond what the unchanged one has, whatever of it is filled until that is decided.

    `left` and `new_left` are what was left, and would have been, when the change was asked for.
    """
    if new_left <= left and new_worst_price <= worst_price:
        return 0

    def needed(units: int, worst: int) -> int:
        return need(Side.BUY, units, worst_price=worst, amount=None, taker_fee=taker_fee, reserve_rate=reserve_rate)

    # Linear but for rounding, so that the most is at an end: nothing is filled, or all of it.
    more = needed(new_left, new_worst_price) - needed(left, worst_price)
    more = max(0, more, needed(max(0, new_left - left), new_worst_price))
    return more + (_ROUNDED if reserve_rate is None else converted_cost(_ROUNDED, reserve_rate) + 2)
