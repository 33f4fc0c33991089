"""Cancelling all orders of a portfolio that is reset or deleted."""

from datetime import datetime
from typing import Final
from uuid import UUID

from app.domains.trading.orders.statements import InboxSql
from app.kit.db import Tx

INBOX_CHANNEL: Final = "moneta:inbox"
"""Wakes the matcher."""


async def cancel_for_closing(tx: Tx, portfolio_id: UUID, at: datetime) -> int:
    """Asks for the cancellation of all open orders of a locked portfolio, and for its end after them."""
    [count] = await tx.fetch(InboxSql.cancel_portfolio, portfolio_id, at)
    return count
