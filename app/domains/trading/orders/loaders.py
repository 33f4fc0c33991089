"""The loaders of orders and fills, which only the owner of the portfolio can read, and of halts."""

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import OrderStatus
from app.domains.trading.orders.statements import OrderReadSql
from app.domains.trading.quantities.model import Side
from app.kit.lists import Filter, at_least, before, by, constant, equals
from app.kit.loaders import Audience, many, one, page

NEWEST = {"CREATED_AT": by("created_at", "id", descending=True)}
_KINDS: dict[str, Filter] = {
    "symbol": equals("symbol"),
    "side": constant("side", Side),
    "type": constant("type", OrderType),
}
_TRADED: dict[str, Filter] = {
    "symbol": equals("symbol"),
    "side": constant("side", Side),
    "since": at_least("created_at"),
    "until": before("created_at"),
}

order_by_id = one(OrderReadSql.orders_by_ids, key="id", audience=Audience.VIEWER)
order_by_client_key = one(OrderReadSql.orders_by_client_keys, key="client_key", audience=Audience.VIEWER)
orders_by_bracket = many(OrderReadSql.orders_by_brackets, audience=Audience.VIEWER)
orders_by_portfolio = page(
    OrderReadSql.orders_by_portfolio,
    orders=NEWEST,
    filters={
        "status": constant("status", OrderStatus),
        "open": constant("is_open"),
        "bracket_id": equals("bracket_id"),
        **_KINDS,
    },
    audience=Audience.VIEWER,
)
open_orders_by_user = page(OrderReadSql.open_orders_by_user, orders=NEWEST, filters=_KINDS, audience=Audience.VIEWER)
fill_by_id = one(OrderReadSql.fills_by_ids, key="id", audience=Audience.VIEWER)
fills_by_order = page(OrderReadSql.fills_by_order, orders=NEWEST, audience=Audience.VIEWER)
fills_by_portfolio = page(OrderReadSql.fills_by_portfolio, orders=NEWEST, filters=_TRADED, audience=Audience.VIEWER)
trades_by_portfolio = page(OrderReadSql.trades_by_portfolio, orders=NEWEST, filters=_TRADED, audience=Audience.VIEWER)
halts = page(OrderReadSql.halts, orders=NEWEST, audience=Audience.PUBLIC)
halt_by_user = one(OrderReadSql.halts_by_users, key="user_id", audience=Audience.VIEWER)
