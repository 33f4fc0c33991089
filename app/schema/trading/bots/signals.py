"""What bots advised, and what they bought."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.trading.bots import loaders, model
from app.domains.trading.bots.model import ExecutionStatus
from app.domains.trading.orders import loaders as order_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.relations import related
from app.schema.enums import declare_enum
from app.schema.market.tokens import Token
from app.schema.trading.orders.fills import with_symbol
from app.schema.trading.orders.orders import Order
from app.schema.trading.strategies import SignalType

MAX_INDICATORS = 70
"""61 candlestick patterns, and what is computed beside them."""
IN_DOLLARS = "In dollars."

declare_enum(
    ExecutionStatus,
    name="SignalStatus",
    description="What became of a signal.",
    PENDING="Its orders are placed, and not filled yet.",
    EXECUTED="Its orders were filled, at least one of them.",
    FAILED="It could not be executed: `statusReason` says why.",
    IGNORED="It was not to be executed: `statusReason` says why.",
)


@strawberry.type
class IndicatorReading:
    """A number that a strategy computed."""

    name: str = strawberry.field(description="The name of the indicator.")
    value: float = strawberry.field(description="The value, in the unit of the indicator.")


def _readings(root: model.Signal | model.BotState) -> list[IndicatorReading]:
    return [IndicatorReading(name=name, value=value) for name, value in sorted(root.technical_indicators.items())]


@node_type(by=loaders.signal_by_id)
class BotSignal(Node):
    """What a bot advised at the end of a candle: each signal to buy or to sell, and the first to hold after another.
    Kept for a year. Visible to the viewer only.
    """

    symbol: str = strawberry.field(description="The token's symbol.")
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null if it no longer has this symbol."
    )
    signal_type: SignalType = strawberry.field(name="type", description="What it advises.")
    confidence: int = strawberry.field(description="How sure the strategy is, 1 to 100.")
    price: Decimal = strawberry.field(name="priceUsd", description="The close of the candle, in dollars.")
    reasoning: str = strawberry.field(description="Why, in English.")
    readings: list[IndicatorReading] = from_parent(
        _readings, description="What was computed, by name.", metadata=holds(MAX_INDICATORS)
    )
    execution_status: ExecutionStatus = strawberry.field(name="status", description="What became of it.")
    status_reason: str | None = strawberry.field(
        description="Why it was not executed, in English. Null unless the status is FAILED or IGNORED."
    )
    candle_closed_at: datetime = strawberry.field(description="The end of the candle.")
    executed_at: datetime | None = strawberry.field(
        description="When its first order was filled. Null unless the status is EXECUTED."
    )
    created_at: datetime = strawberry.field(description="When it was made.")


@record_type(model.BotState)
class BotDecision:
    """What a bot decided last about one of its tokens."""

    symbol: str = strawberry.field(description="The token's symbol.")
    signal_type: SignalType = strawberry.field(name="type", description="What it advises.")
    confidence: int = strawberry.field(description="How sure the strategy is, 1 to 100.")
    price: Decimal = strawberry.field(name="priceUsd", description="The close of the candle, in dollars.")
    reasoning: str = strawberry.field(description="Why, in English.")
    readings: list[IndicatorReading] = from_parent(
        _readings, description="What was computed, by name.", metadata=holds(MAX_INDICATORS)
    )
    decided_at: datetime = strawberry.field(name="candleClosedAt", description="The end of the candle.")


@record_type(model.BotEntry)
class BotEntry:
    """Coins that a bot bought by one signal, and what it sold of them: a round trip once all are sold."""

    symbol: str = strawberry.field(description="The token's symbol.")
    order: Order | None = related(
        order_loaders.order_by_id,
        key="id",
        description="The order that bought. Those that sell are in its bracket, or among the orders of the bot.",
    )
    slot: int | None = strawberry.field(description="The level of a grid, from 0. Null for other strategies.")
    bought_quantity: Decimal = strawberry.field(description="The quantity that was bought, in coins.")
    sold_quantity: Decimal = strawberry.field(description="The quantity that was sold again, in coins.")
    cost: Decimal = strawberry.field(name="costUsd", description=f"What was paid, fees included. {IN_DOLLARS}")
    proceeds: Decimal = strawberry.field(name="proceedsUsd", description=f"What was received, less fees. {IN_DOLLARS}")
    fees: Decimal = strawberry.field(name="feesUsd", description=f"All fees. {IN_DOLLARS}")
    pnl: Decimal = strawberry.field(
        name="realizedPnlUsd", description=f"The proceeds less the cost of what was sold. {IN_DOLLARS}"
    )
    opened_at: datetime = strawberry.field(description="When its order was placed.")
    closed_at: datetime | None = strawberry.field(description="When everything was sold. Null if it is open.")
    is_abandoned: bool = strawberry.field(
        description="Whether the bot gave it up: its coins were sold by somebody else, or its portfolio was reset."
    )


@record_type(model.BotPerformance)
class BotPerformance:
    """What a bot has earned, in dollars, less fees; at the newest prices."""

    initial_investment: Decimal = strawberry.field(
        name="initialInvestmentUsd", description=f"What its return is measured by. {IN_DOLLARS}"
    )
    current_value: Decimal = strawberry.field(
        name="currentValueUsd", description=f"The initial investment and the profit. {IN_DOLLARS}"
    )
    realized_pnl: Decimal = strawberry.field(
        name="realizedPnlUsd", description=f"The profit of what was sold. {IN_DOLLARS}"
    )
    open_pnl: Decimal = strawberry.field(
        name="unrealizedPnlUsd",
        description=f"The profit of what it holds, without the tokens that have no quote. {IN_DOLLARS}",
    )
    total_pnl: Decimal = strawberry.field(name="totalPnlUsd", description=f"Both together. {IN_DOLLARS}")
    return_fraction: Decimal = strawberry.field(
        description="The profit as a fraction of the initial investment: 0.05 is 5 percent."
    )
    holding_return_fraction: Decimal | None = strawberry.field(
        description="What its tokens would have returned if they had been bought in equal parts when it first decided"
        " on each, and held. Null before that, or if one has no quote."
    )
    total_trades: int = strawberry.field(
        name="roundTripCount", description="The number of round trips that are closed: bought, and all of it sold."
    )
    winning_trades: int = strawberry.field(name="winCount", description="How many of them made a profit, after fees.")
    win_rate_fraction: float | None = strawberry.field(
        description="The fraction of round trips that made a profit. Null if there is none."
    )
    max_drawdown: Decimal = strawberry.field(
        name="maxDrawdownUsd",
        description=f"The largest fall of the realized profit below what it had been before. {IN_DOLLARS}",
    )
    fees: Decimal = strawberry.field(name="feesUsd", description=f"All fees. {IN_DOLLARS}")
    last_trade_at: datetime | None = strawberry.field(
        description="When something was last bought or sold out. Null: never."
    )
    unquoted_symbols: list[str] = strawberry.field(
        description="The tokens that it holds and that have no quote.", metadata=holds(model.MAX_HELD_SYMBOLS)
    )


@strawberry.input
class BotSignalFilter:
    """Filters signals by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    type: SignalType | None = strawberry.field(default=None, description="What it advises.")
    status: ExecutionStatus | None = strawberry.field(default=None, description="What became of it.")
    since: datetime | None = strawberry.field(default=None, description="Made at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Made before this time.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return with_symbol(vars(self))


@strawberry.input
class BotEntryFilter:
    """Filters entries by all fields that are given. A field that is null or omitted matches all."""

    open: bool | None = strawberry.field(default=None, description="Whether some of it is still held.")
