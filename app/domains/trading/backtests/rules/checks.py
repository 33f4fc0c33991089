"""Whether a back-test or a sweep can be asked for, and which runs a sweep has. Nothing here depends on candles."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Final

import msgspec

from app.domains.trading.backtests.model import (
    MAX_AXES,
    MAX_CASH_USD,
    MAX_RUNS,
    MIN_CASH_USD,
    Asked,
    AskedSweep,
    Axis,
    BacktestTooLarge,
    SweepField,
)
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.strategies.model import BOT_BOUNDS, BOUNDS, MAX_COOL_DOWN_MS, Bounds
from app.domains.trading.strategies.rules.configuration import check_config
from app.kit.errors import Faults, InvalidInput, Path

MIN_TRAIN_FRACTION: Final = Decimal("0.1")
MAX_TRAIN_FRACTION: Final = Decimal("0.9")

Settings = dict[SweepField, Decimal]
"""What a run of a sweep has in place of what all have in common."""


def check_asked(asked: Asked, now: datetime) -> None:
    """Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        _check_bot(faults, asked.bot)
        _check_number(faults, ("initial_cash_usd",), asked.initial_cash_usd, Bounds(MIN_CASH_USD, MAX_CASH_USD, 8))
        if asked.until is not None and asked.until > now:
            faults.add("until", "It cannot be in the future.")
        elif asked.since is not None and asked.since >= (asked.until or now):
            faults.add("since", "It is before the end.")


def check_sweep(sweep: AskedSweep, now: datetime) -> list[Settings]:
    """The runs of a sweep, without the combinations that no bot can have. Raises InvalidInput, BacktestTooLarge."""
    with Faults() as faults:
        with faults.at():
            check_asked(sweep.asked, now)
        fraction = sweep.train_fraction
        if fraction is not None:
            _check_number(faults, ("train_fraction",), fraction, Bounds(MIN_TRAIN_FRACTION, MAX_TRAIN_FRACTION, 4))
        if not 1 <= len(sweep.axes) <= MAX_AXES:
            faults.add("axes", f"A sweep has 1 to {MAX_AXES} axes.")
        elif len({axis.field for axis in sweep.axes}) < len(sweep.axes):
            faults.add("axes", "Each setting has one axis.")
        for number, axis in enumerate(sweep.axes):
            _check_axis(faults, sweep.asked.bot, axis, number)
    check_count(sweep.axes)
    runs = [settings for settings, _ in fitting(sweep.asked.bot, sweep.axes)]
    if not runs:
        raise InvalidInput("axes", "No combination of these values is one that a bot can have.")
    return runs


def check_count(axes: tuple[Axis, ...]) -> None:
    """Raises BacktestTooLarge for more combinations than a sweep can have."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MAX_RUNS:
        raise BacktestTooLarge(f"A sweep has at most {MAX_RUNS} runs; these are {count:,}.", MAX_RUNS, count)


def fitting(bot: BotTerms, axes: tuple[Axis, ...]) -> list[tuple[Settings, BotTerms]]:
    """The combinations of values that a bot can have, each with that bot, in their order."""
    found = ((settings, with_settings(bot, settings)) for settings in combinations(axes))
    return [(settings, each) for settings, each in found if _fits(each)]


def combinations(axes: tuple[Axis, ...]) -> Iterator[Settings]:
    """Every combination of values; those of the last axis change first."""
    for values in product(*(axis.values for axis in axes)):
        yield dict(zip((axis.field for axis in axes), values, strict=True))


def with_settings(bot: BotTerms, settings: Settings) -> BotTerms:
    """The bot with these settings, which it has."""
    own = {field.value: value for field, value in settings.items() if field in BOT_BOUNDS}
    names = {field.value: _number(bot, field, value) for field, value in settings.items() if field not in BOT_BOUNDS}
    return msgspec.structs.replace(bot, config=msgspec.structs.replace(bot.config, **names), **own)


def _number(bot: BotTerms, field: SweepField, value: Decimal) -> Decimal | int:
    return value if BOUNDS[type(bot.config)][field].decimals else int(value)


def _fits(bot: BotTerms) -> bool:
    try:
        check_config(bot.config)
    except InvalidInput:
        return False
    return True


def _check_bot(faults: Faults, bot: BotTerms) -> None:
    with faults.at("strategy", str(bot.config.__struct_config__.tag)):
        check_config(bot.config)
    for name, bounds in BOT_BOUNDS.items():
        value = getattr(bot, name)
        if value is not None:
            _check_number(faults, (name,), value, bounds)
    if not 0 <= bot.cool_down_ms <= MAX_COOL_DOWN_MS:
        faults.add("cool_down_ms", f"A cool-down is 0 to {MAX_COOL_DOWN_MS:,} milliseconds.")


def _check_axis(faults: Faults, bot: BotTerms, axis: Axis, number: int) -> None:
    place = ("axes", str(number))
    bounds = BOT_BOUNDS.get(axis.field) or BOUNDS[type(bot.config)].get(axis.field)
    if bounds is None:
        faults.add((*place, "field"), "This strategy has no such setting.")
        return
    if not axis.values or len(set(axis.values)) < len(axis.values):
        faults.add((*place, "values"), "An axis has values, each once.")
    for position, value in enumerate(axis.values[: MAX_RUNS + 1]):
        _check_number(faults, (*place, "values", str(position)), value, bounds)


def _check_number(faults: Faults, path: Path, value: Decimal, bounds: Bounds) -> None:
    if not value.is_finite() or not bounds.least <= value <= bounds.most:
        faults.add(path, f"It must be from {Decimal(bounds.least):,f} to {Decimal(bounds.most):,f}.")
    elif value != round(value, bounds.decimals):
        faults.add(path, f"It can have at most {bounds.decimals} decimals.")
