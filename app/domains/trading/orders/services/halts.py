"""Halting trading: a user their own, admins that of everybody, in one token or in all."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.accounts.model import Role, Viewer
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.domains.trading.exchange.model import Reason
from app.domains.trading.orders.services.terms import system_scope
from app.domains.trading.orders.statements import HaltSql, OrderSql
from app.domains.trading.portfolios.statements import PortfolioSql
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Forbidden, InvalidInput
from app.kit.text import is_storable
from app.kit.wake import Wake

MAX_REASON_CHARS: Final = 500
MAX_LIVE_ORDERS: Final = 100
"""How many orders at exchanges a halt of a user names."""


@dataclass(frozen=True)
class Halts:
    """Halts. Repeating one changes nothing."""

    database: Database
    clock: Clock
    wake: Wake

    async def halt_own(self, viewer: Viewer) -> list[UUID]:
        """Halts the trading of the viewer, and cancels all their open orders. An order that is placed at the same time
        is either cancelled or refused. Returns those at exchanges, of which cancellation was asked for: nothing more is
        sent there, but until the exchange has answered they may be filled.
        """

        async def work(tx: Tx) -> list[UUID]:
            # No portfolio is made meanwhile, and no order placed in those that there are.
            await tx.execute(PortfolioSql.lock_user, str(viewer.user_id))
            ids = await tx.fetch(PortfolioSql.lock_portfolios, viewer.user_id)
            now = self.clock.now()
            await tx.fetch(HaltSql.insert_halt, viewer.user_id, None, "", viewer.user_id, now)
            await tx.fetch(OrderSql.cancel_orders, ids, None, Reason.TRADING_HALTED, now)
            tx.after_commit(self.wake.ring_soon)
            return await tx.fetch(OrderSql.open_live_orders, viewer.user_id, MAX_LIVE_ORDERS)

        return await self.database.write(system_scope(viewer), work)

    async def resume_own(self, viewer: Viewer) -> None:
        """Lets the viewer trade again."""

        async def work(tx: Tx) -> None:
            await tx.fetch(HaltSql.delete_halt, viewer.user_id, None)

        await self.database.write(system_scope(viewer), work)

    async def halt(self, viewer: Viewer, symbol: str | None, reason: str) -> None:
        """Halts trading in a token, or in all: open orders wait, and those at exchanges are cancelled.

        Raises Forbidden, InvalidInput, TokenNotFound.
        """
        _require_admin(viewer)
        reason = reason.strip()
        if len(reason) > MAX_REASON_CHARS or not is_storable(reason):
            raise InvalidInput(
                "reason", f"A reason has at most {MAX_REASON_CHARS} characters, and no control characters."
            )

        async def work(tx: Tx) -> None:
            known = None if symbol is None else await known_symbol(tx, symbol)
            now = self.clock.now()
            await tx.fetch(HaltSql.insert_halt, None, known, reason, viewer.user_id, now)
            await tx.execute(HaltSql.cancel_live_orders, known, now)
            await self._ask(tx, "halt", known)
            tx.after_commit(self.wake.ring_soon)

        await self.database.write(system_scope(viewer), work)

    async def resume(self, viewer: Viewer, symbol: str | None) -> None:
        """Ends a halt of everybody's trading. Raises Forbidden, TokenNotFound."""
        _require_admin(viewer)
        wanted = None if symbol is None else symbol_of(symbol)

        async def work(tx: Tx) -> None:
            if not await tx.fetch(HaltSql.delete_halt, None, wanted) and wanted is not None:
                await known_symbol(tx, wanted)
            await self._ask(tx, "resume", wanted)

        await self.database.write(system_scope(viewer), work)

    async def _ask(self, tx: Tx, kind: str, symbol: str | None) -> None:
        """Asks for what the exchange does not do yet: one that passed over a halt is asked again by repeating it."""
        [is_halted] = await tx.fetch(HaltSql.is_market_halted, symbol)
        if is_halted is not (kind == "halt"):
            await tx.execute(HaltSql.ask_market, kind, symbol, self.clock.now())
            tx.after_commit(self.wake.ring_soon)


def _require_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise Forbidden
