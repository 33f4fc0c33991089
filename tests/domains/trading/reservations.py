"""What portfolios keep for their orders."""

from decimal import Decimal
from typing import Any

from app.domains.trading.orders.rules.reservation import need
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of
from tests.databases import Owner

WRONG_CASH = """
SELECT b.portfolio_id, b.reserved, coalesce(o.reserved, 0) AS needed FROM cash_balances b
LEFT JOIN (SELECT portfolio_id, sum(reserved + reserved_for_changes) AS reserved FROM orders
    WHERE side = 'buy' GROUP BY 1) o USING (portfolio_id) WHERE b.reserved <> coalesce(o.reserved, 0)
"""
WRONG_POSITIONS = """
SELECT h.portfolio_id, h.symbol, h.reserved, coalesce(o.reserved, 0) AS needed FROM positions h
LEFT JOIN (SELECT portfolio_id, symbol, sum(reserved) AS reserved FROM orders
    WHERE side = 'sell' GROUP BY 1, 2) o USING (portfolio_id, symbol)
WHERE h.reserved <> coalesce(o.reserved, 0)
"""


def needed_by(row: Any) -> Decimal:
    """What an order of this row reserves while nothing of it is filled."""
    price = row.get("price") or row.get("protection_price")
    amount, rate = row.get("quote_amount"), row.get("reserve_rate")
    left = row["quantity"] if row.get("quantity") is not None else row.get("bound") or Decimal(0)
    return decimal_of(
        need(
            row["side"],
            units_of(left),
            worst_price=None if price is None else units_of(price, PRICE_SCALE),
            amount=None if amount is None else units_of(amount),
            taker_fee=units_of(row["taker_fee_fraction"]),
            reserve_rate=None if rate is None else units_of(rate, PRICE_SCALE),
        )
    )


async def check_reservations(owner: Owner) -> None:
    """What is reserved is what orders have reserved, and open orders outside of brackets have what their rest needs."""
    assert await owner.fetch(WRONG_CASH) == []
    assert await owner.fetch(WRONG_POSITIONS) == []
    for row in await owner.fetch(
        "SELECT * FROM orders WHERE status IN ('pending', 'partial') AND type = 'limit' AND bracket_id IS NULL"
    ):
        rest = {**row, "side": Side(row["side"]), "quantity": row["quantity"] - row["filled_quantity"]}
        assert row["reserved"] == needed_by(rest), row
