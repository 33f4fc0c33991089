"""Rows as the exchange takes them."""

import pytest

from app.domains.trading.exchange.model import Changes
from app.domains.trading.matching.rules.records import changes_of, order_of
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE
from tests.domains.trading.matching.rules.settler import BRACKET, order


@pytest.mark.parametrize("role", ["take_profit", "stop_loss"])
def test_an_exit_sells_however_little_its_entry_bought_and_is_linked(role: str) -> None:
    exit = order_of(order(side=Side.SELL, reserved="1", bracket_id=BRACKET, bracket_role=role))
    assert (exit.sells_all, exit.link) == (True, BRACKET)


def test_an_entry_is_not_linked() -> None:
    entry = order_of(order(bracket_id=BRACKET, bracket_role="entry"))
    assert (entry.sells_all, entry.link) == (False, None)


def test_each_change_is_in_the_units_of_what_it_changes() -> None:
    prices = {"price": "2", "stop_price": "3", "trail_amount": "4", "protection_price": "5"}
    assert changes_of({"quantity": "1.5", "trail_fraction": "0.25", **prices}) == Changes(
        quantity=3 * COIN // 2,
        trail_fraction=COIN // 4,
        price=2 * PRICE_SCALE,
        stop_price=3 * PRICE_SCALE,
        trail_amount=4 * PRICE_SCALE,
        protection_price=5 * PRICE_SCALE,
    )
