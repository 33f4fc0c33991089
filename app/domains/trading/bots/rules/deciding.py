"""What bots decide at the end of a candle, and do about it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from app.domains.market.analysis.rules.series import series_of
from app.domains.market.prices.model import Candle, Interval
from app.domains.trading.bots.model import DueBot, HeldEntry
from app.domains.trading.strategies.model import (
    WINDOW_CANDLES,
    Decision,
    Entry,
    GridState,
    RiskLevel,
    SignalType,
    State,
    Window,
    config_of,
)
from app.domains.trading.strategies.rules.acting import Act, Brakes, Losses, Standing, act_on
from app.domains.trading.strategies.rules.deciding import decide
from app.domains.trading.strategies.rules.second_exchange import elsewhere
from app.domains.trading.strategies.rules.sizing import Limits, SizedEntry, sized_entries


class Decided(msgspec.Struct, frozen=True):
    """What a bot decided about a token."""

    due: DueBot
    decision: Decision
    held: tuple[HeldEntry, ...]
    price: Decimal
    """The close of the candle."""


def last_close(interval: Interval, moment: datetime) -> datetime:
    """The end of the last candle that ended until a moment."""
    length_s = int(interval.length.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // length_s * length_s, UTC)


def decided(  # noqa: PLR0917  # what it depends on
    due: DueBot,
    candles: Sequence[Candle],
    held: Sequence[HeldEntry],
    interval: Interval,
    closed_at: datetime,
    simulated: str,
) -> Decided | None:
    """What a bot decides about a token at the end of a candle. None while that candle is not stored. `simulated` is the
    exchange of the simulated market, which has a second one.
    """
    closed = [each for each in candles if each.opened_at + interval.length <= closed_at][-WINDOW_CANDLES:]
    if not closed or closed[-1].opened_at + interval.length != closed_at:
        return None
    series = series_of(closed)
    second = elsewhere(due.symbol, series) if closed[-1].exchange == simulated else None
    window = Window(due.symbol, interval, series, closed_at, closed[-1].close, second)
    decision = decide(config_of(due.config), window, [_entry(each) for each in held], _state(due, closed))
    return Decided(due, decision, tuple(held), closed[-1].close)


def _state(due: DueBot, closed: Sequence[Candle]) -> State | None:
    """What the bot remembers. What it saw last is the candle before, though it may have been off then: a grid does not
    make up for what the price fell through meanwhile.
    """
    state: State | None = None if due.state is None else msgspec.convert(due.state, State, strict=False)
    if isinstance(state, GridState) and len(closed) > 1:
        return msgspec.structs.replace(state, price=closed[-2].close)
    return state


def acted(each: Decided, held: Sequence[HeldEntry], price: Decimal, at: datetime) -> Act:
    """What is done at a time and a price about what a bot decided, with the entries that it holds."""
    due, decision = each.due, each.decision
    limits = Limits(
        risk_level=RiskLevel(due.risk_level),
        max_position_usd=due.max_position_size,
        stop_loss_percentage=due.stop_loss_percentage,
        take_profit_percentage=due.take_profit_percentage,
    )
    standing = Standing(
        is_holding=bool(held),
        is_buying=any(not entry.is_bought for entry in held),
        losses=Losses(due.lost_today, due.last_loss_at),
    )
    brakes, entries = Brakes(due.daily_loss_limit, due.cool_down_ms), list[SizedEntry]()
    if decision.type is SignalType.BUY:
        entries = sized_entries(decision, config_of(due.config), limits, map(_entry, held), price)
    return act_on(decision, due.symbol, standing, brakes, entries, at)


def _entry(held: HeldEntry) -> Entry:
    return Entry(held.bought_quantity - held.sold_quantity, held.average_price or Decimal(0), held.opened_at, held.slot)
