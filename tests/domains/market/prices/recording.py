"""What the tests of the recorder share."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from redis.asyncio import Redis

from app.domains.market.prices.model import Interval, Move
from app.domains.market.prices.services.recorder import AfterMinute, OnMoves
from app.kit.db import Tx
from app.kit.volatile import latest_key
from tests.databases import Owner

SECOND = timedelta(seconds=1)
NAMES = {"BTC": ("bitcoin", "Bitcoin"), "ETH": ("ethereum", "Ethereum")}


class Moves:
    """Notes what it is given in the transaction of a tick, and may refuse."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[Move]]] = []
        self.refuses = False

    async def __call__(self, tx: Tx, source: str, moves: Sequence[Move]) -> None:
        self.seen.append((source, sorted(moves, key=lambda move: move.symbol)))
        if self.refuses:
            raise LookupError("an alert that cannot be evaluated")


def hooks(moves: OnMoves | None = None, minute: AfterMinute | None = None) -> tuple[list[OnMoves], list[AfterMinute]]:
    return [moves] if moves else [], [minute] if minute else []


async def was_published(redis: Redis) -> bool:
    """Whether the last of a tick's topics was published."""
    return bool(await redis.exists(latest_key(Interval.ONE_DAY.topic)))


async def prices(owner: Owner) -> dict[str, Decimal]:
    return {row[0]: row[1] for row in await owner.fetch("SELECT symbol, price_usd FROM market_data ORDER BY symbol")}
