"""The exchange runs in one worker: it matches what the inbox holds, and announces what it did."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

import msgspec
import structlog

from app.domains.trading.matching.model import BOOKS_TOPIC, TRADES_KEPT, TRADES_TOPIC, Trade
from app.domains.trading.matching.services.matcher import Matcher
from app.kit.db import Database
from app.kit.leadership import Leadership, LeadershipLost
from app.kit.tasks import end, heed_cancellation
from app.kit.volatile import VolatileTopics
from app.kit.wake import Wake

STANDBY_S: Final = 1.0
HOLD_CHECK_S: Final = 2.0
POLL_S: Final = 0.1
EXPIRY_S: Final = 1.0
"""How late an order expires while nothing else happens."""
LEADER: Final = "exchange"
"""The lock of who matches."""

log = structlog.get_logger(__name__)


class Announcer:
    """Publishes trades, and books and holdings that have changed, best effort: a lost Redis delays nothing."""

    def __init__(self, volatile: VolatileTopics, announce_holdings: Callable[[Iterable[UUID]], None]) -> None:
        self._volatile = volatile
        self._announce_holdings = announce_holdings
        self._trades = dict[str, list[Trade]]()

    def publish(
        self, symbols: Iterable[str], trades: Iterable[Trade], portfolio_ids: Iterable[UUID], number: int
    ) -> None:
        """Announces the changes of a batch, whose last command has this number."""
        self._announce_holdings(portfolio_ids)
        traded = set[str]()
        for trade in trades:
            self._trades.setdefault(trade.symbol, []).append(trade)
            traded.add(trade.symbol)
        for symbol in traded:
            newest = self._trades[symbol] = self._trades[symbol][-TRADES_KEPT:]
            self._volatile.publish_soon(TRADES_TOPIC, symbol, msgspec.to_builtins(newest))
        for symbol in symbols:
            self._volatile.publish_soon(BOOKS_TOPIC, symbol, {"number": number})


class Exchange:
    """Runs until cancelled. Losing Postgres or Redis only delays: a command stays in the inbox until it was done."""

    def __init__(self, database: Database, matcher: Matcher, wake: Wake) -> None:
        self._matcher = matcher
        self._wake = wake
        self._leadership = Leadership(database, LEADER)

    async def run(self) -> None:
        """Matches while this worker leads, and waits while it does not."""
        listener = asyncio.create_task(self._wake.listen())
        try:
            await self._leadership.run(self._lead, standby_s=STANDBY_S, name="exchange")
        finally:
            await end(listener)

    async def _lead(self) -> None:
        await self._matcher.lead()
        log.info("exchange.active")
        loop, rung = asyncio.get_running_loop(), self._wake.rung
        checked_s = matched_s = loop.time()
        rung.set()
        while True:
            heed_cancellation()
            # Also where nothing is asked: orders expire.
            if rung.is_set() or loop.time() - matched_s > EXPIRY_S or await self._matcher.is_due():
                rung.clear()
                matched_s = loop.time()
                if (await self._matcher.match()).has_more:
                    rung.set()
            # Not wait_for: in Python 3.11 it loses a cancellation that meets the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await rung.wait()
            if loop.time() - checked_s > HOLD_CHECK_S:
                checked_s = loop.time()
                if not await self._leadership.hold():
                    raise LeadershipLost
