"""Arbitrage at and around its differences, which are exact."""

from decimal import Decimal

import msgspec
import pytest

from app.domains.trading.strategies.model import Arbitrage, Decision, Entry, ExchangePrice, SignalType
from app.domains.trading.strategies.rules.arbitrage import decide
from tests.domains.trading.strategies.windows import HELD, priced

BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD


def at(price: str, bid: str, held: tuple[Entry, ...] = ()) -> Decision:
    other = ExchangePrice("other", Decimal(bid), Decimal(bid) * 2)
    return decide(Arbitrage(), msgspec.structs.replace(priced(price), elsewhere=other), held, None)


@pytest.mark.parametrize(
    ("price", "bid", "expected"),
    [
        ("100", "100.499999999999", HOLD),
        ("100", "100.5", BUY),
        ("100", "100.500000000001", BUY),
        ("0.3", "0.301499999999", HOLD),
        ("0.3", "0.3015", BUY),
        ("100", "50", HOLD),
        ("0.000000000001", "0.000000000002", BUY),
        ("999999999999.999999999999", "1", HOLD),
    ],
)
def test_it_buys_where_the_other_pays_more(price: str, bid: str, expected: SignalType) -> None:
    assert at(price, bid).type is expected


@pytest.mark.parametrize(
    ("price", "bid", "expected"),
    [
        ("100", "100.100000000001", HOLD),
        ("100", "100.1", HOLD),
        ("100", "100.099999999999", SELL),
        ("0.3", "0.3003", HOLD),
        ("0.3", "0.300299999999", SELL),
        ("100", "100.5", HOLD),
        ("100", "99", SELL),
    ],
)
def test_it_sells_once_the_gap_has_closed(price: str, bid: str, expected: SignalType) -> None:
    assert at(price, bid, HELD).type is expected


@pytest.mark.parametrize("held", [(), HELD])
def test_where_only_one_exchange_quotes_it_holds_and_says_so(held: tuple[Entry, ...]) -> None:
    decision = decide(Arbitrage(), priced(100), held, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert decision.reasoning == "Only one exchange quotes BTC, and arbitrage needs two."


def test_confidence_words_and_indicators() -> None:
    bought = at("100", "101")
    # One entry spread beyond the entry spread.
    assert bought.confidence == 75
    assert bought.reasoning == "other pays $101, 1% above the price of $100 here, at least 0.5%."
    assert bought.indicators == {"price": 100, "elsewhereBid": 101, "elsewhereAsk": 202, "differencePercentage": 1}
    sold = at("100", "99.9", HELD)
    # Two exit spreads below the exit spread: 100 - 50 / 3.
    assert sold.confidence == 83
    assert sold.reasoning == "other pays $99.9, 0.1% below the price of $100 here; the gap is less than 0.1%."
