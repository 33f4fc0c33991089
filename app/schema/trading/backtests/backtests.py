"""Back-tests as their owner sees them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import strawberry

from app.domains.market.tokens.model import symbol_of
from app.domains.trading.backtests import loaders, model
from app.domains.trading.backtests.model import BacktestStatus
from app.domains.trading.backtests.model.reports import BotTerms, Report
from app.engine.declarations.computed import from_parent
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval
from app.schema.trading.backtests.reports import IN_DOLLARS, BacktestReport, BacktestRoundTrip
from app.schema.trading.strategies import RiskLevel, Strategy, StrategyConfig

declare_enum(
    BacktestStatus,
    description="What has become of a back-test, or of a sweep of them.",
    QUEUED="It waits for a worker.",
    RUNNING="It is being simulated.",
    COMPLETED="It is done.",
    FAILED="It could not be done: `statusReason` says why.",
    CANCELLED="It was cancelled.",
)
STATUS_REASON = "Why it could not be done, in English. Null unless the status is FAILED."
INITIAL_CASH = f"The cash that the bot begins with. {IN_DOLLARS}"


def _config(root: BotTerms) -> object:
    return root.config


@record_type(BotTerms)
class BacktestBot:
    """A bot as it is simulated."""

    strategy: StrategyConfig = from_parent(_config, description="What it decides by, and how that is configured.")
    risk_level: RiskLevel = strawberry.field(description="How much of the largest position one entry can be.")
    max_position_usd: Decimal = strawberry.field(description=f"What its open entries can have cost. {IN_DOLLARS}")
    stop_loss_percentage: float = strawberry.field(
        description="How far below the price of an entry it is sold at a loss, in percent: 5 is 5 percent."
    )
    take_profit_percentage: float = strawberry.field(
        description="How far above the price of an entry it is sold at a profit, in percent."
    )
    daily_loss_limit_usd: Decimal | None = strawberry.field(
        description="The realized loss since midnight in UTC from which it buys nothing more that day."
        f" {IN_DOLLARS} Null: no limit."
    )
    cool_down_ms: Milliseconds = strawberry.field(
        description="For how long it buys nothing after a round trip with a loss, in milliseconds."
    )


def bot_of(root: model.Backtest | model.BacktestSweep) -> Any:
    """The bot, as it is stored."""
    return msgspec.convert(root.bot, BotTerms, strict=False)


def strategy_of(root: model.Backtest | model.BacktestSweep) -> Strategy:
    """What it decides by."""
    return Strategy(root.strategy)


def _report(root: model.Backtest) -> Any:
    return None if root.report is None else msgspec.convert({**root.report, "trips": []}, Report, strict=False)


@node_type(by=loaders.backtest_by_id)
class Backtest(Node):
    """A bot over stored candles, by the rules of the paper exchange. Visible to the viewer only. Kept for 90 days."""

    symbol: str = strawberry.field(description="The token's symbol when it was asked for.")
    interval: Interval = strawberry.field(description="The length of the candles that the bot decides on.")
    exchange: str = strawberry.field(description="The exchange whose candles they are.")
    since: datetime = strawberry.field(name="requestedFromAt", description="From when on candles opened.")
    until: datetime = strawberry.field(name="requestedUntilAt", description="Until when candles had closed.")
    simulated_bot: BacktestBot = from_parent(bot_of, graphql_type=BacktestBot, description="The bot.")
    strategy_type: Strategy = from_parent(strategy_of, description="What the bot decides by.")
    initial_cash_usd: Decimal = strawberry.field(description=INITIAL_CASH)
    status: BacktestStatus = strawberry.field(description="What has become of it.")
    status_reason: str | None = strawberry.field(description=STATUS_REASON)
    candles_done: int = strawberry.field(
        name="doneCandleCount", description="How many candles were simulated when that was last noted."
    )
    candles_total: int = strawberry.field(name="candleCount", description="How many candles there are to simulate.")
    report: BacktestReport | None = from_parent(
        _report, graphql_type=BacktestReport | None, description="What it came to. Null unless the status is COMPLETED."
    )
    round_trips: Connection[BacktestRoundTrip] = paged(
        loaders.trades_by_backtest,
        key="id",
        description="Its round trips, the first first. Empty unless it is completed.",
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker began it. Null: none has.")
    finished_at: datetime | None = strawberry.field(
        description="When it was completed, failed or cancelled. Null: it has not ended."
    )


@strawberry.input(one_of=True)
class BacktestBy:
    """Identifies a back-test."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class BacktestQuery:
    """A single back-test."""

    backtest: Backtest | None = lookup(
        BacktestBy,
        {"id": by_id(Backtest, loaders.backtest_by_id)},
        of=Backtest,
        argument="Identifies the back-test.",
        description="A back-test of the viewer. Null if there is none.",
    )


@strawberry.input
class BacktestFilter:
    """Filters back-tests by all fields that are given. A field that is null or omitted matches all."""

    status: BacktestStatus | None = strawberry.field(default=None, description="What has become of it.")
    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return vars(self) | {"symbol": None if self.symbol is None else symbol_of(self.symbol)}


@strawberry.type
class BacktestViewer:
    """The viewer's back-tests."""

    backtests: Connection[Backtest] = paged(
        loaders.backtests_by_user,
        key="user_id",
        filter=BacktestFilter,
        description="The viewer's back-tests, newest first.",
    )
