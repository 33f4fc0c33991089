"""What everybody sees of the exchange: the book of a token, and its trades."""

import asyncio
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.trading.matching.model import BOOKS_TOPIC, TRADES_KEPT, TRADES_TOPIC
from app.domains.trading.orders import model
from app.domains.trading.orders.services.order_books import OrderBooks
from app.domains.trading.services import TradingServices
from app.engine.declarations.audience import computed_externally, computed_for
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.engine.declarations.subscriptions import Followed, volatile
from app.kit.errors import InvalidInput
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.kit.work import SHARED, Work, working
from app.schema.context import Context, Info
from app.schema.trading.orders.fills import trade_id
from app.schema.trading.orders.kinds import Side

MAX_LEVELS = 50
DEFAULT_LEVELS = 20
PER_S = 2.0

Symbol = Annotated[str, strawberry.argument(description="The token's symbol, in any case.")]
Levels = Annotated[
    int | None,
    strawberry.argument(description=f"The number of prices of each side, 1 to {MAX_LEVELS}. Null: {DEFAULT_LEVELS}."),
]


@record_type(model.OrderBookLevel)
class OrderBookLevel:
    """A price in a book, and what waits there: orders of users and quotes of the house together."""

    price: Decimal = strawberry.field(name="priceUsd", description="The price of a coin, in dollars.")
    quantity: Decimal = strawberry.field(description="The quantity, in coins.")


async def _snapshot(books: OrderBooks, symbol: str, levels: int) -> model.OrderBookSnapshot:
    """A book, in a work of its own: other public reads of the request may be under way, each with a connection."""
    with working(Work(SHARED)):
        return await books.snapshot(symbol, levels)


def _book_field(attribute: str, kind: Any, description: str, **options: Any) -> Any:
    """A field of a book, which is computed once for all its fields."""

    async def resolve(root: "OrderBook", info: Info) -> Any:
        return getattr(await root.known(info.context), attribute)

    return strawberry.field(resolver=resolve, graphql_type=kind, description=description, **options)


def _side(attribute: str, description: str) -> Any:
    metadata = computed_externally() | holds(MAX_LEVELS)
    return _book_field(attribute, list[OrderBookLevel], description, metadata=metadata)


@strawberry.type
class OrderBook:
    """The best prices at which a token can be bought and sold now. Public."""

    symbol: str = strawberry.field(description="The token's symbol.")
    levels: strawberry.Private[int]
    made: strawberry.Private[Any] = None
    """The future of the snapshot, once a field was selected."""

    async def known(self, context: Context) -> model.OrderBookSnapshot:
        """What the book is."""
        if self.made is None:
            books = context.services[TradingServices].order_books
            key, make = ("order book", self.symbol, self.levels), partial(_snapshot, books, self.symbol, self.levels)
            self.made = asyncio.ensure_future(context.reads.external(key, make))
        snapshot: model.OrderBookSnapshot = await self.made
        return snapshot

    bids: list[OrderBookLevel] = _side("bids", "At which prices others buy, the highest first.")
    asks: list[OrderBookLevel] = _side("asks", "At which prices others sell, the lowest first.")
    quoted_at: datetime | None = _book_field(
        "quoted_at",
        datetime | None,
        "When the price was quoted that the house goes by. Null while the house quotes nothing.",
        metadata=computed_externally(),
    )
    is_halted: bool = _book_field(
        "is_halted",
        bool,
        "Whether trading in the token is halted: then there is no quote of the house.",
        metadata=computed_externally(),
    )


@strawberry.type
class Trade:
    """A trade of a token, as everybody sees it."""

    trade_id: strawberry.ID = strawberry.field(description="The ID of the trade, which the fills of both sides have.")
    price: Decimal = strawberry.field(name="priceUsd", description="The price of a coin, in dollars.")
    quantity: Decimal = strawberry.field(description="The quantity, in coins.")
    taker_side: Side = strawberry.field(
        description="Whether the order that removed liquidity bought or sold: BUY is a trade at an ask."
    )
    at: datetime = strawberry.field(description="When it happened.")


@strawberry.type
class Trades:
    """The newest trades of a token. Only the latest state is delivered."""

    symbol: str = strawberry.field(description="The token's symbol.")
    trades: list[Trade] = strawberry.field(
        metadata=holds(TRADES_KEPT),
        description=f"The newest trades, oldest first, at most {TRADES_KEPT}. Those that were delivered before are"
        " among them: tell trades apart by their IDs.",
    )


class _Traded(msgspec.Struct, frozen=True):
    """A trade as it is published."""

    id: UUID
    price: Decimal
    quantity: Decimal
    taker_side: Side
    at: datetime


def _trades(latest: Latest, symbol: str) -> Trades | None:
    if latest.key != symbol:
        return None
    newest = msgspec.convert(latest.payload, list[_Traded])[-TRADES_KEPT:]
    return Trades(symbol=symbol, trades=[_trade(each) for each in newest])


def _trade(each: _Traded) -> Trade:
    return Trade(
        trade_id=trade_id(each.id),
        price=each.price,
        quantity=each.quantity,
        taker_side=each.taker_side,
        at=each.at,
    )


def _order_book(latest: Latest, chosen: tuple[str, int]) -> OrderBook | None:
    symbol, levels = chosen
    return OrderBook(symbol=symbol, levels=levels) if latest.key == symbol else None


def _level_count(levels: int | None) -> int:
    if levels is not None and not 1 <= levels <= MAX_LEVELS:
        raise InvalidInput("levels", f"1 to {MAX_LEVELS} levels.")
    return DEFAULT_LEVELS if levels is None else levels


async def _known(info: Info, symbol: str) -> str:
    """The symbol of a token. Raises InvalidInput."""
    known = symbol_of(symbol)
    if await info.context.reads.one(token_loaders.token_by_symbol, known) is None:
        raise InvalidInput("symbol", f"There is no token {symbol[:20]}.")
    return known


@strawberry.type
class BookQuery:
    """The book of a token."""

    @strawberry.field(metadata=computed_for(Audience.PUBLIC))
    async def order_book(self, info: Info, symbol: Symbol, levels: Levels = None) -> OrderBook | None:
        """The best prices of a token's book. Null if there is no token with this symbol. Public."""
        count, known = _level_count(levels), symbol_of(symbol)
        token = await info.context.reads.one(token_loaders.token_by_symbol, known)
        return None if token is None else OrderBook(symbol=known, levels=count)


@strawberry.type
class BookSubscription:
    """Books and trades, live."""

    @volatile(OrderBook, payload=_order_book, audience=Audience.PUBLIC, per_s=PER_S)
    async def order_book(self, info: Info, symbol: Symbol, levels: Levels = None) -> Followed:
        """The best prices of a token's book whenever they change, as fast as the client reads. Skipped states are not
        sent later. Computed once for all who watch the same. Public.
        """
        count = _level_count(levels)
        return Followed(BOOKS_TOPIC, choice=(await _known(info, symbol), count))

    @volatile(Trades, payload=_trades, audience=Audience.PUBLIC, per_s=PER_S)
    async def trades(self, info: Info, symbol: Symbol) -> Followed:
        """The newest trades of a token at once, and again whenever there are more, as fast as the client reads.
        Public.
        """
        return Followed(TRADES_TOPIC, choice=await _known(info, symbol))
