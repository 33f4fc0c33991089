"""Halting trading: one's own, or as an admin that of everybody."""

import asyncio
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from app.domains.accounts.model import Viewer
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.trading.orders import loaders, model
from app.domains.trading.orders.services.halts import MAX_LIVE_ORDERS, MAX_REASON_CHARS, Halts
from app.domains.trading.services import TradingServices
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import InvalidInput, mutation
from app.engine.declarations.relations import paged, related
from app.kit import errors
from app.schema.context import Info
from app.schema.market.tokens import Token, TokenNotFound
from app.schema.trading.orders.orders import Order


@strawberry.enum
class TradingHaltScope(Enum):
    """Whose trading is halted."""

    OWN = strawberry.enum_value("own", description="That of the viewer.")
    TOKEN = strawberry.enum_value("token", description="That of everybody in one token. For admins.")
    MARKET = strawberry.enum_value("market", description="That of everybody in all tokens. For admins.")


SCOPE = "Whose trading. Null: OWN."
SYMBOL = "The token's symbol, in any case. Required with TOKEN, and not allowed otherwise."


@record_type(model.UserHalt)
class TradingHalt:
    """The viewer has halted their own trading: no order of theirs is placed until `resumeTrading`."""

    created_at: datetime = strawberry.field(name="haltedAt", description="When trading was halted.")


@record_type(model.MarketHalt)
class MarketHalt:
    """An admin has halted trading: open orders wait, and none is placed but to be refused. Public."""

    symbol: str | None = strawberry.field(description="The token's symbol. Null: all tokens.")
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null: all tokens, or one that is gone."
    )
    reason: str = strawberry.field(
        description=f"Why, for people to read, at most {MAX_REASON_CHARS} characters. Empty if no reason was given."
    )
    created_at: datetime = strawberry.field(name="haltedAt", description="When trading was halted.")


@strawberry.input
class HaltTradingInput:
    """Whose trading to halt."""

    scope: TradingHaltScope | None = strawberry.field(default=None, description=SCOPE)
    symbol: str | None = strawberry.field(default=None, description=SYMBOL)
    reason: str | None = strawberry.field(
        default=None,
        description=f"Why, for everybody to read, at most {MAX_REASON_CHARS} characters. Not allowed with OWN. Null: no"
        " reason is given.",
    )


@strawberry.input
class ResumeTradingInput:
    """Whose trading to resume."""

    scope: TradingHaltScope | None = strawberry.field(default=None, description=SCOPE)
    symbol: str | None = strawberry.field(default=None, description=SYMBOL)


@strawberry.type
class HaltTradingPayload:
    """Trading is halted, now or since before."""

    scope: TradingHaltScope = strawberry.field(description="Whose trading is halted.")
    symbol: str | None = strawberry.field(description="The token's symbol. Null unless the scope is TOKEN.")
    orders: list[Order] = strawberry.field(
        name="ordersAtExchanges",
        metadata=holds(MAX_LIVE_ORDERS),
        description="The viewer's orders that are still open at exchanges, oldest first, at most"
        f" {MAX_LIVE_ORDERS}. Nothing more is sent, and these are being cancelled; until an exchange has answered,"
        " one may be filled. `exchangeOrder` and `orderUpdates` say what could not be cancelled. Empty unless the scope"
        " is OWN.",
    )


@strawberry.type
class ResumeTradingPayload:
    """This halt has ended, now or before. Others may still be in force."""

    scope: TradingHaltScope = strawberry.field(description="Whose trading is no longer halted by this halt.")
    symbol: str | None = strawberry.field(description="The token's symbol. Null unless the scope is TOKEN.")


@strawberry.type
class HaltMutation:
    """Halts of trading."""

    @mutation(HaltTradingPayload, InvalidInput, TokenNotFound)
    async def halt_trading(self, info: Info, input: HaltTradingInput) -> Any:
        """Halts the viewer's own trading, and cancels all their open orders. An admin can halt that of everybody, in
        one token or in all: then open orders stay, and wait; those at exchanges are cancelled.
        """
        scope, symbol = _target(input)
        orders: list[Any] = []
        if scope is TradingHaltScope.OWN:
            if input.reason is not None:
                raise errors.InvalidInput("reason", "A halt of one's own trading has no reason.")
            ids = await _halts(info).halt_own(info.context.require_viewer())
            found = await asyncio.gather(*(info.context.reads.one(loaders.order_by_id, id) for id in ids))
            orders = [each for each in found if each is not None]
        else:
            await _halts(info).halt(_admin(info), symbol, input.reason or "")
        return HaltTradingPayload(scope=scope, symbol=symbol, orders=orders)

    @mutation(ResumeTradingPayload, InvalidInput, TokenNotFound)
    async def resume_trading(self, info: Info, input: ResumeTradingInput) -> Any:
        """Ends a halt of the viewer's own trading, or, for an admin, one of everybody's."""
        scope, symbol = _target(input)
        if scope is TradingHaltScope.OWN:
            await _halts(info).resume_own(info.context.require_viewer())
        else:
            await _halts(info).resume(_admin(info), symbol)
        return ResumeTradingPayload(scope=scope, symbol=symbol)


def _target(input: HaltTradingInput | ResumeTradingInput) -> tuple[TradingHaltScope, str | None]:
    """Whose trading, and in which token. Raises InvalidInput."""
    scope = input.scope or TradingHaltScope.OWN
    if (input.symbol is not None) is not (scope is TradingHaltScope.TOKEN):
        raise errors.InvalidInput("symbol", "A symbol is required with TOKEN, and not allowed otherwise.")
    return scope, None if input.symbol is None else symbol_of(input.symbol)


def _admin(info: Info) -> Viewer:
    """The viewer, whom this scope requires to be an admin. Raises Unauthenticated or Forbidden."""
    return info.context.require_admin()


def _halts(info: Info) -> Halts:
    return info.context.services[TradingServices].halts


@strawberry.type
class HaltViewer:
    """Whether the viewer trades."""

    trading_halt: TradingHalt | None = related(
        loaders.halt_by_user,
        key="user_id",
        description="The halt of the viewer's own trading. Null if the viewer has not halted it.",
    )


@strawberry.type
class HaltQuery:
    """The halts of the market."""

    market_halts: Connection[MarketHalt] = paged(
        loaders.halts, description="The halts of everybody's trading that are in force, newest first. Public."
    )
