"""Bots as their owner sees them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.trading.bots import loaders, model
from app.domains.trading.bots.model import BotStatus
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.strategies.model import config_of
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import listed, paged, related
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval
from app.schema.trading.bots.signals import (
    IN_DOLLARS,
    BotDecision,
    BotEntry,
    BotEntryFilter,
    BotPerformance,
    BotSignal,
    BotSignalFilter,
)
from app.schema.trading.orders.orders import Order
from app.schema.trading.portfolios import Portfolio
from app.schema.trading.strategies import RiskLevel, Strategy, StrategyConfig

declare_enum(
    BotStatus,
    description="Whether a bot decides.",
    ACTIVE="It decides at the end of each candle.",
    PAUSED="It does not decide; what it holds keeps its exits. A new bot is paused.",
    STOPPED="It does not decide.",
    ERROR="It stopped by itself: `statusReason` says why.",
)


def _config(root: model.Bot) -> object:
    return config_of(root.config)


def _strategy_type(root: model.Bot) -> Strategy:
    return root.strategy


@node_type(by=loaders.bot_by_id)
class Bot(Node):
    """A program that decides by a strategy at the end of each candle, and trades in a portfolio. Visible to the viewer
    only.
    """

    name: str = strawberry.field(description="The name, 1 to 100 characters.")
    portfolio: Portfolio | None = related(
        portfolio_loaders.portfolio_by_id,
        key="portfolio_id",
        description="The portfolio that it trades in. Null if it was deleted.",
    )
    strategy: StrategyConfig = from_parent(_config, description="What it decides by, and how that is configured.")
    strategy_type: Strategy = from_parent(_strategy_type, description="What it decides by.")
    target_symbols: list[str] = strawberry.field(
        name="symbols", description="The symbols of the tokens that it trades.", metadata=holds(model.MAX_SYMBOLS)
    )
    interval: Interval = strawberry.field(description="The length of the candles that it decides on.")
    max_position_size: Decimal = strawberry.field(
        name="maxPositionUsd", description=f"What its open entries in one token can have cost. {IN_DOLLARS}"
    )
    stop_loss_percentage: float = strawberry.field(
        description="How far below the price of an entry it is sold at a loss, in percent: 5 is 5 percent."
    )
    take_profit_percentage: float = strawberry.field(
        description="How far above the price of an entry it is sold at a profit, in percent."
    )
    risk_level: RiskLevel = strawberry.field(description="How much of the largest position one entry can be.")
    daily_loss_limit: Decimal | None = strawberry.field(
        name="dailyLossLimitUsd",
        description="The realized loss since midnight in UTC from which it buys nothing more that day."
        f" {IN_DOLLARS} Null: no limit.",
    )
    cool_down_ms: Milliseconds = strawberry.field(
        description="For how long it buys nothing after a round trip with a loss, in milliseconds."
    )
    initial_investment: Decimal = strawberry.field(
        name="initialInvestmentUsd",
        description=f"What its return is measured by; nothing is set apart. {IN_DOLLARS}",
    )
    ai_model: str | None = strawberry.field(
        description="The language model that adds words to its reasons, where Moneta is configured with this one. It"
        " decides nothing. Null: none."
    )
    status: BotStatus = strawberry.field(description="Whether it decides.")
    status_reason: str | None = strawberry.field(
        description="Why it stopped by itself, in English. Null unless the status is ERROR."
    )
    started_at: datetime | None = strawberry.field(description="When it was last started. Null: never.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    decisions: list[BotDecision] = listed(
        loaders.states_by_bot,
        key="id",
        most=model.MAX_SYMBOLS,
        description="What it decided last about each of its tokens, by symbol. Those that it has not decided on yet are"
        " left out.",
    )
    bot_performance: BotPerformance = related(loaders.performance_by_bot, key="id", description="What it has earned.")
    signals: Connection[BotSignal] = paged(
        loaders.signals_by_bot,
        key="id",
        stream=model.signal_stream,
        filter=BotSignalFilter,
        description="What it advised, newest first.",
    )
    entries: Connection[BotEntry] = paged(
        loaders.entries_by_bot, key="id", filter=BotEntryFilter, description="What it bought, newest first."
    )
    orders: Connection[Order] = paged(loaders.orders_by_bot, key="id", description="Its orders, newest first.")


@strawberry.input(one_of=True)
class BotBy:
    """Identifies a bot."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class BotQuery:
    """A single bot."""

    bot: Bot | None = lookup(
        BotBy,
        {"id": by_id(Bot, loaders.bot_by_id)},
        of=Bot,
        argument="Identifies the bot.",
        description="A bot of the viewer. Null if there is none.",
    )


@strawberry.input
class BotFilter:
    """Filters bots by all fields that are given. A field that is null or omitted matches all."""

    status: BotStatus | None = strawberry.field(default=None, description="Whether it decides.")
    strategy_type: Strategy | None = strawberry.field(default=None, description="What it decides by.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"status": self.status, "strategy": self.strategy_type}


@strawberry.type
class BotViewer:
    """The viewer's bots."""

    bots: Connection[Bot] = paged(
        loaders.bots_by_user,
        key="user_id",
        stream=model.bot_stream,
        filter=BotFilter,
        description="The viewer's bots, newest first.",
    )
