"""Following what is open at an exchange: its trades, and its end."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from app.domains.trading.exchange.model import Reason
from app.domains.trading.venues.model import (
    ABSENT_AFTER,
    TRADES_OVERLAP,
    Closing,
    DueOrder,
    NoSuchOrder,
    OutcomeUnknown,
    RemoteOrder,
    RemoteStatus,
    RemoteTrade,
    Unsuitable,
    VenueOrderState,
)
from app.domains.trading.venues.rules.requests import is_never_open_for_long
from app.domains.trading.venues.services.client import SEARCHED_BEFORE, ExchangeClient
from app.domains.trading.venues.services.epochs import hold_epoch
from app.domains.trading.venues.services.settler import Settler
from app.domains.trading.venues.statements import SendingSql, SettlingSql
from app.kit.db import SYSTEM, Database, Tx

TOLERATED: Final = 10
"""So many calls about single orders may fail in one step."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Following:
    """Follows what is open at one account. What an exchange does not answer is asked again at the next step."""

    database: Database
    settler: Settler
    client: ExchangeClient
    account_id: UUID
    epoch: int

    async def follow(self, market: str, opened: Sequence[DueOrder], now: datetime) -> None:
        """Settles the trades of a market, and ends what is not open there any more, one by one: an exchange that is
        busy after each few calls delays it, and does not stop it. Of what the exchange does not answer about one order
        the others do not suffer. Raises VenueError, LeadershipLost.
        """
        listed, tolerance = {each.id for each in await self.client.open_orders(market)}, _Tolerance()
        # After what is open was read: the trades of what is not are there then, or will be asked for by its ID.
        with tolerance.of_one():
            await self.read_trades(market, await self._since(market, opened, now))
        for each in opened:
            assert each.exchange_order_id is not None
            if each.exchange_order_id in listed:
                if each.missing_since is not None:
                    await self._note_missing(each, None)
                continue
            if tolerance.is_exhausted:
                break
            with tolerance.of_one():
                if (found := await self._ended(each, now)) is not None:
                    await self._end(each, found)

    async def read_trades(self, market: str, since: datetime) -> list[RemoteTrade]:
        """Settles the trades of a market since a moment that are of what was sent and new; returns all of them. Raises
        VenueError, LeadershipLost.
        """
        trades = await self.client.trades(market, since)
        if trades:
            sent, known = await self._known(market, trades)
            ours = [(sent[each.order_id], each) for each in trades if each.order_id in sent and each.id not in known]
            await self._settle(ours, [])
            await self._write_cursor(market, max(each.at for each in trades))
        return trades

    async def _since(self, market: str, opened: Sequence[DueOrder], now: datetime) -> datetime:
        """From when on trades are read: all have been that are older."""
        cursor = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(SendingSql.cursor, self.account_id, market))
        if cursor is not None:
            return cursor - TRADES_OVERLAP
        return min((each.sent_at for each in opened if each.sent_at is not None), default=now) - SEARCHED_BEFORE

    async def _known(self, market: str, trades: Sequence[RemoteTrade]) -> tuple[dict[str, UUID], set[str]]:
        """What was sent, by the exchange's IDs of the orders that were traded; and which of the trades are settled."""
        orders = sorted({each.order_id for each in trades if each.order_id is not None})
        ids = [each.id for each in trades]

        async def work(tx: Tx) -> tuple[dict[str, UUID], set[str]]:
            sent = await tx.fetch(SettlingSql.by_exchange_orders, self.account_id, market, orders)
            known = await tx.fetch(SettlingSql.known_trades, self.account_id, [market] * len(ids), ids)
            return {exchange_id: id for id, exchange_id in sent}, {each.trade_id for each in known}

        return await self.database.read(SYSTEM, work)

    async def _ended(self, due: DueOrder, now: datetime) -> RemoteOrder | None:
        """What has become of an order that is not listed as open; None: that is not known yet. Raises VenueError."""
        assert due.exchange_order_id is not None
        try:
            found = await self.client.order(due.exchange_order_id, due.market)
        except NoSuchOrder:
            if due.missing_since is None:
                await self._note_missing(due, now)
                return None
            if now - due.missing_since < ABSENT_AFTER:
                return None
            log.warning("venue.order_vanished", id=str(due.id))
            # What was filled of it is what its trades add up to.
            trades = await self.client.order_trades(due.exchange_order_id, due.market, due.sent_at or now)
            await self._settle([(due.id, each) for each in trades], [])
            closing = Closing(
                due.id, VenueOrderState.CLOSED, RemoteStatus.CANCELED, reason=Reason.VANISHED, failure="Vanished"
            )
            await self._settle([], [closing])
            return None
        if due.missing_since is not None:
            await self._note_missing(due, None)
        return None if found.status is RemoteStatus.OPEN else found

    async def _end(self, due: DueOrder, found: RemoteOrder) -> None:
        """Ends an order with its trades. Those that were listed too late for those of its market are asked for by its
        ID; if some are missing still, it stays open. Raises VenueError.
        """
        assert due.sent_at is not None
        closing = _closing(due, found)
        if await self._settle([], [closing]):
            trades = await self.client.order_trades(found.id, due.market, due.sent_at)
            await self._settle([(due.id, each) for each in trades], [closing])

    async def _settle(self, trades: list[tuple[UUID, RemoteTrade]], closings: list[Closing]) -> list[UUID]:
        exchange = self.client.exchange.name.value
        return await self.settler.settle(self.epoch, self.account_id, exchange, trades, closings)

    async def _note_missing(self, due: DueOrder, since: datetime | None) -> None:
        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self.epoch)
            await tx.execute(SendingSql.note_missing, due.id, since)

        await self.database.write(SYSTEM, work)

    async def _write_cursor(self, market: str, to: datetime) -> None:
        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self.epoch)
            await tx.execute(SendingSql.put_cursor, self.account_id, market, to)

        await self.database.write(SYSTEM, work)


class _Tolerance:
    """What is not known of one order is asked again at the next step. An exchange that is busy is left alone at once,
    and one that hardly answers is not asked about all orders in turn.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def is_exhausted(self) -> bool:
        return self._failures >= TOLERATED

    @contextlib.contextmanager
    def of_one(self) -> Iterator[None]:
        """Around what is about one order."""
        try:
            yield
        except (OutcomeUnknown, Unsuitable) as error:
            self._failures += 1
            log.info("venue.not_followed", kind=error.kind)


def _closing(due: DueOrder, found: RemoteOrder) -> Closing:
    reason = Reason.NOT_FILLED_AT_ONCE if is_never_open_for_long(due) else Reason.ENDED
    if found.status is RemoteStatus.REJECTED:
        reason = Reason.REFUSED
    return Closing(due.id, VenueOrderState.CLOSED, found.status, filled=found.filled, reason=reason)
