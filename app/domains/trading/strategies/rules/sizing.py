"""How many coins an entry buys, and at which prices it is sold."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domains.trading.exchange.rules.rounding import (
    HIGHEST_TICK,
    MAX_UNITS,
    affordable,
    is_dust,
    tick_above,
    tick_below,
)
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of
from app.domains.trading.strategies.model import Config, Decision, Entry, Grid, RiskLevel, Slot

PARTS: Final[Mapping[RiskLevel, int]] = MappingProxyType({RiskLevel.LOW: 4, RiskLevel.MEDIUM: 2, RiskLevel.HIGH: 1})
"""How many entries the largest position is."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How large the entries of a bot are, and where they are left."""

    risk_level: RiskLevel
    max_position_usd: Decimal
    stop_loss_percentage: Decimal
    take_profit_percentage: Decimal


class SizedEntry(msgspec.Struct, frozen=True):
    """How much an entry buys, and at which prices it is sold, on ticks."""

    quantity: Decimal
    take_profit_price: Decimal
    stop_loss_price: Decimal
    slot: int | None = None
    """The level of a grid that it is bought at, from 0."""


def sized_entries(
    decision: Decision, config: Config, limits: Limits, held: Iterable[Entry], price: Decimal
) -> list[SizedEntry]:
    """What a decision to buy buys at a price, beside what is held: more than one entry only of a grid. Empty: there is
    no room.
    """
    committed = sum((each.quantity * each.price for each in held), Decimal(0))
    wanted: list[Slot | None] = [*decision.slots] or [None]
    found: list[SizedEntry] = []
    for slot in wanted:
        quantity = entry_quantity(
            decision,
            risk=limits.risk_level,
            max_position_usd=limits.max_position_usd,
            committed_usd=committed,
            slots=slots_of(config),
            price=price,
        )
        if not quantity:
            break
        committed += quantity * price
        target = None if slot is None else slot.take_profit_price
        exits = exit_prices(price, limits.take_profit_percentage, limits.stop_loss_percentage, target)
        found.append(SizedEntry(quantity, *exits, None if slot is None else slot.number))
    return found


def slots_of(config: Config) -> int | None:
    """The slots of a grid, one less than its levels: nothing is bought at the highest. Null of other strategies."""
    return config.levels - 1 if isinstance(config, Grid) else None


def entry_quantity(
    decision: Decision,
    *,
    risk: RiskLevel,
    max_position_usd: Decimal,
    committed_usd: Decimal,
    slots: int | None,
    price: Decimal,
) -> Decimal:
    """The coins that one entry of a decision buys at a price: rounded down; 0 where they are worth less than a dollar.

    It costs what the strategy says; of a grid, one of `slots` equal parts of the largest position; of others, the part
    that the risk says. It is never more than the largest position less what is committed: the cost of the entries that
    are held and of those that are being bought, of which each of several slots is to count the ones before it.
    """
    # Whole numbers, as everywhere here: what is rounded is rounded once.
    largest, of = max_position_usd.as_integer_ratio()
    committed, committed_of = committed_usd.as_integer_ratio()
    if decision.amount_usd is not None:
        amount, amount_of = decision.amount_usd.as_integer_ratio()
        wanted = amount * COIN // amount_of
    else:
        wanted = largest * COIN // (of * (PARTS[risk] if slots is None else slots))
    left = (largest * committed_of - committed * of) * COIN // (of * committed_of)
    dollars = min(wanted, left)
    if dollars <= 0:
        return Decimal(0)
    at = units_of(price, PRICE_SCALE)
    coins = min(affordable(dollars, at), MAX_UNITS - 1)
    return Decimal(0) if is_dust(coins, at) else decimal_of(coins)


def exit_prices(
    price: Decimal,
    take_profit_percentage: Decimal,
    stop_loss_percentage: Decimal,
    take_profit_price: Decimal | None = None,
) -> tuple[Decimal, Decimal]:
    """The take profit and the stop loss of an entry at a price, on ticks: the one rounded up, the other down.

    A take profit that the strategy says replaces the percentage. One that is not above the price, because the price has
    moved since, becomes the next tick above it. The stop loss is below the price and above 0 for every percentage.

    Raises ValueError for a price that has no tick below or above it. No entry is bought at the least price: as many
    coins as an order can have are worth less than a dollar there.
    """
    at = units_of(price, PRICE_SCALE)
    if not 1 < at < HIGHEST_TICK:
        raise ValueError(f"there is no room around {price}")
    if take_profit_price is not None:
        number, of = take_profit_price.as_integer_ratio()
        target = -(-number * PRICE_SCALE // of)
    else:
        percent, of = take_profit_percentage.as_integer_ratio()
        target = -(-at * (100 * of + percent) // (100 * of))
    percent, of = stop_loss_percentage.as_integer_ratio()
    stop = at * (100 * of - percent) // (100 * of)
    take_profit = min(HIGHEST_TICK, tick_above(max(target, at + 1)))
    stop_loss = tick_below(max(1, min(stop, at - 1)))
    return decimal_of(take_profit, PRICE_SCALE), decimal_of(stop_loss, PRICE_SCALE)
