"""What everybody sees of a book."""

from dataclasses import dataclass

from app.domains.trading.orders.model import OrderBookSnapshot
from app.domains.trading.orders.rules.books import snapshot_of
from app.domains.trading.orders.statements import OrderBookSql
from app.kit.db import SYSTEM, Database, Tx


@dataclass(frozen=True)
class OrderBooks:
    """The books of all tokens, as they are stored. Read as Moneta: whose orders these are is not shown."""

    database: Database

    async def snapshot(self, symbol: str, levels: int) -> OrderBookSnapshot:
        """The best prices of a token, users' orders and the house's together; none without a book."""

        async def work(tx: Tx) -> OrderBookSnapshot:
            stored = await tx.fetch_one(OrderBookSql.stored_book, symbol)
            if stored is None:
                return snapshot_of(symbol, None, [], [], levels)
            bids = await tx.fetch(OrderBookSql.bids, symbol, levels)
            asks = await tx.fetch(OrderBookSql.asks, symbol, levels)
            return snapshot_of(symbol, stored, bids, asks, levels)

        return await self.database.read(SYSTEM, work)
