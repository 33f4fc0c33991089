"""Sweeps of back-tests as their owner sees them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import strawberry

from app.domains.market.tokens.model import symbol_of
from app.domains.trading.backtests import loaders, model
from app.domains.trading.backtests.model import BacktestStatus, SweepField
from app.domains.trading.backtests.model.reports import Metrics
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval
from app.schema.trading.backtests.backtests import INITIAL_CASH, STATUS_REASON, BacktestBot, bot_of, strategy_of
from app.schema.trading.backtests.reports import BacktestMetrics
from app.schema.trading.strategies import Strategy

declare_enum(
    SweepField,
    name="BacktestSweepField",
    description="A setting that runs of a sweep can differ in: one of the strategy, or one of the bot.",
    AMOUNT_USD="What each purchase costs. Of DCA.",
    EVERY_CANDLES="How many candles lie between two purchases. Of DCA.",
    RANGE_PERCENTAGE="How far the levels reach above and below the first price. Of GRID.",
    LEVELS="The number of levels. Of GRID.",
    PERIOD="The period of the rate of change, or of the average. Of MOMENTUM and MEAN_REVERSION.",
    THRESHOLD_PERCENTAGE="The rate of change above which it buys. Of MOMENTUM.",
    RSI_PERIOD="The period of the relative strength index. Of MOMENTUM and MEAN_REVERSION.",
    OVERBOUGHT="The relative strength index above which it sells. Of MOMENTUM.",
    OVERSOLD="The relative strength index below which it buys. Of MEAN_REVERSION.",
    DEVIATIONS="How many standard deviations the lower band is below the average. Of MEAN_REVERSION.",
    FAST_PERIOD="The period of the fast average. Of SCALPING and TREND_FOLLOWING.",
    SLOW_PERIOD="The period of the slow average. Of SCALPING and TREND_FOLLOWING.",
    VOLUME_RATIO="How many times its average the volume has to be. Of SCALPING.",
    ENTRY_SPREAD_PERCENTAGE="How much more the other exchange has to pay. Of ARBITRAGE.",
    EXIT_SPREAD_PERCENTAGE="The difference below which it sells. Of ARBITRAGE.",
    ADX_PERIOD="The period of the average directional index. Of TREND_FOLLOWING.",
    MIN_ADX="The average directional index from which it buys. Of TREND_FOLLOWING.",
    ENTRY_PERIOD="The candles of the channel that it buys above. Of BREAKOUT.",
    EXIT_PERIOD="The candles of the channel that it sells below. Of BREAKOUT.",
    ATR_PERIOD="The period of the average true range. Of BREAKOUT.",
    MIN_ATR_PERCENTAGE="The average true range from which it buys. Of BREAKOUT.",
    MIN_STRENGTH="The strength from which a pattern counts. Of PATTERN_RECOGNITION.",
    TREND_PERIOD="The candles of the average that says the trend before. Of PATTERN_RECOGNITION.",
    STOP_LOSS_PERCENTAGE="How far below the price of an entry it is sold at a loss. Of every bot.",
    TAKE_PROFIT_PERCENTAGE="How far above the price of an entry it is sold at a profit. Of every bot.",
    MAX_POSITION_USD="What its open entries can have cost. Of every bot.",
)


@record_type(model.Axis)
class BacktestSweepAxis:
    """A setting that runs of a sweep differ in, and the values that it has in turn."""

    field: SweepField = strawberry.field(description="The setting.")
    values: list[Decimal] = strawberry.field(
        description="Its values, in the unit of the setting.", metadata=holds(model.MAX_RUNS)
    )


class Setting(msgspec.Struct, frozen=True):
    """A setting of a run."""

    field: SweepField
    value: Decimal


@record_type(Setting)
class BacktestSweepSetting:
    """A setting of a run that others have with another value."""

    field: SweepField = strawberry.field(description="The setting.")
    value: Decimal = strawberry.field(description="Its value, in the unit of the setting.")


def _settings(root: model.SweepRun) -> Any:
    return [Setting(SweepField(name), Decimal(value)) for name, value in root.settings.items()]


def _train(root: model.SweepRun) -> Any:
    return msgspec.convert(root.train, Metrics, strict=False)


def _test(root: model.SweepRun) -> Any:
    return None if root.test is None else msgspec.convert(root.test, Metrics, strict=False)


@record_type(model.SweepRun)
class BacktestSweepRun:
    """One combination of settings of a sweep."""

    number: int = strawberry.field(description="Its place, from 1, in the order of the combinations.")
    changed_settings: list[BacktestSweepSetting] = from_parent(
        _settings,
        graphql_type=list[BacktestSweepSetting],
        metadata=holds(model.MAX_AXES),
        description="The settings that differ.",
    )
    train: BacktestMetrics = from_parent(
        _train,
        graphql_type=BacktestMetrics,
        description="What it came to on the candles that are tuned on: on all, if the sweep has no train fraction.",
    )
    test: BacktestMetrics | None = from_parent(
        _test,
        graphql_type=BacktestMetrics | None,
        description="What it came to on the candles after those, which nothing was chosen by, with cash anew. Null if"
        " the sweep has no train fraction.",
    )


BacktestSweepRunOrderBy = order_input(
    "BacktestSweepRun",
    "The default is by number.",
    NUMBER="The place in the order of the combinations.",
    TRAIN_RETURN="The return on the candles that are tuned on; undefined ones come last.",
    TRAIN_SHARPE="The Sharpe ratio on the candles that are tuned on; undefined ones come last.",
    TRAIN_SORTINO="The Sortino ratio on the candles that are tuned on; undefined ones come last.",
    TRAIN_PROFIT_FACTOR="The profit factor on the candles that are tuned on; undefined ones come last.",
    TRAIN_DRAWDOWN="The deepest fall on the candles that are tuned on; undefined ones come last.",
    TEST_RETURN="The return on the other candles; undefined ones come last.",
    TEST_SHARPE="The Sharpe ratio on the other candles; undefined ones come last.",
    TEST_SORTINO="The Sortino ratio on the other candles; undefined ones come last.",
    TEST_PROFIT_FACTOR="The profit factor on the other candles; undefined ones come last.",
    TEST_DRAWDOWN="The deepest fall on the other candles; undefined ones come last.",
)


def _axes(root: model.BacktestSweep) -> Any:
    return msgspec.convert(root.axes, list[model.Axis], strict=False)


@node_type(by=loaders.sweep_by_id)
class BacktestSweep(Node):
    """Back-tests of one bot with different settings. Visible to the viewer only. Kept for 90 days."""

    symbol: str = strawberry.field(description="The token's symbol when it was asked for.")
    interval: Interval = strawberry.field(description="The length of the candles that the bot decides on.")
    exchange: str = strawberry.field(description="The exchange whose candles they are.")
    since: datetime = strawberry.field(name="requestedFromAt", description="From when on candles opened.")
    until: datetime = strawberry.field(name="requestedUntilAt", description="Until when candles had closed.")
    simulated_bot: BacktestBot = from_parent(
        bot_of, graphql_type=BacktestBot, description="The bot, with the settings that do not differ."
    )
    strategy_type: Strategy = from_parent(strategy_of, description="What the bot decides by.")
    axes: list[BacktestSweepAxis] = from_parent(
        _axes,
        graphql_type=list[BacktestSweepAxis],
        metadata=holds(model.MAX_AXES),
        description="The settings that differ, each with its values.",
    )
    initial_cash_usd: Decimal = strawberry.field(description=INITIAL_CASH)
    train_fraction: float | None = strawberry.field(
        description="The part of the candles, from the first on, that runs are tuned on: 0.7 is 70 percent. Null: all."
    )
    test_begins_at: datetime | None = strawberry.field(
        name="testStartsAt",
        description="When the first candle opened that is not tuned on. Null without a train fraction, or until the"
        " sweep is completed.",
    )
    status: BacktestStatus = strawberry.field(description="What has become of it.")
    status_reason: str | None = strawberry.field(description=STATUS_REASON)
    candles: int = strawberry.field(name="candleCount", description="The number of candles of each run.")
    runs_done: int = strawberry.field(
        name="doneRunCount", description="How many runs were simulated when that was last noted."
    )
    runs_total: int = strawberry.field(name="runCount", description="How many runs there are to simulate.")
    left_out: int = strawberry.field(
        name="leftOutCount",
        description="How many combinations are left out that no bot can have, such as a fast period above the slow"
        " one.",
    )
    runs: Connection[BacktestSweepRun] = paged(
        loaders.runs_by_sweep,
        key="id",
        order_by=BacktestSweepRunOrderBy,
        description="Its runs, in the order of the combinations. Empty unless it is completed.",
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker began it. Null: none has.")
    finished_at: datetime | None = strawberry.field(
        description="When it was completed, failed or cancelled. Null: it has not ended."
    )


@strawberry.input(one_of=True)
class BacktestSweepBy:
    """Identifies a sweep of back-tests."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class BacktestSweepQuery:
    """A single sweep."""

    backtest_sweep: BacktestSweep | None = lookup(
        BacktestSweepBy,
        {"id": by_id(BacktestSweep, loaders.sweep_by_id)},
        of=BacktestSweep,
        argument="Identifies the sweep.",
        description="A sweep of back-tests of the viewer. Null if there is none.",
    )


@strawberry.input
class BacktestSweepFilter:
    """Filters sweeps by all fields that are given. A field that is null or omitted matches all."""

    status: BacktestStatus | None = strawberry.field(default=None, description="What has become of it.")
    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return vars(self) | {"symbol": None if self.symbol is None else symbol_of(self.symbol)}


@strawberry.type
class BacktestSweepViewer:
    """The viewer's sweeps."""

    backtest_sweeps: Connection[BacktestSweep] = paged(
        loaders.sweeps_by_user,
        key="user_id",
        filter=BacktestSweepFilter,
        description="The viewer's sweeps of back-tests, newest first.",
    )
