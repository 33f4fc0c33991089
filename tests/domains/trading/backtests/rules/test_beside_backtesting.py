"""Beside the package `backtesting`: the same decisions over the same candles enter and leave in the same candles.

It has no spread: it fills at the open, at a stop or at a limit exactly. Here the house stands between, so that a taker
is off by half the spread and a tick; a take profit waits until the house bids its price, and is filled exactly there.
Both take the stop before the take profit where a candle reaches both, and fill at the open what is gapped over.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from backtesting import Backtest, Strategy
from msgspec.structs import replace

from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model.reports import Exit
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.quotes import Bar
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.exchange.model import Quote
from app.domains.trading.exchange.rules import house
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE
from app.domains.trading.strategies.model import (
    Breakout,
    Config,
    Decision,
    Entry,
    MeanReversion,
    Momentum,
    SignalType,
    State,
    Window,
)
from app.domains.trading.strategies.rules.deciding import decide
from app.domains.trading.strategies.rules.sizing import exit_prices
from tests.domains.trading.backtests.rules.scripts import RUN, walk_of

TICK = 0.0001
"""Of a price with five digits, at most, as a part of it."""


def half_spread(bar: Bar) -> float:
    """Half the spread of the house within a candle, as a part of the price."""
    return house.half_spread(Quote(bar.open, bar.volume, bar.volatility, bar.opened_at)) / COIN


def theirs(candles: list[Candle], decisions: dict[int, SignalType], levels: dict[int, tuple[float, float]]) -> Any:
    """The trades of `backtesting`, which does what was decided at the end of each candle."""

    class Scripted(Strategy):  # type: ignore[misc]  # the package has no types
        def init(self) -> None:
            pass

        def next(self) -> None:
            number = len(self.data) - 1
            match decisions.get(number):
                case SignalType.BUY if not self.position:
                    take_profit, stop_loss = levels[number]
                    self.buy(size=1, tp=take_profit, sl=stop_loss)
                case SignalType.SELL:
                    self.position.close()

    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
    rows = {name: [float(getattr(each, field)) for each in candles] for name, field in names.items()}
    data = pd.DataFrame(rows, index=pd.DatetimeIndex([each.opened_at for each in candles]))
    return Backtest(data, Scripted, cash=1_000_000, commission=0, finalize_trades=False).run()._trades


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "config",
    [
        Momentum(threshold_percentage=Decimal(1)),
        MeanReversion(deviations=Decimal(1), oversold=Decimal(45)),
        Breakout(entry_period=10, exit_period=5),
    ],
    ids=lambda config: type(config).__name__,
)
def test_the_same_decisions_trade_in_the_same_candles(config: Config, seed: int) -> None:
    candles = walk_of(1_500, seed, step=0.012)
    opens = {each.opened_at: number for number, each in enumerate(candles)}
    decisions = dict[int, SignalType]()

    def noted(config: Config, window: Window, entries: list[Entry], state: State | None) -> Decision:
        decision = decide(config, window, entries, state)
        decisions[opens[window.closed_at] - 1] = decision.type
        return decision

    bot = replace(RUN.bot, config=config, stop_loss_percentage=Decimal(3), take_profit_percentage=Decimal(4))
    market = Market(candles)
    made = Simulation(replace(RUN, bot=bot), market, 0, len(market), noted)  # type: ignore[arg-type]
    trips = made.run().trips
    # They ask for the exits with the entry; here they are around the open that it meets.
    levels = {
        number: tuple(float(each) for each in exit_prices(candles[number + 1].open, Decimal(4), Decimal(3)))
        for number in range(len(candles) - 1)
    }
    trades = theirs(candles, decisions, levels)  # type: ignore[arg-type]

    assert len(trips) == len(trades) > 40
    assert {each.exit for each in trips} == set(Exit)
    assert [opens[each.opened_at] for each in trips] == trades["EntryBar"].tolist()
    bought = {each.created_at: float(each.price) for each in made.sandbox.fills if each.side is Side.BUY}
    missed = 0
    for trip, their in zip(trips, trades.itertuples(), strict=True):
        entered, left = opens[trip.opened_at], number_of(trip.closed_at, candles)
        assert 0 <= bought[trip.opened_at] / their.EntryPrice - 1 <= half_spread(market.bars[entered]) + TICK
        if left != their.ExitBar:
            # Their limit was reached by the price; the house, which bids less, did not reach it there.
            touched = market.bars[their.ExitBar]
            assert their.ExitPrice == their.TP
            assert touched.high / PRICE_SCALE * (1 - half_spread(touched) - TICK) < their.TP
            assert left > their.ExitBar
            missed += 1
        elif trip.exit is Exit.TAKE_PROFIT:
            # A limit that waits has its own price here, and theirs that of an open above it.
            assert float(trip.average_price_usd) == pytest.approx(their.TP)
            assert their.ExitPrice == pytest.approx(max(their.TP, float(candles[left].open)))
        else:
            sold = float(trip.average_price_usd) / their.ExitPrice - 1
            assert -half_spread(market.bars[left]) - TICK <= sold <= 0
    assert missed <= len(trips) * 0.1


def number_of(at: datetime, candles: list[Candle]) -> int:
    """The number of the candle of a time."""
    return int((at - candles[0].opened_at) / candles[0].interval.length)
