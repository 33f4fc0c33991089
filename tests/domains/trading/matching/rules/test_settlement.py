"""What each outcome does to an order, its reservation and its portfolio."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import (
    Accepted,
    Cancelled,
    Changes,
    Expired,
    Filled,
    Liquidity,
    Reason,
    Refused,
    Rejected,
    Replaced,
    Rested,
    Traded,
    Triggered,
)
from app.domains.trading.exchange.rules.rounding import received
from app.domains.trading.journal.model import Account, Currency
from app.domains.trading.matching.model import Market, OrderRow, Replace
from app.domains.trading.matching.rules.settlement import terms_of
from app.domains.trading.matching.rules.working import Working
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, units_of
from tests.domains.trading.matching.rules.settler import AT, FIRST, MARKET, SECOND, Settler, order, trade

COINS, DOLLAR = COIN, PRICE_SCALE


def test_an_order_that_is_taken_on_keeps_its_quantity() -> None:
    settler = Settler([order(priority=None)])
    assert settler.settle(Accepted(FIRST, COINS)) == [settler.rows[0]]


def test_an_order_is_taken_on_for_less_than_it_asked_for() -> None:
    settler = Settler([order(side=Side.SELL, quantity="2", reserved="2", priority=None)], coins="2")
    settler.settle(Accepted(FIRST, COINS), Rested(FIRST, COINS, 7))
    assert (settler.row().quantity, settler.row().reserved, settler.row().priority) == (Decimal(1), Decimal(1), 7)
    assert settler.position == (Decimal(2), Decimal(1))


def test_an_amount_has_no_quantity_when_it_is_taken_on() -> None:
    settler = Settler([order(type="market", quote_amount="50", protection_price="105", priority=None)])
    settler.settle(Accepted(FIRST, None))
    assert (settler.row().quantity, settler.row().reserved) == (None, Decimal("50.1"))


def test_an_order_waits_with_its_turn() -> None:
    settler = Settler([order(priority=None)])
    settler.settle(Rested(FIRST, COINS, 7))
    assert (settler.row().priority, settler.row().status) == (7, "pending")
    assert settler.cash == (Decimal(10_000), Decimal("100.2"))


def test_a_stop_notes_when_it_was_triggered() -> None:
    settler = Settler([order(type="stop", stop_price="101", protection_price="106")])
    settler.settle(Triggered(FIRST, 101 * DOLLAR))
    assert (settler.row().triggered_at, settler.row().status) == (AT, "pending")


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Cancelled(FIRST, Reason.REQUESTED), "cancelled", "requested"),
        (Rejected(FIRST, Reason.TICK), "rejected", "tick"),
        (Expired(FIRST), "expired", "expired"),
    ],
)
def test_what_ends_releases_all_that_it_reserved(
    outcome: Cancelled | Rejected | Expired, status: str, reason: str
) -> None:
    settler = Settler([order(reserved_for_changes="5"), order(SECOND, price="50")])
    [row] = settler.settle(outcome)
    assert (row.status, row.reason, row.cancelled_at, row.filled_at) == (status, reason, AT, None)
    assert (row.reserved, row.reserved_for_changes) == (Decimal(0), Decimal(0))
    assert settler.cash == (Decimal(10_000), Decimal("50.1"))


def test_a_part_of_an_order_is_filled() -> None:
    settler = Settler([order()])
    [row] = settler.settle(trade("0.25"))
    assert (row.status, row.filled_quantity, row.filled_quote, row.fees) == (
        "partial",
        Decimal("0.25"),
        Decimal(25),
        Decimal("0.025"),
    )
    assert settler.cash == (Decimal("9974.975"), Decimal("75.15"))
    assert settler.position == (Decimal("0.25"), Decimal(0))
    [fill] = settler.settlement.fills
    assert (fill.liquidity, fill.counter_order_id, fill.fx_rate) == (Liquidity.MAKER, None, None)
    assert (fill.quote_bid, fill.quote_ask) == (Decimal(99), Decimal(101))


def test_an_order_is_filled() -> None:
    settler = Settler([order()])
    [row] = settler.settle(trade("0.25"), trade("0.75"), Filled(FIRST))
    assert (row.filled_quantity, row.filled_quote, row.fees) == (Decimal(1), Decimal(100), Decimal("0.1"))
    assert (row.status, row.reason, row.filled_at, row.cancelled_at) == ("filled", None, AT, None)
    assert settler.cash == (Decimal("9899.9"), Decimal(0))


def test_who_takes_pays_more_than_who_waits() -> None:
    buy, sell = order(priority=None), order(SECOND, side=Side.SELL, reserved="1")
    settler = Settler([buy, sell], coins="1")
    settler.settle(trade("1", taker=FIRST, maker=SECOND), Filled(SECOND), Filled(FIRST))
    assert (settler.row().fees, settler.row(SECOND).fees) == (Decimal("0.2"), Decimal("0.1"))
    taker, maker = settler.settlement.fills
    assert (taker.counter_order_id, maker.counter_order_id) == (SECOND, FIRST)
    assert taker.trade_id == maker.trade_id == settler.settlement.trades[0].id
    assert settler.position == (Decimal(1), Decimal(0))


def test_a_better_price_releases_what_is_not_paid() -> None:
    settler = Settler([order(priority=None)])
    settler.settle(trade("0.5", "90", taker=FIRST, maker=None), Rested(FIRST, COINS // 2, 3))
    assert settler.cash == (10_000 - 45 - Decimal("0.09"), Decimal("50.1"))


def test_what_is_refused_changes_nothing() -> None:
    settler = Settler([order()])
    assert settler.settle(Refused(FIRST, Reason.TICK)) == []


def test_a_refused_change_releases_what_it_reserved() -> None:
    settler = Settler([order(reserved_for_changes="5")])
    change = Replace("BTC", FIRST, Changes(quantity=2 * COINS), 5 * COIN)
    [row] = settler.settle(Refused(FIRST, Reason.TICK), command=change)
    assert (row.reserved, row.reserved_for_changes, row.quantity) == (Decimal("100.2"), Decimal(0), Decimal(1))
    assert settler.cash == (Decimal(10_000), Decimal("100.2"))


def test_a_change_passes_what_it_reserved_to_the_order() -> None:
    settler = Settler([order(reserved_for_changes="100.2")])
    change = Replace("BTC", FIRST, Changes(quantity=3 * COINS // 2, price=110 * DOLLAR), 10_020_000_000)
    [row] = settler.settle(Replaced(FIRST, 3 * COINS // 2, 3 * COINS // 2, 9), command=change)
    assert (row.quantity, row.price, row.priority) == (Decimal("1.5"), Decimal(110), 9)
    assert (row.reserved, row.reserved_for_changes) == (Decimal("165.33"), Decimal(0))
    assert settler.cash == (Decimal(10_000), Decimal("165.33"))


def test_a_change_keeps_what_another_one_reserved() -> None:
    settler = Settler([order(reserved_for_changes="7")])
    change = Replace("BTC", FIRST, Changes(price=101 * DOLLAR), 5 * COIN)
    [row] = settler.settle(Refused(FIRST, Reason.TICK), command=change)
    assert row.reserved_for_changes == 2
    assert settler.cash == (Decimal(10_000), Decimal("102.2"))


def test_a_change_sets_each_price_that_it_gives() -> None:
    stop = order(type="trailing_stop", trail_amount="1", protection_price="106")
    changes = Changes(trail_amount=2 * DOLLAR, protection_price=107 * DOLLAR)
    [row] = Settler([stop]).settle(Replaced(FIRST, COINS, COINS, 9), command=Replace("BTC", FIRST, changes))
    assert (row.trail_amount, row.protection_price, row.reserved) == (Decimal(2), Decimal(107), Decimal("107.214"))
    stop = order(type="trailing_stop", trail_fraction="0.1", protection_price="106")
    [row] = Settler([stop]).settle(
        Replaced(FIRST, COINS, COINS, 9), command=Replace("BTC", FIRST, Changes(trail_fraction=COIN // 5))
    )
    assert row.trail_fraction == Decimal("0.2")
    stop = order(type="stop", stop_price="101", protection_price="106")
    changes = Changes(stop_price=102 * DOLLAR)
    [row] = Settler([stop]).settle(Replaced(FIRST, COINS, COINS, 9), command=Replace("BTC", FIRST, changes))
    assert (row.stop_price, row.protection_price) == (Decimal(102), Decimal(106))


def test_what_changes_an_exit_by_its_bracket_leaves_its_price() -> None:
    exits = [order(side=Side.SELL, reserved="1"), order(SECOND)]
    change = Replace("BTC", SECOND, Changes(price=1))
    settler = Settler(exits, coins="1")
    settler.settle(Replaced(FIRST, COINS // 2, COINS // 2, 1, Reason.LINKED), command=change)
    assert (settler.row().quantity, settler.row().price) == (Decimal("0.5"), Decimal(100))


def test_nothing_is_traded_without_a_quote() -> None:
    with pytest.raises(ValueError, match="without a quote"):
        Settler([order()]).settle(trade("1"), market=None)


def test_a_purchase_by_amount_spends_no_more_and_releases_the_rest() -> None:
    settler = Settler([order(type="market", quote_amount="50", protection_price="105", priority=None)])
    bought = trade("0.49504950", "101", taker=FIRST, maker=None)
    [row] = settler.settle(Accepted(FIRST, None), bought, Filled(FIRST))
    # The fee is not rounded up beyond what the order needed less: 50.1 before, and 0.00000051 for what is left.
    assert (row.filled_quote, row.fees, row.reserved) == (Decimal("49.9999995"), Decimal("0.09999999"), Decimal(0))
    assert settler.cash == (10_000 - Decimal("50.09999949"), Decimal(0))


def test_a_sale_by_amount_reserves_what_it_may_sell() -> None:
    sale = order(type="market", side=Side.SELL, quote_amount="50", bound="2", reserved="2", priority=None)
    settler = Settler([sale], coins="2")
    settler.settle(Accepted(FIRST, None), trade("0.5", taker=FIRST, maker=None))
    assert settler.position == (Decimal("1.5"), Decimal("1.5"))
    settler = Settler([sale], coins="2")
    settler.settle(trade("0.5", taker=FIRST, maker=None), Filled(FIRST))
    assert settler.position == (Decimal("1.5"), Decimal(0))
    assert settler.cash == (10_000 + 50 - Decimal("0.1"), Decimal(0))


# Rounding and rates.


def test_each_side_is_rounded_against_its_portfolio() -> None:
    # 1 unit at 2.5 dollars a coin is 2.5 units of a dollar; the fees are parts of a unit.
    buy = order(price="2.5", priority=None, quantity="0.00000001")
    sell = order(SECOND, side=Side.SELL, reserved="1", price="2.5")
    settler = Settler([buy, sell], coins="1")
    settler.settle(trade("0.00000001", "2.5", taker=FIRST, maker=SECOND))
    unit = Decimal(1).scaleb(-8)
    assert (settler.row().filled_quote, settler.row(SECOND).filled_quote) == (3 * unit, 2 * unit)
    assert (settler.row().fees, settler.row(SECOND).fees) == (unit, unit)
    rounding = [
        line for _, entry in settler.settlement.entries for line in entry.lines if line.account is Account.ROUNDING
    ]
    assert [line.amount for line in rounding] == [1]


def test_a_sale_costs_no_more_than_it_brings() -> None:
    # A unit of a coin for less than a unit of a dollar brings nothing; a fee of more than everything takes all.
    sale = order(side=Side.SELL, reserved="1", price="0.5")
    settler = Settler([sale], coins="1")
    settler.settle(trade("0.00000001", "0.5"))
    assert (settler.row().filled_quote, settler.row().fees, settler.cash) == (
        Decimal(0),
        Decimal(0),
        (Decimal(10_000), Decimal(0)),
    )
    greedy = order(side=Side.SELL, reserved="1", maker_fee_fraction="1", taker_fee_fraction="1")
    settler = Settler([greedy], coins="1")
    settler.settle(trade("1"))
    assert (settler.row().fees, settler.cash) == (Decimal(100), (Decimal(10_000), Decimal(0)))


def test_beyond_the_buffer_the_rate_is_that_of_the_reservation() -> None:
    buy = order(currency="AUD", reserve_rate="1.53")
    assert buy.reserved == Decimal("153.306")
    settler = Settler([buy])
    settler.settle(trade("1"), Filled(FIRST), market=Market(MARKET.bid, MARKET.ask, 0, 2 * DOLLAR, "test"))
    [fill] = settler.settlement.fills
    assert (fill.fx_rate, fill.fx_source, fill.fx_at) == (Decimal("1.53"), "test", fill.quote_at)
    assert settler.cash == (10_000 - Decimal("153.153"), Decimal(0))


def test_within_the_buffer_the_rate_is_that_in_force() -> None:
    settler = Settler([order(currency="AUD", reserve_rate="1.53")])
    settler.settle(trade("1"), Filled(FIRST), market=Market(MARKET.bid, MARKET.ask, 0, 152 * DOLLAR // 100, "test"))
    assert settler.settlement.fills[0].fx_rate == Decimal("1.52")
    assert settler.cash == (10_000 - Decimal("152.152"), Decimal(0))


def test_a_sale_is_settled_at_the_rate_in_force_however_far_it_moved() -> None:
    settler = Settler([order(side=Side.SELL, reserved="1", currency="AUD")], coins="1")
    settler.settle(trade("1"), Filled(FIRST), market=Market(MARKET.bid, MARKET.ask, 0, 2 * DOLLAR, "test"))
    assert settler.cash == (10_000 + 200 - Decimal("0.2"), Decimal(0))


@pytest.mark.parametrize("currency", ["USD", "AUD"])
@pytest.mark.parametrize("price", ["0.333333333333", "1.5", "77.777777777777"])
def test_ten_thousand_tiny_fills_create_no_value(currency: str, price: str) -> None:
    """Bought and sold in the smallest parts at one price: nothing is left but less."""
    terms: dict[str, Any] = {"currency": currency, "price": price, "quantity": "0.0001"}
    rate: dict[str, Any] = {"reserve_rate": "1.53"} if currency == "AUD" else {}
    buy, sell = Working(order(**terms, **rate)), Working(order(SECOND, side=Side.SELL, **terms, reserved="0.0001"))
    reserved, worth = buy.need(), received(10_000, units_of(Decimal(price), PRICE_SCALE))
    spent = earned = 0
    traded = Traded(None, FIRST, Side.SELL, units_of(Decimal(price), PRICE_SCALE), 1)
    for _ in range(10_000):
        before, terms_of_buy = buy.need(), terms_of(buy, Currency(currency), MARKET, Liquidity.MAKER, traded)
        buy.fill(1, terms_of_buy.quote, terms_of_buy.fee)
        paid = terms_of_buy.quote + terms_of_buy.fee if terms_of_buy.debit is None else terms_of_buy.debit
        assert paid <= before - buy.need()
        spent += paid
        terms_of_sale = terms_of(sell, Currency(currency), MARKET, Liquidity.MAKER, traded)
        sell.fill(1, terms_of_sale.quote, terms_of_sale.fee)
        dollars = terms_of_sale.quote - terms_of_sale.fee
        earned += dollars if currency == "USD" else dollars * MARKET.rate // PRICE_SCALE
    in_currency = worth if currency == "USD" else worth * MARKET.rate // PRICE_SCALE
    assert earned <= in_currency <= spent <= reserved


@given(
    st.integers(1, 10**13),
    st.integers(1, 10**16),
    st.fractions(0, 1),
    st.fractions(0, 1),
    st.sampled_from(Liquidity),
    st.none() | st.tuples(st.integers(10**11, 10**13), st.integers(10**11, 10**13)),
)
def test_a_purchase_takes_no_more_than_it_releases_and_no_less_than_it_is_worth(  # noqa: PLR0917
    left: int, worst: int, share: float, better: float, liquidity: Liquidity, rates: tuple[int, int] | None
) -> None:
    quantity, price = max(1, int(left * share)), max(1, int(worst * better))
    currency = Currency.USD if rates is None else Currency.AUD
    given: dict[str, Any] = {} if rates is None else {"currency": "AUD", "reserve_rate": Decimal(rates[0]).scaleb(-12)}
    row: OrderRow = order(quantity=Decimal(left).scaleb(-8), price=Decimal(worst).scaleb(-12), **given)
    market = MARKET if rates is None else Market(MARKET.bid, MARKET.ask, 0, rates[1], "test")
    buy, traded = Working(row), Traded(None, FIRST, Side.SELL, price, quantity)
    terms, before = terms_of(buy, currency, market, liquidity, traded), buy.need()
    buy.fill(quantity, terms.quote, terms.fee)
    paid = terms.quote + terms.fee if terms.debit is None else terms.debit
    assert paid <= before - buy.need()
    assert received(quantity, price) <= terms.quote
    if rates is not None:
        assert terms.fx_rate == min(rates)
        assert (terms.quote + terms.fee) * min(rates) // PRICE_SCALE <= paid


def test_ids_of_entries_and_fills_are_those_given() -> None:
    settler = Settler([order()])
    settler.settle(trade("0.5"), trade("0.5"), Filled(FIRST))
    entries = [(id, entry.fill_id, entry.order_id) for id, entry in settler.settlement.entries]
    assert entries == [(each.entry_id, each.id, FIRST) for each in settler.settlement.fills]
    assert len({id for id, _, _ in entries}) == 2
    assert all(isinstance(fill, UUID) for _, fill, _ in entries)
