"""Every bound of every field, and how fields fit each other."""

from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
import pytest

from app.domains.trading.strategies.model import (
    BOUNDS,
    MAX_PERIOD,
    WINDOW_CANDLES,
    Arbitrage,
    Breakout,
    Config,
    Dca,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
    Scalping,
    TrendFollowing,
)
from app.domains.trading.strategies.rules.configuration import check_config
from app.kit.errors import InvalidInput
from tests.domains.trading.strategies.configs import KINDS, candles_needed, is_accepted

# The bounds as the reference states them: least, most, and the step between two values.
PERIOD = (2, 100, 1)
PERCENTAGE = ("0.01", "50", "0.0001")
PRICE = ("0.000000000001", "999999999999.999999999999", "0.000000000001")
STATED: dict[type[Config], dict[str, tuple[int | str, int | str, int | str]]] = {
    Dca: {"amount_usd": ("1", "1000000", "0.00000001"), "every_candles": (1, 43_200, 1)},
    Grid: {"lower_price": PRICE, "upper_price": PRICE, "range_percentage": PERCENTAGE, "levels": (2, 50, 1)},
    Momentum: {
        "period": PERIOD,
        "threshold_percentage": PERCENTAGE,
        "rsi_period": PERIOD,
        "overbought": ("50", "99", "0.0001"),
    },
    MeanReversion: {
        "period": PERIOD,
        "deviations": ("0.5", "5", "0.0001"),
        "rsi_period": PERIOD,
        "oversold": ("1", "50", "0.0001"),
    },
    Scalping: {"fast_period": PERIOD, "slow_period": PERIOD, "volume_ratio": ("0.1", "20", "0.0001")},
    Arbitrage: {"entry_spread_percentage": PERCENTAGE, "exit_spread_percentage": PERCENTAGE},
    TrendFollowing: {
        "fast_period": PERIOD,
        "slow_period": PERIOD,
        "adx_period": PERIOD,
        "least_adx": ("1", "99", "0.0001"),
    },
    Breakout: {
        "entry_period": PERIOD,
        "exit_period": PERIOD,
        "atr_period": PERIOD,
        "least_atr_percentage": PERCENTAGE,
    },
    PatternRecognition: {"least_strength": (1, 200, 1), "trend_period": PERIOD},
}
FIELDS = [(kind, name) for kind, fields in STATED.items() for name in fields]


def faults(config: Config) -> dict[str, str]:
    """What is wrong, by field."""
    try:
        check_config(config)
    except InvalidInput as refused:
        return {field: message for (field,), message in refused.fields}
    return {}


def named(kind: type[Config], name: str, value: object) -> str | None:
    """What is wrong with a value of a field that is out of bounds or not; null where it is only how it fits another."""
    message = faults(msgspec.structs.replace(kind(), **{name: value})).get(name)
    return message if message and message.startswith(("It must", "It can")) else None


def number(kind: type[Config], name: str, value: int | str) -> Any:
    return value if get_type_hints(kind)[name] is int else Decimal(value)


def test_every_field_of_every_strategy_is_bounded() -> None:
    assert set(STATED) == set(BOUNDS) == set(KINDS)
    for kind in KINDS:
        assert set(STATED[kind]) == set(BOUNDS[kind]) == set(kind.__struct_fields__)


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_accepted(kind: type[Config]) -> None:
    check_config(kind())


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_field_is_within_its_bounds(kind: type[Config], name: str) -> None:
    least, most, step = (number(kind, name, each) for each in STATED[kind][name])
    assert named(kind, name, least) is None
    assert named(kind, name, most) is None
    expected = f"It must be from {Decimal(least):,f} to {Decimal(most):,f}."
    for refused in (least - step, most + step, 0, -1, 10**400):
        assert named(kind, name, type(least)(refused)) == expected, refused


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name in FIELDS if get_type_hints(kind)[name] is not int]
)
def test_a_number_is_finite_and_has_so_many_decimals(kind: type[Config], name: str) -> None:
    least, _, step = STATED[kind][name]
    for refused in ("NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e-999999"):
        message = named(kind, name, Decimal(refused))
        assert message is not None, refused
        assert message.startswith("It must be from "), refused
    value = Decimal(least) + 2 * Decimal(step)
    decimals = -Decimal(step).normalize().as_tuple().exponent  # type: ignore[operator]
    assert named(kind, name, value) is None
    assert named(kind, name, Decimal(f"{value:f}000")) is None
    assert named(kind, name, value + Decimal(step) / 10) == f"It can have at most {decimals} decimals."


def test_all_fields_that_are_wrong_are_named_at_once() -> None:
    config = Momentum(period=1, threshold_percentage=Decimal("NaN"), rsi_period=101, overbought=Decimal("80.12345"))
    assert list(faults(config)) == ["period", "threshold_percentage", "rsi_period", "overbought"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (Scalping(fast_period=13, slow_period=13), "fast_period"),
        (Scalping(fast_period=12, slow_period=13), None),
        (TrendFollowing(fast_period=50, slow_period=50), "fast_period"),
        (TrendFollowing(fast_period=49, slow_period=50), None),
        (Breakout(entry_period=10, exit_period=11), "exit_period"),
        (Breakout(entry_period=10, exit_period=10), None),
        (Arbitrage(entry_spread_percentage=Decimal("0.1")), "exit_spread_percentage"),
        (Arbitrage(entry_spread_percentage=Decimal("0.1001")), None),
        # No close of five is more than two deviations away.
        (MeanReversion(period=5, deviations=Decimal(2)), "deviations"),
        (MeanReversion(period=5, deviations=Decimal("1.9999")), None),
        (MeanReversion(period=6, deviations=Decimal(2)), None),
        (Grid(lower_price=Decimal(5)), "upper_price"),
        (Grid(upper_price=Decimal(5)), "lower_price"),
        (Grid(lower_price=Decimal(5), upper_price=Decimal(5)), "lower_price"),
        (Grid(lower_price=Decimal(6), upper_price=Decimal(5)), "lower_price"),
        (Grid(lower_price=Decimal(5), upper_price=Decimal(6)), None),
        # 0.1 % twice is 0.2001 %.
        (Grid(lower_price=Decimal(1000), upper_price=Decimal("1002.001"), levels=3), None),
        (Grid(lower_price=Decimal(1000), upper_price=Decimal("1002.0009"), levels=3), "levels"),
        # 2 % below and above are 4.08 % together: 40 steps.
        (Grid(range_percentage=Decimal(2), levels=41), None),
        (Grid(range_percentage=Decimal(2), levels=42), "levels"),
    ],
)
def test_fields_fit_each_other(config: Config, field: str | None) -> None:
    assert list(faults(config)) == ([] if field is None else [field])
    assert is_accepted(config) == (field is None)


def test_the_longest_periods_fit_the_window() -> None:
    periods = {kind: [name for name in kind.__struct_fields__ if name.endswith("period")] for kind in KINDS}
    needed = {
        kind: candles_needed(msgspec.structs.replace(kind(), **dict.fromkeys(names, MAX_PERIOD)))
        for kind, names in periods.items()
    }
    assert max(needed.values()) == needed[TrendFollowing] == WINDOW_CANDLES
