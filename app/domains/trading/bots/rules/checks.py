"""Whether what a bot is set to fits together. Nothing here depends on a portfolio or a price."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import fields

from app.domains.market.tokens.model import symbol_of
from app.domains.trading.bots.model import (
    MAX_MODEL_CHARS,
    MAX_SYMBOLS,
    BotChanges,
    NewBot,
)
from app.domains.trading.portfolios.rules import check_name
from app.domains.trading.strategies.model import BOT_BOUNDS, MAX_COOL_DOWN_MS, MAX_POSITION_USD, Config
from app.domains.trading.strategies.rules.configuration import check_config
from app.kit.errors import Faults, InvalidInput
from app.kit.text import is_storable

LEAST_USD: Final = Decimal(1)
_PERCENTAGES: Final = ("stop_loss_percentage", "take_profit_percentage")
_AMOUNTS: Final = ("max_position_usd", "daily_loss_limit_usd", "initial_investment_usd")


def check_bot(bot: NewBot | BotChanges) -> None:
    """Raises InvalidInput, which names all that is wrong."""
    given = {each.name: value for each in fields(bot) if (value := getattr(bot, each.name)) not in (None, UNSET)}
    with Faults() as faults:
        if isinstance(bot, BotChanges):
            bot.check(faults)
        if "name" in given:
            faults.check(check_name, given["name"])
        if "strategy" in given:
            _check_strategy(faults, given["strategy"])
        if "target_symbols" in given:
            faults.check(symbols_of, given["target_symbols"])
        _check_numbers(faults, given)
        if "ai_model" in given:
            faults.check(_checked_model, given["ai_model"])


def symbols_of(symbols: Sequence[str]) -> list[str]:
    """The symbols as tokens have them, each once. Raises InvalidInput."""
    found = list(dict.fromkeys(symbol_of(each) for each in symbols))
    if not 1 <= len(found) <= MAX_SYMBOLS:
        raise InvalidInput("target_symbols", f"A bot trades 1 to {MAX_SYMBOLS} tokens.")
    return found


def _check_strategy(faults: Faults, config: Config) -> None:
    with faults.at("strategy", str(config.__struct_config__.tag)):
        check_config(config)


def _check_numbers(faults: Faults, given: dict[str, Any]) -> None:
    for name in _AMOUNTS:
        if name in given:
            faults.check(_checked_amount, given[name], name)
    for name in _PERCENTAGES:
        if name in given:
            faults.check(_checked_percentage, given[name], name)
    if "cool_down_ms" in given and not 0 <= given["cool_down_ms"] <= MAX_COOL_DOWN_MS:
        faults.add("cool_down_ms", f"A cool-down is 0 to {MAX_COOL_DOWN_MS:,} milliseconds.")


def _checked_model(model: str) -> str:
    if not 1 <= len(model) <= MAX_MODEL_CHARS or not is_storable(model):
        raise InvalidInput("ai_model", f"The name of a model has 1 to {MAX_MODEL_CHARS} characters.")
    return model


def _checked_amount(amount: Decimal, name: str) -> Decimal:
    if not amount.is_finite() or not LEAST_USD <= amount <= MAX_POSITION_USD:
        raise InvalidInput(name, f"An amount is {LEAST_USD:f} to {MAX_POSITION_USD:,f} dollars.")
    if amount != round(amount, 8):
        raise InvalidInput(name, "An amount has at most 8 decimals.")
    return amount


def _checked_percentage(percentage: Decimal, name: str) -> Decimal:
    least, most, decimals = BOT_BOUNDS[name]
    if not percentage.is_finite() or not least <= percentage <= most:
        raise InvalidInput(name, f"A percentage is {least:f} to {most:f} here.")
    if percentage != round(percentage, decimals):
        raise InvalidInput(name, "A percentage has at most 2 decimals.")
    return percentage
