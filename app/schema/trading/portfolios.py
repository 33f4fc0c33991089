"""Portfolios, and what the viewer can do with them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.domains.market.prices.model import PRICES_TOPIC
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.trading.journal import loaders as journal_loaders
from app.domains.trading.performance import loaders as performance_loaders
from app.domains.trading.portfolios import loaders, model
from app.engine.declarations.computed import from_parent
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, key_of, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.subscriptions import Followed, volatile
from app.kit.errors import NotFound
from app.schema.accounts.profile import TradingMode
from app.schema.context import Info
from app.schema.currencies import Currency
from app.schema.enums import declare_enum
from app.schema.market.prices.ticks import ticks_per_s
from app.schema.market.tokens import Token
from app.schema.trading.journal import (
    Disposal,
    DisposalFilter,
    JournalEntry,
    JournalEntryFilter,
    Lot,
    LotFilter,
)
from app.schema.trading.performance import PortfolioPerformance, performance_filters
from app.schema.trading.values import (
    IN_CURRENCY,
    MAX_POINTS,
    PortfolioSummary,
    PortfolioValue,
    PortfolioValuePoint,
    live_value,
    point_filters,
)

declare_enum(
    model.PortfolioStatus,
    description="What can be done with a portfolio.",
    OPEN="Everything.",
    RESETTING="Nothing: its orders are being cancelled, and then its next life begins.",
    DELETING="Nothing: its orders are being cancelled, and then it is deleted.",
    DELETED="Nothing. Such a portfolio is not shown.",
)

UNQUOTED = "Null if the token has no quote."


@record_type(model.CashBalance)
class PortfolioCash:
    """The cash of a portfolio."""

    currency: Currency = strawberry.field(description="The currency of the portfolio.")
    available: Decimal = strawberry.field(description="What can be spent and paid out.")
    reserved: Decimal = strawberry.field(description="What open orders may take.")
    balance: Decimal = strawberry.field(name="total", description="Both together.")
    contributed: Decimal = strawberry.field(
        description="What this life of the portfolio was given: its opening and deposits, less withdrawals."
    )


@record_type(model.Position)
class Position:
    """A token that a portfolio holds, or has held in its present life."""

    symbol: str = strawberry.field(description="The token's symbol.")
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null if it no longer has this symbol."
    )
    currency: Currency = strawberry.field(description="The currency of the portfolio, and of the amounts.")
    quantity: Decimal = strawberry.field(description="The quantity, in coins. 0 if everything was sold.")
    reserved: Decimal = strawberry.field(
        name="reservedQuantity", description="The quantity that open orders may sell, in coins."
    )
    available: Decimal = strawberry.field(
        name="availableQuantity", description="The quantity that can be sold, in coins."
    )
    cost: Decimal = strawberry.field(description=f"What was paid for the quantity, fees included. {IN_CURRENCY}")
    average_cost: Decimal | None = strawberry.field(
        description=f"What was paid for one coin. {IN_CURRENCY} Null if the quantity is 0."
    )
    price: Decimal | None = strawberry.field(description=f"The newest price of a coin. {IN_CURRENCY} {UNQUOTED}")
    quoted_at: datetime | None = strawberry.field(description=f"When the price was quoted. {UNQUOTED}")
    market_value: Decimal | None = strawberry.field(description=f"Quantity times price. {IN_CURRENCY} {UNQUOTED}")
    unrealized_pnl: Decimal | None = strawberry.field(description=f"Market value less cost. {IN_CURRENCY} {UNQUOTED}")
    realized_pnl: Decimal = strawberry.field(description=f"The profit of all sales, less fees. {IN_CURRENCY}")
    weight: float | None = strawberry.field(
        name="weightFraction",
        description="The market value as a fraction of what cash and the quoted tokens are worth. " + UNQUOTED,
    )
    opened_at: datetime = strawberry.field(description="When the first of the quantity was bought.")
    updated_at: datetime = strawberry.field(description="When the token was last bought or sold.")


@strawberry.input
class PositionFilter:
    """Filters positions by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    held: bool | None = strawberry.field(default=None, description="Whether the quantity is more than 0.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return vars(self) | {"symbol": None if self.symbol is None else symbol_of(self.symbol)}


PositionOrderBy = order_input(
    "Position",
    "The default is by symbol.",
    SYMBOL="The symbol of the token.",
    VALUE="The market value; positions without a quote come last.",
)


def _value(root: model.Portfolio) -> PortfolioValue:
    return PortfolioValue(portfolio_id=root.id)


@node_type(by=loaders.portfolio_by_id)
class Portfolio(Node):
    """Cash and tokens that the viewer trades with. Visible to the viewer only."""

    name: str = strawberry.field(description=f"The name, 1 to {model.MAX_NAME_CHARS} characters.")
    mode: TradingMode = strawberry.field(description="Whether it has play money or real money.")
    currency: Currency = strawberry.field(
        description="The currency of its cash. Quotes and fees are in dollars, and are converted at the rate of the"
        " fill."
    )
    status: model.PortfolioStatus = strawberry.field(description="What can be done with it.")
    is_default: bool = strawberry.field(
        description="Whether it is the viewer's default. Exactly one of the viewer's portfolios is."
    )
    life: int = strawberry.field(description="Its life. 1 is the first; each reset begins the next.")
    life_began_at: datetime = strawberry.field(description="When this life began.")
    initial_balance: Decimal = strawberry.field(description=f"The cash that each life begins with. {IN_CURRENCY}")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When its name, status or life was last changed.")
    cash: PortfolioCash = related(loaders.balance_by_portfolio, key="id", description="Its cash.")
    value: PortfolioValue = from_parent(_value, description="What it is worth now.")
    positions: Connection[Position] = paged(
        loaders.positions_by_portfolio,
        key="id",
        filter=PositionFilter,
        order_by=PositionOrderBy,
        description="The tokens that it holds, or has held in this life, by symbol.",
    )
    lots: Connection[Lot] = paged(
        journal_loaders.lots_by_portfolio,
        key="id",
        filter=LotFilter,
        description="What was bought, each purchase apart, newest first; in earlier lives as well.",
    )
    disposals: Connection[Disposal] = paged(
        journal_loaders.disposals_by_portfolio,
        key="id",
        filter=DisposalFilter,
        description="What was sold, each part of a lot apart, newest first; in earlier lives as well.",
    )
    journal: Connection[JournalEntry] = paged(
        journal_loaders.entries_by_portfolio,
        key="id",
        filter=JournalEntryFilter,
        description="Everything that moved its cash and its coins, newest first; in earlier lives as well.",
    )
    value_history: Connection[PortfolioValuePoint] = paged(
        loaders.value_points,
        key="id",
        filtering=point_filters,
        max_size=MAX_POINTS,
        description="What it was worth, newest first; in earlier lives as well.",
    )
    performance: Connection[PortfolioPerformance] = paged(
        performance_loaders.performance_by_portfolio,
        key="id",
        filtering=performance_filters,
        description="What it did in each day, week, month or year, newest first; in earlier lives as well. The first is"
        " the present one, so far.",
    )


@strawberry.input(one_of=True)
class PortfolioBy:
    """Identifies a portfolio."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class PortfolioQuery:
    """A single portfolio."""

    portfolio: Portfolio | None = lookup(
        PortfolioBy,
        {"id": by_id(Portfolio, loaders.portfolio_by_id)},
        of=Portfolio,
        argument="Identifies the portfolio.",
        description="A portfolio of the viewer. Null if there is none.",
    )


@strawberry.input
class PortfolioFilter:
    """Filters portfolios by all fields that are given. A field that is null or omitted matches all."""

    mode: TradingMode | None = strawberry.field(default=None, description="Whether it has play money or real money.")
    currency: Currency | None = strawberry.field(default=None, description="The currency of its cash.")


@strawberry.type
class PortfolioViewer:
    """The viewer's portfolios."""

    portfolios: Connection[Portfolio] = paged(
        loaders.portfolios_by_user,
        key="user_id",
        filter=PortfolioFilter,
        description="The viewer's portfolios, oldest first.",
    )
    default_portfolio: Portfolio | None = related(
        loaders.default_portfolio_by_user,
        key="user_id",
        description="The viewer's default portfolio. Null if the viewer has no portfolio.",
    )
    portfolio_summary: PortfolioSummary | None = related(
        loaders.summary_by_user,
        key="user_id",
        description="All portfolios of the viewer together. Null if there is none, or until it is first computed.",
    )


@strawberry.type
class PortfolioSubscription:
    """Live values of portfolios."""

    @volatile(PortfolioValue, payload=live_value, per_s=ticks_per_s)
    async def portfolio_value(
        self,
        info: Info,
        portfolio_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the portfolio.")],
    ) -> Followed:
        """What a portfolio of the viewer is worth: at once, and at each tick of the market as fast as the client reads.
        It is computed once for all who watch the same fields of it.
        """
        info.context.require_viewer()
        id = key_of(portfolio_id, Portfolio)
        if await info.context.reads.one(loaders.portfolio_by_id, id) is None:
            raise NotFound(Portfolio)
        return Followed(PRICES_TOPIC, choice=id)
