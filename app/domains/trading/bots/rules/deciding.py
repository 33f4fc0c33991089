"""What bots decide at the end of a candle. Pure."""

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
    RiskLevel,
    SignalType,
    State,
    Window,
    config_of,
)
from app.domains.trading.strategies.rules.acting import SizedEntry
from app.domains.trading.strategies.rules.deciding import decide
from app.domains.trading.strategies.rules.second_exchange import elsewhere
from app.domains.trading.strategies.rules.sizing import entry_quantity, exit_prices, slots_of


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
    state = None if due.state is None else msgspec.convert(due.state, State, strict=False)
    decision = decide(config_of(due.config), window, [_entry(each) for each in held], state)
    return Decided(due, decision, tuple(held), closed[-1].close)


def sized(each: Decided, price: Decimal) -> list[tuple[int | None, SizedEntry]]:
    """What a decision to buy buys at a price, with the slots. Empty: there is no room."""
    due, decision = each.due, each.decision
    if decision.type is not SignalType.BUY:
        return []
    committed = sum(((held.bought_quantity - held.sold_quantity) * _price_of(held) for held in each.held), Decimal(0))
    found = list[tuple[int | None, SizedEntry]]()
    wanted: list[tuple[int | None, Decimal | None]] = [(slot.number, slot.take_profit_price) for slot in decision.slots]
    for slot, take_profit_price in wanted or [(None, None)]:
        quantity = entry_quantity(
            decision,
            risk=RiskLevel(due.risk_level),
            max_position_usd=due.max_position_size,
            committed_usd=committed,
            slots=slots_of(config_of(due.config)),
            price=price,
        )
        if not quantity:
            break
        committed += quantity * price
        take_profit, stop_loss = exit_prices(
            price, due.take_profit_percentage, due.stop_loss_percentage, take_profit_price
        )
        found.append((slot, SizedEntry(quantity, take_profit, stop_loss)))
    return found


def _entry(held: HeldEntry) -> Entry:
    return Entry(held.bought_quantity - held.sold_quantity, _price_of(held), held.opened_at, held.slot)


def _price_of(held: HeldEntry) -> Decimal:
    return Decimal(0) if held.average_price is None else held.average_price
