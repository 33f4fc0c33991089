"""What orders are placed and changed by, read within a transaction."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.market.tokens.model import TokenNotFound, symbol_of
from app.domains.market.tokens.services.search import suggestions
from app.domains.trading.orders.model import NewOrder
from app.domains.trading.orders.rules.terms import MarketTerms
from app.domains.trading.orders.statements import OrderSql
from app.kit.clock import Clock
from app.kit.db import Scope, Tx


def with_symbol(new: NewOrder) -> NewOrder:
    """The order with its symbol as tokens have it."""
    return msgspec.structs.replace(new, symbol=symbol_of(new.symbol))


def request_of(given: msgspec.Struct) -> dict[str, Any]:
    """What distinguishes a request from another: numbers in one form, however many zeros they end with."""
    return {name: _canonical(value) for name, value in msgspec.structs.asdict(given).items() if value is not UNSET}


def _canonical(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return request_of(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, tuple):
        return [_canonical(each) for each in value]
    return value


async def read_terms(tx: Tx, user_id: UUID, portfolio_id: UUID, new: NewOrder, clock: Clock) -> MarketTerms:
    """What decides whether an order can be placed. Raises TokenNotFound."""
    terms = await read_terms_of_change(tx, user_id, portfolio_id, new, clock)
    if terms.is_listed is None:
        raise TokenNotFound(new.symbol, await suggestions(tx, new.symbol))
    return terms


async def read_terms_of_change(tx: Tx, user_id: UUID, portfolio_id: UUID, new: NewOrder, clock: Clock) -> MarketTerms:
    """What decides whether an order can be changed. Its token may have another symbol now."""
    [terms] = await tx.fetch(
        OrderSql.market_terms,
        portfolio_id,
        user_id,
        new.symbol,
        new.client_order_id,
        new.side,
        clock.now(),
    )
    return terms


def system_scope(viewer: Viewer) -> Scope:
    """As Moneta, for this viewer: only Moneta writes what is about money."""
    return msgspec.structs.replace(viewer.scope, system=True)
