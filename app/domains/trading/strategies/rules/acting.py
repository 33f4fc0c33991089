"""What is done about a decision: the brackets that are placed, and the exits that are changed. Pure.

Bots and back-tests act by this, so that they do the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import tick_below
from app.domains.trading.orders.model import NewBracket, NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of
from app.domains.trading.strategies.model import Config, Decision, Entry, RiskLevel, SignalType, Slot
from app.domains.trading.strategies.rules.sizing import entry_quantity, exit_prices, slots_of

EXIT_PERCENT: Final = 5
"""So far below the price an exit is moved that is to be filled at once: what the house buys is nearer."""
DAILY_LOSS: Final = "The loss of today reaches the limit of {limit:f} dollars: nothing is bought until midnight UTC."
COOL_DOWN: Final = "An exit lost less than {ms} ms ago: nothing is bought before {until:%Y-%m-%d %H:%M:%S} UTC."
NO_ROOM: Final = "There is no room for another entry."
NOTHING_HELD: Final = "There is nothing to sell."


class SizedEntry(msgspec.Struct, frozen=True):
    """An entry as `sizing` has it: how much is bought, and at which prices it is sold. Prices are on ticks."""

    quantity: Decimal
    take_profit_price: Decimal
    stop_loss_price: Decimal
    slot: int | None = None
    """The level of a grid that it is bought at."""


class Limits(msgspec.Struct, frozen=True):
    """How much a bot buys, and where it sells that."""

    risk_level: RiskLevel
    max_position_usd: Decimal
    stop_loss_percentage: Decimal
    take_profit_percentage: Decimal


class Brakes(msgspec.Struct, frozen=True):
    """What keeps a bot from buying after losses. Null: no limit; 0: no cool-down."""

    daily_loss_limit_usd: Decimal | None = None
    cool_down_ms: int = 0


class Losses(msgspec.Struct, frozen=True):
    """What the exits of a bot have lost."""

    today_usd: Decimal = Decimal(0)
    """The sum of losses less profits of the exits since midnight UTC; below 0 is a profit."""
    last_at: datetime | None = None
    """When an exit was last filled with a loss. Null: never."""


class Exited(msgspec.Struct, frozen=True):
    """An exit that was filled, and its profit after all fees."""

    at: datetime
    pnl: Decimal


class Actions(msgspec.Struct, frozen=True):
    """What is to be done. With `ignored` it is nothing, although the decision was to buy or to sell: that says why."""

    brackets: tuple[NewBracket, ...] = ()
    """One for each of the entries, in their order."""
    exits: tuple[tuple[UUID, OrderChanges], ...] = ()
    """Take profits to replace, by the IDs of the orders. Each is filled at once, and its stop loss cancelled."""
    ignored: str | None = None


def losses_of(exits: Iterable[Exited], at: datetime) -> Losses:
    """The losses at a time, of exits until then."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    today, last_at = Decimal(0), None
    for each in exits:
        if each.at >= midnight:
            today -= each.pnl
        if each.pnl < 0 and (last_at is None or each.at > last_at):
            last_at = each.at
    return Losses(today, last_at)


def why_not_to_buy(losses: Losses, brakes: Brakes, at: datetime) -> str | None:
    """The reason why nothing is bought at a time after these losses. Null: there is none."""
    limit = brakes.daily_loss_limit_usd
    if limit is not None and losses.today_usd > 0 and losses.today_usd >= limit:
        return DAILY_LOSS.format(limit=limit)
    if losses.last_at is not None:
        until = losses.last_at + timedelta(milliseconds=brakes.cool_down_ms)
        if at < until:
            return COOL_DOWN.format(ms=brakes.cool_down_ms, until=until)
    return None


def orders_for(  # noqa: PLR0917  # what it depends on
    decision: Decision,
    symbol: str,
    price: Decimal,
    at: datetime,
    entries: Sequence[SizedEntry],
    take_profits: Sequence[UUID],
    losses: Losses,
    brakes: Brakes,
) -> Actions:
    """What is done about a decision at a time and a price.

    `entries` are what it buys if it buys: more than one only of a grid. `take_profits` are the open take profits of
    the bot that are in the book, the oldest first: one of each entry that it holds.
    """
    match decision.type:
        case SignalType.HOLD:
            return Actions()
        case SignalType.SELL:
            if not take_profits:
                return Actions(ignored=NOTHING_HELD)
            changes = OrderChanges(price=exit_price(price))
            return Actions(exits=tuple((each, changes) for each in take_profits))
        case SignalType.BUY:
            if ignored := why_not_to_buy(losses, brakes, at):
                return Actions(ignored=ignored)
            if not entries:
                return Actions(ignored=NO_ROOM)
            return Actions(brackets=tuple(bracket_of(symbol, each) for each in entries))


def sized_entries(
    decision: Decision, config: Config, limits: Limits, held: Iterable[Entry], price: Decimal
) -> list[SizedEntry]:
    """What a decision to buy buys at a price, beside what is held. Empty: there is no room."""
    committed = sum((each.quantity * each.price for each in held), Decimal(0))
    wanted: list[Slot | None] = [*decision.slots] or [None]
    found = list[SizedEntry]()
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


def bracket_of(symbol: str, entry: SizedEntry) -> NewBracket:
    """The bracket of an entry: bought at the market, sold at one of two prices."""
    return NewBracket(
        entry=NewOrder(symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quantity=entry.quantity),
        take_profit_price=entry.take_profit_price,
        stop_loss_stop_price=entry.stop_loss_price,
    )


def exit_price(price: Decimal) -> Decimal:
    """The limit of an exit that is to be filled at once at a price: EXIT_PERCENT below it, on a tick."""
    below = tick_below(units_of(price, PRICE_SCALE) * (100 - EXIT_PERCENT) // 100)
    return decimal_of(max(below, 1), PRICE_SCALE)
