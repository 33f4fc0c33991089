"""Public statistics of the chain, and its payments in the order of confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from app.domains.ledger.model import ChainPosition, ConfirmedPayment
from app.domains.ledger.statements import StatisticsSql
from app.kit.db import Database

LARGEST: Final = 10


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """The tip of the chain, and sums over the blocks since a moment. Amounts are in coins."""

    tip_height: int
    tip_at: datetime
    average_block_time_s: float
    difficulty_bits: int
    circulating: Decimal
    total: Decimal
    blocks: int
    payments: int
    volume: Decimal
    fees: Decimal
    active_wallets: int
    large_payments: int
    largest_payments: Sequence[ConfirmedPayment]


@dataclass(frozen=True)
class Statistics:
    """Counts and sums over the chain."""

    database: Database

    async def activity(self, since: datetime, large: Decimal) -> Activity | None:
        """Returns the activity since a moment, by block times, or None before genesis. `large` is the threshold."""
        row = await self.database.fetch_one(StatisticsSql.activity_since, since)
        if row is None:
            return None
        volume, large_payments, active, largest = Decimal(0), 0, 0, list[ConfirmedPayment]()
        if row.blocks:
            ((volume, large_payments, active),) = await self.database.fetch(
                StatisticsSql.payments_from_height, row.lowest, large
            )
            largest = await self.database.fetch(StatisticsSql.largest_payments_from_height, row.lowest, LARGEST)
        return Activity(
            tip_height=row.tip_height,
            tip_at=row.updated_at,
            average_block_time_s=float(row.average_block_time),
            difficulty_bits=row.current_difficulty,
            circulating=row.circulating_coins,
            total=row.total_coins,
            blocks=row.blocks,
            payments=row.payments,
            volume=volume,
            fees=row.fees,
            active_wallets=active,
            large_payments=large_payments,
            largest_payments=largest,
        )

    async def payments_after(self, position: ChainPosition, limit: int) -> list[ConfirmedPayment]:
        """Returns up to `limit` confirmed payments after a position, in the order of the chain."""
        after = (position.block_height, position.block_position)
        return await self.database.fetch(StatisticsSql.payments_after, *after, limit)

    async def last_position(self) -> ChainPosition | None:
        """Returns the position of the newest confirmed transaction; None before genesis."""
        return await self.database.fetch_one(StatisticsSql.last_position)
