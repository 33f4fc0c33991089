"""What an open order has to reserve, in units."""

from app.domains.trading.exchange.model import Side
from app.domains.trading.exchange.rules.rounding import COIN, converted_cost, paid


def need(
    side: Side, left: int, *, worst_price: int, amount: int | None, taker_fee: int, reserve_rate: int | None
) -> int:
    """Coins for a sale; for a buy cash in the currency of the portfolio."""
    if side is Side.SELL:
        return left
    price = paid(left, worst_price) if amount is None else amount
    dollars = price + -(-price * taker_fee // COIN)
    return dollars if reserve_rate is None else converted_cost(dollars, reserve_rate)
