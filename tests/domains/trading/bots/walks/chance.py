"""What is drawn of the decisions."""

from random import Random
from typing import Any

import pytest

from app.domains.trading.bots.rules.deciding import Decided
from app.domains.trading.bots.rules.deciding import decided as decided_by_rules
from app.domains.trading.bots.services import runner as runner_module
from app.domains.trading.strategies.model import Decision, SignalType

SHARES = {SignalType.BUY: 4, SignalType.SELL: 2, SignalType.HOLD: 3}


def draw_decisions(patch: pytest.MonkeyPatch) -> None:
    """What a Momentum decides is drawn; every worker draws the same for a candle."""

    def decided(due: Any, candles: Any, held: Any, *given: Any) -> Decided | None:
        interval, closed_at, _ = given
        if due.config["type"] != "momentum":
            return decided_by_rules(due, candles, held, *given)
        last = candles[-1] if candles else None
        if last is None or last.opened_at + interval.length != closed_at:
            return None
        chance = Random(f"{due.config['period']} {due.symbol} {closed_at}")
        [kind] = chance.choices(list(SHARES), list(SHARES.values()))
        return Decided(due, Decision(type=kind, confidence=50, reasoning="Drawn."), tuple(held), last.close)

    patch.setattr(runner_module, "decided", decided)
