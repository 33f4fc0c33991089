"""Records `references.json`: what empyrical and pyxirr make of some histories. The tests compare with it.

They are no dependencies: empyrical needs packages without wheels. It is run by hand, from the root of the repository:

    uv run --no-project --with empyrical-reloaded==0.7.1 --with pyxirr==0.10.8 \
        python tests/domains/trading/performance/rules/references.py
"""

import importlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("references.json")
FIRST_DAY = date(2025, 1, 1)
RISK_FREE_RATE = 0.04


def paths() -> Iterator[tuple[str, list[float]]]:
    """Daily returns."""
    chance = np.random.default_rng(12)
    yield "a year of fat tails", np.clip(chance.standard_t(3, 365) * 0.03, -0.6, 0.6).tolist()
    yield "a month", chance.normal(0.002, 0.02, 31).tolist()
    yield "a week", chance.normal(-0.01, 0.05, 7).tolist()
    yield "all losses", (-np.abs(chance.normal(0, 0.03, 60))).tolist()
    yield "all gains", np.abs(chance.normal(0, 0.03, 60)).tolist()
    yield "two days", [0.1, -0.05]


def measured(empyrical: Any, pandas: Any, values: list[float]) -> dict[str, float]:
    returns = pandas.Series(np.diff(values) / values[:-1], index=pandas.date_range(FIRST_DAY, periods=len(values) - 1))
    free = (1 + RISK_FREE_RATE) ** (1 / 365) - 1
    return {
        "return": empyrical.cum_returns_final(returns),
        "max_drawdown": -empyrical.max_drawdown(returns),
        "volatility": empyrical.annual_volatility(returns, annualization=365),
        "sharpe": empyrical.sharpe_ratio(returns, annualization=365),
        "sharpe_over_free": empyrical.sharpe_ratio(returns, risk_free=free, annualization=365),
        "sortino": empyrical.sortino_ratio(returns, annualization=365),
        "sortino_over_free": empyrical.sortino_ratio(returns, required_return=free, annualization=365),
    }


def payments() -> Iterator[tuple[float, list[tuple[int, float]], int, float]]:
    """Opening value, flows with their days, the last day, closing value."""
    chance = np.random.default_rng(13)
    for days in (7, 31, 365):
        for flows in (0, 1, 5):
            when = sorted(chance.choice(np.arange(1, days), flows, replace=False).tolist())
            amounts = chance.uniform(-800, 3000, flows).round(2).tolist()
            closing = round(float(10_000 + sum(amounts)) * float(chance.uniform(0.85, 1.2)), 2)
            yield 10_000.0, list(zip(when, amounts, strict=True)), days, closing


def annual_rate(pyxirr: Any, opening: float, flows: list[tuple[int, float]], days: int, closing: float) -> float:
    dated = [(0, -opening), *((day, -amount) for day, amount in flows), (days, closing)]
    return float(pyxirr.xirr([(FIRST_DAY + timedelta(days=day), amount) for day, amount in dated]))


def record() -> None:
    empyrical, pandas, pyxirr = (importlib.import_module(name) for name in ("empyrical", "pandas", "pyxirr"))
    walks = []
    for name, returns in paths():
        values = (10_000 * np.cumprod([1.0, *(1 + np.array(returns))])).round(8).tolist()
        found = {key: float(value) for key, value in measured(empyrical, pandas, values).items()}
        defined = {key: value if np.isfinite(value) else None for key, value in found.items()}
        walks.append({"name": name, "values": values, "found": defined})
    rates = [
        {
            "opening": opening,
            "flows": flows,
            "days": days,
            "closing": closing,
            "xirr": annual_rate(pyxirr, opening, flows, days, closing),
        }
        for opening, flows, days, closing in payments()
    ]
    FILE.write_text(json.dumps({"walks": walks, "rates": rates}, indent=1) + "\n")


if __name__ == "__main__":
    record()
