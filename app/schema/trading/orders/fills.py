"""Fills, and the history of trades that they are."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.trading.journal import loaders as journal_loaders
from app.domains.trading.orders import loaders, model
from app.engine.declarations.computed import from_parent
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, global_id, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.currencies import Currency
from app.schema.market.tokens import Token
from app.schema.trading.journal import JournalEntry
from app.schema.trading.orders.kinds import Liquidity, OrderStatus, OrderType, Side
from app.schema.trading.portfolios import Portfolio

if TYPE_CHECKING:
    from app.schema.trading.orders.orders import Order

LIFE = "The life of the portfolio that it belongs to. 1 is the first."
_NO_QUOTE = "Null if the house had none."
_DOLLARS = "Null if the portfolio is in dollars."


def trade_id(id: Any) -> strawberry.ID:
    """The ID of a trade. Both of its sides have it, and what everybody sees of it."""
    return global_id("Trade", id)


def _trade_id(root: model.Fill) -> strawberry.ID:
    return trade_id(root.trade_id)


def _is_against_house(root: model.Fill) -> bool:
    return root.counter_order_id is None


def _bid(root: model.Fill) -> Decimal | None:
    return root.quote_bid or None


def _ask(root: model.Fill) -> Decimal | None:
    return root.quote_ask or None


@node_type(by=loaders.fill_by_id)
class Fill(Node):
    """A trade of an order: all of it, or a part. Never changed. Visible to the viewer only. Kept for seven years."""

    order: Annotated["Order", strawberry.lazy("app.schema.trading.orders.orders")] = related(
        loaders.order_by_id, key="order_id", description="The order, as it is now."
    )
    entry: JournalEntry = related(
        journal_loaders.entry_by_id, key="entry_id", description="The journal entry: what the fill moved."
    )
    trade_id: strawberry.ID = from_parent(
        _trade_id, description="The ID of the trade, which `trades` shows to everybody."
    )
    life: int = strawberry.field(description=LIFE)
    symbol: str = strawberry.field(description="The token's symbol.")
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null if it no longer has this symbol."
    )
    side: Side = strawberry.field(description="Whether coins were bought or sold.")
    quantity: Decimal = strawberry.field(description="The quantity that was bought or sold, in coins.")
    price: Decimal = strawberry.field(name="priceUsd", description="The price of a coin, in dollars.")
    quote_quantity: Decimal = strawberry.field(
        name="quoteAmountUsd",
        description="Quantity times price, in dollars and without the fee: what a buyer paid, or a seller received.",
    )
    fee: Decimal = strawberry.field(
        name="feeUsd", description="The fee, in dollars. The entry has it in the currency of the portfolio."
    )
    liquidity: Liquidity = strawberry.field(description="Whether the order waited in the book. Fees differ.")
    is_against_house: bool = from_parent(
        _is_against_house, description="Whether the other side was the house, and not another user."
    )
    quote_bid_usd: Decimal | None = from_parent(
        _bid, description=f"The best bid of the house at that moment, in dollars. {_NO_QUOTE}"
    )
    quote_ask_usd: Decimal | None = from_parent(
        _ask, description=f"The best ask of the house at that moment, in dollars. {_NO_QUOTE}"
    )
    quote_at: datetime = strawberry.field(
        name="quotedAt", description="When the price was quoted that the house went by."
    )
    currency: Currency = strawberry.field(description="The currency of the portfolio.")
    fx_rate: Decimal | None = strawberry.field(
        description=f"What a dollar cost, in the currency of the portfolio. {_DOLLARS}"
    )
    fx_source: str | None = strawberry.field(description=f"The source of the rate. {_DOLLARS}")
    fx_at: datetime | None = strawberry.field(name="fxQuotedAt", description=f"When the rate was quoted. {_DOLLARS}")
    created_at: datetime = strawberry.field(description="When the order was filled.")


@record_type(model.TradeHistoryEntry)
class TradeHistoryEntry:
    """A fill as an entry of a history of trades: the fill with what is known of its order now."""

    fill: Fill = related(loaders.fill_by_id, key="id", description="The fill.")
    order: Annotated["Order", strawberry.lazy("app.schema.trading.orders.orders")] = related(
        loaders.order_by_id, key="order_id", description="The order, as it is now."
    )
    life: int = strawberry.field(description=LIFE)
    exchange: str = strawberry.field(description="The exchange. `internal` is Moneta's own.")
    symbol: str = strawberry.field(description="The token's symbol.")
    type: OrderType = strawberry.field(description="The type of the order.")
    side: Side = strawberry.field(description="Whether coins were bought or sold.")
    amount: Decimal = strawberry.field(name="quantity", description="The quantity that was bought or sold, in coins.")
    price: Decimal = strawberry.field(name="priceUsd", description="The price of a coin, in dollars.")
    fee: Decimal = strawberry.field(name="feeUsd", description="The fee, in dollars.")
    liquidity: Liquidity = strawberry.field(description="Whether the order waited in the book. Fees differ.")
    status: OrderStatus = strawberry.field(description="What has become of the order.")
    created_at: datetime = strawberry.field(description="When the order was filled.")


@strawberry.input
class FillFilter:
    """Filters fills by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    side: Side | None = strawberry.field(default=None, description="Whether coins were bought or sold.")
    since: datetime | None = strawberry.field(default=None, description="Filled at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Filled before this time.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return with_symbol(vars(self))


def with_symbol(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The same conditions, with the symbol as tokens have it."""
    symbol = conditions["symbol"]
    return {**conditions, "symbol": None if symbol is None else symbol_of(symbol)}


@extension_of(Portfolio)
class PortfolioFills:
    """What the portfolio traded."""

    fills: Connection[Fill] = paged(
        loaders.fills_by_portfolio,
        key="id",
        stream=model.fill_stream,
        filter=FillFilter,
        description="What its orders traded, newest first; in earlier lives as well.",
    )
    trade_history: Connection[TradeHistoryEntry] = paged(
        loaders.trades_by_portfolio,
        key="id",
        stream=model.fill_stream,
        filter=FillFilter,
        description="Its fills as a history of trades, each with what has become of its order, newest first; in earlier"
        " lives as well.",
    )


@extension_of(JournalEntry)
class EntryFill:
    """What the entry is about."""

    fill: Fill | None = related(
        loaders.fill_by_id, key="fill_id", description="The fill that was posted. Null unless the kind is FILL."
    )
    order: Annotated["Order", strawberry.lazy("app.schema.trading.orders.orders")] | None = related(
        loaders.order_by_id, key="order_id", description="The order of the fill. Null unless the kind is FILL."
    )
