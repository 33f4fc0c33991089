"""What has happened on the chain, in sums and in order of confirmation. Public."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from app.domains.ledger.statements import STATISTICS as Q
from app.kit.db import Database

LARGEST: Final = 10


class Place(NamedTuple):
    """Of a transaction in the chain."""

    height: int
    position: int


class Payment(msgspec.Struct, frozen=True):
    """A confirmed transaction that is no reward. `amount` is in coins, without change."""

    block_height: int
    block_position: int
    transaction_hash: str
    sender_wallet_id: str
    recipient_wallet_id: str
    amount: Decimal
    confirmed_at: datetime


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """The chain at its tip, and what happened in the blocks since a moment. Amounts are in coins."""

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
    largest_payments: Sequence[Payment]


@dataclass(frozen=True)
class Statistics:
    """Counts and sums over the chain."""

    database: Database

    async def activity(self, since: datetime, large: Decimal) -> Activity | None:
        """What happened since, by the blocks' own times; None before genesis. Payments from `large` on are large."""
        row = await self.database.fetch_one(Q.activity_since, since)
        if row is None:
            return None
        tip_height, tip_at, block_time, difficulty, circulating, total, blocks, lowest, payments, fees = row
        volume, large_payments, active, largest = Decimal(0), 0, 0, list[Payment]()
        if blocks:
            sums = await self.database.fetch(Q.payments_from_height, lowest, large)
            volume, large_payments, active = sums[0]
            largest = _payments(await self.database.fetch(Q.largest_payments_from_height, lowest, LARGEST))
        return Activity(
            tip_height=tip_height,
            tip_at=tip_at,
            average_block_time_s=float(block_time),
            difficulty_bits=difficulty,
            circulating=circulating,
            total=total,
            blocks=blocks,
            payments=payments,
            volume=volume,
            fees=fees,
            active_wallets=active,
            large_payments=large_payments,
            largest_payments=largest,
        )

    async def payments_after(self, place: Place, limit: int) -> list[Payment]:
        """Up to `limit` confirmed payments behind a place, in the order of the chain."""
        return _payments(await self.database.fetch(Q.payments_after, place.height, place.position, limit))

    async def last_place(self) -> Place | None:
        """Where the newest confirmed transaction is; None before genesis."""
        row = await self.database.fetch_one(Q.last_place)
        return None if row is None else Place(*row)


def _payments(rows: Sequence[Any]) -> list[Payment]:
    return [Payment(*row) for row in rows]
