"""Performance against what empyrical and pyxirr say of the same histories (`references.py`). To 1e-9 of the value."""

import json
from typing import Any

import pytest

from app.domains.trading.performance.rules.history import history_of
from app.domains.trading.performance.rules.money_weighted import money_weighted_return
from app.domains.trading.performance.rules.performance import performance
from tests.domains.trading.performance.rules.histories import YEAR, flow, point, points
from tests.domains.trading.performance.rules.references import FILE, RISK_FREE_RATE

CLOSE_TO = 1e-9
RECORDED = json.loads(FILE.read_text())


@pytest.mark.parametrize("walk", RECORDED["walks"], ids=lambda walk: walk["name"])
def test_returns_and_ratios_are_those_of_empyrical(walk: dict[str, Any]) -> None:
    history = history_of(points(walk["values"]))
    free = performance(history, YEAR)
    over = performance(history, YEAR, risk_free_rate=RISK_FREE_RATE)
    assert free.max_drawdown is not None
    found = {
        "return": free.time_weighted_return,
        "max_drawdown": free.max_drawdown.depth,
        "volatility": free.volatility,
        "sharpe": free.sharpe,
        "sharpe_over_free": over.sharpe,
        "sortino": free.sortino,
        "sortino_over_free": over.sortino,
    }
    for name, expected in walk["found"].items():
        assert found[name] == (None if expected is None else pytest.approx(expected, rel=CLOSE_TO)), name
    assert free.daily_returns == len(walk["values"]) - 1
    assert (over.volatility, over.risk_free_rate) == (free.volatility, RISK_FREE_RATE)


@pytest.mark.parametrize("case", RECORDED["rates"], ids=lambda case: f"{case['days']} days, {len(case['flows'])} flows")
def test_the_money_weighted_return_is_that_of_pyxirr(case: dict[str, Any]) -> None:
    days = case["days"]
    values = [point(0, case["opening"]), point(days, case["closing"])]
    found = money_weighted_return(values, [flow(at, amount) for at, amount in case["flows"]])
    assert found is not None
    assert (1 + found) ** (365 / days) - 1 == pytest.approx(case["xirr"], rel=1e-7)


def test_what_is_recorded_covers_gains_losses_and_what_is_undefined() -> None:
    found = [walk["found"] for walk in RECORDED["walks"]]
    assert {each["return"] > 0 for each in found} == {each["sortino"] is None for each in found} == {True, False}
    assert {case["xirr"] > 0 for case in RECORDED["rates"]} == {True, False}
    assert {amount > 0 for case in RECORDED["rates"] for _, amount in case["flows"]} == {True, False}
