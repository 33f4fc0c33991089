"""Whether a decision is acted on, and by which orders: of bots and of back-tests, so that they do the same. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import HIGHEST_TICK, tick_above, tick_below
from app.domains.trading.orders.model import NewBracket, NewOrder
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of
from app.domains.trading.strategies.model import Decision, SignalType
from app.domains.trading.strategies.rules.sizing import SizedEntry

EXIT_PERCENT: Final = 5
"""So far beyond the price an exit is moved that is to be filled at once: what the house buys is nearer."""
DAILY_LOSS: Final = "The loss of today reaches the limit of {limit:f} dollars: nothing is bought until midnight UTC."
COOL_DOWN: Final = "An exit lost less than {ms} ms ago: nothing is bought before {until:%Y-%m-%d %H:%M:%S} UTC."
NOT_BOUGHT_YET: Final = "An earlier purchase is still to be filled."
NO_ROOM: Final = "There is no room for another entry."
NOTHING_HELD: Final = "There is nothing to sell."


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


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a bot stands in a token when it acts."""

    is_holding: bool
    """Whether it has entries that are not sold."""
    is_buying: bool
    """Whether a purchase of one of them is not over."""
    losses: Losses


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What is done: brackets are placed, each with its slot; everything is sold; or nothing, and why."""

    brackets: list[tuple[int | None, NewBracket]] = []
    sells: bool = False
    ignored: str | None = None
    """Null of a decision to hold as well."""


def act_on(  # noqa: PLR0917  # what it depends on
    decision: Decision,
    symbol: str,
    standing: Standing,
    brakes: Brakes,
    entries: Sequence[SizedEntry],
    at: datetime,
) -> Act:
    """What is done about a decision at a time. `entries` are what it buys if it buys."""
    match decision.type:
        case SignalType.BUY:
            if standing.is_buying:
                return Act(ignored=NOT_BOUGHT_YET)
            if reason := why_not_to_buy(standing.losses, brakes, at):
                return Act(ignored=reason)
            if not entries:
                return Act(ignored=NO_ROOM)
            return Act(brackets=[(entry.slot, bracket_of(symbol, entry)) for entry in entries])
        case SignalType.SELL if standing.is_holding:
            return Act(sells=True)
        case SignalType.SELL:
            return Act(ignored=NOTHING_HELD)
        case SignalType.HOLD:
            return Act()


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


def reached_price(price: Decimal) -> Decimal:
    """The stop price of an exit that is to be reached at once at a price: EXIT_PERCENT above it, on a tick."""
    above = tick_above(-(-units_of(price, PRICE_SCALE) * (100 + EXIT_PERCENT) // 100))
    return decimal_of(min(above, HIGHEST_TICK), PRICE_SCALE)
