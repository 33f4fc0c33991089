"""Rows as the exchange takes them."""

import pytest

from app.domains.trading.matching.rules.records import order_of
from app.domains.trading.quantities.model import Side
from tests.domains.trading.matching.rules.settler import BRACKET, order


@pytest.mark.parametrize("role", ["take_profit", "stop_loss"])
def test_an_exit_sells_however_little_its_entry_bought_and_is_linked(role: str) -> None:
    exit = order_of(order(side=Side.SELL, reserved="1", bracket_id=BRACKET, bracket_role=role))
    assert (exit.sells_all, exit.link) == (True, BRACKET)


def test_an_entry_is_not_linked() -> None:
    entry = order_of(order(bracket_id=BRACKET, bracket_role="entry"))
    assert (entry.sells_all, entry.link) == (False, None)
