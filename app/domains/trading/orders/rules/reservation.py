"""What an order keeps of its portfolio for what is left of it. Everything is a whole number, as the exchange has it."""

from typing import Final

from app.domains.trading.exchange.model import Side
from app.domains.trading.exchange.rules.rounding import COIN, PRICE_SCALE, converted_cost, paid

_BUFFER_PERCENT: Final = 2


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
    dollars = price_part + fee_for(price_part, taker_fee)
    return dollars if reserve_rate is None else converted_cost(dollars, reserve_rate)


def fee_for(dollars: int, fraction: int) -> int:
    """The fee on dollars, rounded up."""
    return -(-dollars * fraction // COIN)


def reserve_rate_at(price_usd: int, price_aud: int) -> int:
    """The rate at which a buy of a portfolio in Australian dollars reserves: that of the quote, and 2%, rounded up."""
    return -(-price_aud * PRICE_SCALE * (100 + _BUFFER_PERCENT) // (price_usd * 100))
