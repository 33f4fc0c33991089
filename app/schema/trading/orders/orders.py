"""Orders as their owner sees them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.trading.orders import loaders, model
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, NodeKind, global_id, key_of, node_type, parse_global_id
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import listed, paged, related
from app.kit.errors import InvalidInput, NotFound
from app.schema.accounts.profile import TradingMode
from app.schema.market.tokens import Token
from app.schema.trading.orders.fills import LIFE, Fill, with_symbol
from app.schema.trading.orders.kinds import BracketRole, OrderStatus, OrderType, Reason, Side, TimeInForce
from app.schema.trading.portfolios import Portfolio

CLIENT_ORDER_ID = "1 to 64 visible characters of ASCII, unique in the portfolio."
BRACKET_ORDERS = 3
_BRACKET = "Bracket"


def _is_open(root: model.Order) -> bool:
    return root.status in model.OPEN


def _remaining(root: model.Order) -> Decimal | None:
    return None if root.quantity is None else root.quantity - root.filled_quantity


def _bracket_id(root: model.Order) -> strawberry.ID | None:
    return None if root.bracket_id is None else global_id(_BRACKET, root.bracket_id)


def _bracket_of(id: strawberry.ID) -> UUID:
    """The key of a bracket. Raises InvalidInput for what is no `bracketId`."""
    try:
        key: UUID = parse_global_id(id, {_BRACKET: NodeKind(loaders.order_by_id, UUID, _BRACKET)})[1]
    except NotFound:
        raise InvalidInput("bracket_id", "This is not the `bracketId` of an order.") from None
    return key


@node_type(by=loaders.order_by_id)
class Order(Node):
    """An order to buy or sell coins for dollars. Visible to the viewer only."""

    portfolio: Portfolio = related(portfolio_loaders.portfolio_by_id, key="portfolio_id", description="The portfolio.")
    life: int = strawberry.field(description=LIFE)
    symbol: str = strawberry.field(description="The token's symbol when the order was placed.")
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null if it no longer has this symbol."
    )
    side: Side = strawberry.field(description="Whether coins are bought or sold.")
    type: OrderType = strawberry.field(description="How its price comes about.")
    time_in_force: TimeInForce = strawberry.field(description="How long it stays open.")
    expires_at: datetime | None = strawberry.field(
        description="When it expires. Null unless the time in force is GOOD_TILL_DATE."
    )
    post_only: bool = strawberry.field(
        name="isPostOnly", description="Whether it is cancelled rather than filled on arrival."
    )
    reduce_only: bool = strawberry.field(
        name="isReduceOnly", description="Whether it can only reduce a position, and never open one."
    )
    quantity: Decimal | None = strawberry.field(
        description="The quantity to buy or sell, filled parts included, in coins. Null if it has a quote amount."
        " That of an exit of a bracket is what the entry has bought, less what the other exit has sold."
    )
    quote_amount: Decimal | None = strawberry.field(
        name="quoteAmountUsd",
        description="The dollars to spend, or to receive, without the fee. Null if it has a quantity.",
    )
    price: Decimal | None = strawberry.field(
        name="priceUsd", description="The limit, in dollars for a coin. Null unless the type is LIMIT or STOP_LIMIT."
    )
    stop_price: Decimal | None = strawberry.field(
        name="stopPriceUsd",
        description="The price that triggers it, in dollars for a coin. Null unless the type is STOP or STOP_LIMIT.",
    )
    trail_amount: Decimal | None = strawberry.field(
        name="trailAmountUsd",
        description="How far the price may turn, in dollars for a coin. Null unless it trails by an amount.",
    )
    trail_fraction: Decimal | None = strawberry.field(
        description="How far the price may turn, as a fraction of the best price: 0.05 is 5 percent. Null unless it"
        " trails by a fraction."
    )
    protection_price: Decimal | None = strawberry.field(
        name="protectionPriceUsd",
        description="The worst price that is paid, in dollars for a coin. Null if it has a limit, or sells.",
    )
    reserved: Decimal = strawberry.field(
        description="What is reserved for the rest of it. Of a purchase cash in the currency of the portfolio, fees"
        " included; of a sale the quantity in coins. The exits of a bracket reserve once. 0 if it is not open."
    )
    filled_quantity: Decimal = strawberry.field(description="The quantity that was bought or sold, in coins.")
    remaining_quantity: Decimal | None = from_parent(
        _remaining, description="The quantity that was not bought or sold, in coins. Null if it has a quote amount."
    )
    filled_quote: Decimal = strawberry.field(
        name="filledQuoteAmountUsd", description="The dollars that were paid or received, without the fees."
    )
    average_fill_price: Decimal | None = strawberry.field(
        name="averageFillPriceUsd",
        description="The average price of a coin, in dollars. Null if nothing is filled.",
    )
    fees: Decimal = strawberry.field(name="feesUsd", description="The fees of all fills, in dollars.")
    status: OrderStatus = strawberry.field(description="What has become of it.")
    is_open: bool = from_parent(_is_open, description="Whether it may still be filled: it is PENDING or PARTIAL.")
    reason: Reason | None = strawberry.field(
        description="Why it was not taken on, or ended before it was filled. Null otherwise."
    )
    mode: TradingMode = strawberry.field(description="Whether it trades play money or real money.")
    exchange: str = strawberry.field(description="The exchange. `internal` is Moneta's own.")
    client_order_id: str | None = strawberry.field(
        description=f"The client's own name of it: {CLIENT_ORDER_ID} Null if it has none."
    )
    bracket_id: strawberry.ID | None = from_parent(
        _bracket_id, description="What the orders of its bracket have in common. Null if it is in no bracket."
    )
    bracket_role: BracketRole | None = strawberry.field(
        description="What it does in its bracket. Null if it is in no bracket."
    )
    bracket_orders: list["Order"] = listed(
        loaders.orders_by_bracket,
        key="bracket_id",
        most=BRACKET_ORDERS,
        description="The orders of its bracket, itself included: the entry, the take profit and the stop loss. Empty"
        " if it is in no bracket.",
    )
    fills: Connection[Fill] = paged(loaders.fills_by_order, key="id", description="What it traded, newest first.")
    triggered_at: datetime | None = strawberry.field(
        description="When the price reached the stop. Null if it did not, or there is none."
    )
    created_at: datetime = strawberry.field(description="When it was placed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    filled_at: datetime | None = strawberry.field(description="When it was filled. Null unless the status is FILLED.")
    cancelled_at: datetime | None = strawberry.field(
        description="When it was cancelled or rejected, or expired. Null otherwise."
    )


@strawberry.input
class ClientOrderInput:
    """An order as its client calls it."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    client_order_id: str = strawberry.field(description="The client's own name of the order in this portfolio.")


@strawberry.input(one_of=True)
class OrderBy:
    """Identifies an order in one of these ways."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    client_order: ClientOrderInput | None = strawberry.field(
        default=strawberry.UNSET, description="The client's own name of it, and the portfolio."
    )


def _client_key(given: Mapping[str, Any]) -> str:
    return f"{key_of(given['portfolioId'], Portfolio)}:{given['clientOrderId']}"


@strawberry.type
class OrderQuery:
    """A single order."""

    order: Order | None = lookup(
        OrderBy,
        {"id": by_id(Order, loaders.order_by_id), "client_order": Key(loaders.order_by_client_key, _client_key)},
        of=Order,
        argument="Identifies the order.",
        description="An order of the viewer. Null if there is none.",
    )


@strawberry.input
class OrderFilter:
    """Filters orders by all fields that are given. A field that is null or omitted matches all."""

    status: OrderStatus | None = strawberry.field(default=None, description="What has become of it.")
    open: bool | None = strawberry.field(default=None, description="Whether it is open: PENDING or PARTIAL.")
    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    side: Side | None = strawberry.field(default=None, description="Whether coins are bought or sold.")
    type: OrderType | None = strawberry.field(default=None, description="How its price comes about.")
    bracket_id: strawberry.ID | None = strawberry.field(
        default=None, description="The `bracketId` of the orders of a bracket."
    )

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return with_symbol(vars(self)) | {
            "bracket_id": None if self.bracket_id is None else _bracket_of(self.bracket_id)
        }


@strawberry.input
class OpenOrderFilter:
    """Filters open orders by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    side: Side | None = strawberry.field(default=None, description="Whether coins are bought or sold.")
    type: OrderType | None = strawberry.field(default=None, description="How its price comes about.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return with_symbol(vars(self))


@extension_of(Portfolio)
class PortfolioOrders:
    """What the portfolio was to trade."""

    orders: Connection[Order] = paged(
        loaders.orders_by_portfolio,
        key="id",
        stream=model.order_stream,
        filter=OrderFilter,
        description="Its orders, newest first; in earlier lives as well.",
    )


@strawberry.type
class OrderViewer:
    """The viewer's orders."""

    open_orders: Connection[Order] = paged(
        loaders.open_orders_by_user,
        key="user_id",
        filter=OpenOrderFilter,
        description="The open orders of all of the viewer's portfolios, newest first.",
    )
