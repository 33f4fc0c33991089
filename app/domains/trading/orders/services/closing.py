"""What becomes of the orders of a portfolio that is reset or deleted."""

from datetime import datetime
from typing import Final
from uuid import UUID

from app.domains.trading.orders.model import PORTFOLIO_DELETED, fill_stream, order_stream
from app.domains.trading.orders.statements import InboxSql
from app.kit.db import Tx
from app.kit.events import Fact

INBOX_CHANNEL: Final = "moneta:inbox"
"""Wakes the matcher."""


async def cancel_for_closing(tx: Tx, portfolio_id: UUID, at: datetime) -> int:
    """Asks for the cancellation of all open orders of a locked portfolio, and for its end after them."""
    [count] = await tx.fetch(InboxSql.cancel_portfolio, portfolio_id, at)
    return count


def facts_of_deletion(portfolio_id: UUID) -> list[Fact]:
    """What ends the streams of a portfolio."""
    return [Fact(stream, PORTFOLIO_DELETED, {}) for stream in (order_stream(portfolio_id), fill_stream(portfolio_id))]
