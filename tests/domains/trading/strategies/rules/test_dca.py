"""Dollar-cost averaging goes by time, and by nothing else."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.trading.strategies.model import Dca, DcaState, GridState, SignalType
from app.domains.trading.strategies.rules.dca import decide
from tests.domains.trading.strategies.windows import BEGIN, HELD, HOUR, priced

CONFIG = Dca(amount_usd=Decimal(25), every_candles=6)


def test_it_buys_at_the_first_candle_and_remembers_its_end() -> None:
    decision = decide(CONFIG, priced(100), (), None)
    assert decision.type is SignalType.BUY
    assert decision.confidence == 100
    assert decision.amount_usd == 25
    assert decision.state == DcaState(BEGIN)
    assert decision.reasoning == "It buys for $25 every 6 candles, now for the first time."


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (HOUR, SignalType.HOLD),
        (6 * HOUR - timedelta(seconds=1), SignalType.HOLD),
        (6 * HOUR, SignalType.BUY),
        (100 * HOUR, SignalType.BUY),
        (-HOUR, SignalType.HOLD),
    ],
)
def test_it_buys_again_once_so_many_candles_have_passed(passed: timedelta, expected: SignalType) -> None:
    # Of one candle: those between are missing, and count all the same.
    decision = decide(CONFIG, priced(100, BEGIN + passed), HELD, DcaState(BEGIN))
    assert decision.type is expected
    assert decision.state == DcaState(BEGIN + passed if expected is SignalType.BUY else BEGIN)
    assert decision.amount_usd == (25 if expected is SignalType.BUY else None)


@pytest.mark.parametrize("price", ["0.000000000001", "100", "100000000000"])
def test_the_price_does_not_matter_and_it_never_sells(price: str) -> None:
    assert decide(CONFIG, priced(price, BEGIN + 6 * HOUR), HELD, DcaState(BEGIN)).type is SignalType.BUY
    held = decide(CONFIG, priced(price, BEGIN + HOUR), HELD, DcaState(BEGIN))
    assert (held.type, held.confidence) == (SignalType.HOLD, 50)
    assert held.reasoning == "It decided to buy at 2025-10-14 00:00 UTC, and does again at 2025-10-14 06:00 UTC."


def test_the_state_of_another_strategy_is_none() -> None:
    assert decide(CONFIG, priced(100), (), GridState((Decimal(1),), Decimal(1))).type is SignalType.BUY
