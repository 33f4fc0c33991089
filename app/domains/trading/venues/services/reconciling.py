"""Comparing the books with exchanges: what does not agree is a report that the owner reads."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from app.domains.accounts.model import Viewer
from app.domains.trading.exchanges.model import AccountStatus, ExchangeAccount, ExchangeAccountNotConnected
from app.domains.trading.journal.services.batches import lock_cash
from app.domains.trading.orders.services.terms import system_scope
from app.domains.trading.venues.model import (
    DELETED_AT_ONCE,
    MAX_DIFFERENCES,
    RECONCILIATION_RETENTION,
    AskedReconciliation,
    Found,
    KnownTrade,
    NoSuchOrder,
    OpenAccount,
    ReconciliationStatus,
    RemoteOrder,
    RemoteTrade,
    VenueError,
    VenueOrderState,
)
from app.domains.trading.venues.rules.differences import (
    balance_differences,
    order_differences,
    trade_differences,
)
from app.domains.trading.venues.services.adopting import Adoption
from app.domains.trading.venues.services.client import ExchangeClient
from app.domains.trading.venues.services.epochs import hold_epoch
from app.domains.trading.venues.services.following import Following
from app.domains.trading.venues.services.settler import Settler
from app.domains.trading.venues.statements import AccountSql, ReconcilingSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.sql import columns_of
from app.kit.wake import Wake

ATTEMPTS: Final = 20
"""A comparison is made while nothing changes. After so many attempts it has failed."""
COMPARED_BACK: Final = timedelta(days=1)
"""Trades are compared so far back."""

log = structlog.get_logger(__name__)


class Changed(Exception):
    """Something has changed during the comparison."""


@dataclass(frozen=True)
class Reconciling:
    """Asks for comparisons, and makes those that are asked for."""

    database: Database
    clock: Clock
    settler: Settler
    wake: Wake

    async def ask(self, viewer: Viewer, account_id: UUID, *, adopts: bool) -> UUID:
        """Asks for a comparison of an account; returns its ID. While one is asked for already, that is it.

        Raises NotFound, ExchangeAccountNotConnected, InvalidInput.
        """

        async def work(tx: Tx) -> UUID:
            status = await tx.fetch_one(AccountSql.lock_account, account_id, viewer.user_id)
            if status is None:
                raise NotFound(ExchangeAccount)
            if status != AccountStatus.CONNECTED:
                raise ExchangeAccountNotConnected
            if await tx.fetch_one(AccountSql.live_portfolio_of_account, account_id) is None:
                raise InvalidInput("account_id", "No portfolio belongs to this account.")
            [id] = await tx.fetch(ReconcilingSql.ask, account_id, adopts, self.clock.now())
            tx.after_commit(self.wake.ring_soon)
            return id

        return await self.database.write(system_scope(viewer), work)

    async def ask_all(self) -> str:
        """Asks for a comparison of each account that has a portfolio."""
        asked = await self.database.write(SYSTEM, lambda tx: tx.fetch(ReconcilingSql.ask_all, self.clock.now()))
        return f"{len(asked)} accounts"

    async def delete_old(self) -> str:
        """Deletes reports after a year."""
        values, deleted = (self.clock.now() - RECONCILIATION_RETENTION, DELETED_AT_ONCE), 0
        while True:
            count = await self.database.write(SYSTEM, lambda tx: tx.execute(ReconcilingSql.delete_old_reports, *values))
            deleted += count
            if count < DELETED_AT_ONCE:
                return f"{deleted} reports"

    async def compare(self, epoch: int, account: OpenAccount, client: ExchangeClient) -> None:
        """Makes the comparison that is asked for of an account, unless something changes meanwhile: then it is still
        asked for. Raises LeadershipLost.
        """
        asked = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(ReconcilingSql.asked, account.id))
        if asked is None:
            return
        run = _Comparison(self, epoch, account, client, asked)
        try:
            if account.portfolio_id is None:
                raise Changed
            await run.make(account.portfolio_id)
        except (VenueError, Changed) as error:
            log.info("reconciliation.not_made", account=str(account.id), reason=type(error).__name__)
            await run.fail()


class _Comparison:
    """One comparison."""

    def __init__(
        self,
        reconciling: Reconciling,
        epoch: int,
        account: OpenAccount,
        client: ExchangeClient,
        asked: AskedReconciliation,
    ) -> None:
        self._database = reconciling.database
        self._clock = reconciling.clock
        self._settler = reconciling.settler
        self._following = Following(self._database, self._settler, client, account.id, epoch)
        self._epoch = epoch
        self._account = account
        self._client = client
        self._asked = asked

    async def make(self, portfolio_id: UUID) -> None:
        """Raises VenueError, Changed, LeadershipLost."""
        await self._client.prepare()
        version = await self._version(portfolio_id)
        balances = await self._client.balances()
        opened = await self._client.open_orders()
        found, trades = await self._trades()
        if await self._revive(opened, trades):
            raise Changed

        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self._epoch)
            await lock_cash(tx, [portfolio_id])
            sent = await tx.fetch(ReconcilingSql.sent_now, self._account.id)
            [now] = await tx.fetch(ReconcilingSql.version_of_books, portfolio_id)
            if now != version or any(each.state == VenueOrderState.SENDING for each in sent):
                raise Changed
            books = await tx.fetch(ReconcilingSql.books, portfolio_id)
            differences = balance_differences(books, balances, self._client.exchange.quote)
            differences = differences + order_differences(sent, opened) + found
            if self._asked.adopts:
                adoption = Adoption(tx, portfolio_id, self._clock.now())
                differences = await adoption.adopt(self._account.user_id, differences)
            await self._store(tx, portfolio_id, differences)

        await self._database.write(SYSTEM, work)
        self._settler.announce([portfolio_id])

    async def fail(self) -> None:
        """It is tried again, a bounded number of times."""

        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self._epoch)
            await tx.execute(ReconcilingSql.note_attempt, self._asked.id)
            if self._asked.attempts + 1 >= ATTEMPTS:
                await self._finish(tx, ReconciliationStatus.FAILED, 0, self._account.portfolio_id)

        await self._database.write(SYSTEM, work)

    async def _trades(self) -> tuple[list[Found], list[RemoteTrade]]:
        """What does not agree of the trades of a day; and those of no order of ours."""
        since, found, unknown = self._clock.now() - COMPARED_BACK, list[Found](), list[RemoteTrade]()
        markets = await self._database.read(
            SYSTEM, lambda tx: tx.fetch(ReconcilingSql.markets_of_account, self._account.id)
        )
        for market in markets:
            trades = await self._following.read_trades(market, since)
            known = await self._known(market, since)
            settled = {each.trade_id for each in known}
            unknown += [each for each in trades if each.id not in settled]
            found += trade_differences(known, trades)
        return found, unknown

    async def _known(self, market: str, since: datetime) -> Sequence[KnownTrade]:
        return await self._database.read(
            SYSTEM, lambda tx: tx.fetch(ReconcilingSql.trades_since, self._account.id, market, since)
        )

    async def _revive(self, opened: Sequence[RemoteOrder], trades: Sequence[RemoteTrade]) -> bool:
        """Takes up what was given up and is there after all; returns whether there is any. Of what was traded without
        us nothing is asked, unless it may be that.
        """
        given_up = await self._database.read(
            SYSTEM,
            lambda tx: tx.fetch(ReconcilingSql.given_up, self._account.id, self._clock.now() - COMPARED_BACK),
        )
        remote = {each.client_id: each for each in opened}
        if given_up:
            for order_id, market in sorted({(each.order_id, each.market) for each in trades if each.order_id}):
                with contextlib.suppress(NoSuchOrder):
                    found = await self._client.order(order_id, market)
                    remote[found.client_id] = found
        appeared = [id for id in given_up if id.hex in remote]
        for id in appeared:
            log.warning("venue.order_appeared", id=str(id))
            await self._settler.revive(self._epoch, id, remote[id.hex].id)
        return bool(appeared)

    async def _version(self, portfolio_id: UUID) -> str:
        [version] = await self._database.read(
            SYSTEM, lambda tx: tx.fetch(ReconcilingSql.version_of_books, portfolio_id)
        )
        return version

    async def _store(self, tx: Tx, portfolio_id: UUID, differences: Sequence[Found]) -> None:
        status = ReconciliationStatus.DIFFERENT if differences else ReconciliationStatus.EQUAL
        if differences:
            rows = [msgspec.structs.astuple(each) for each in differences[:MAX_DIFFERENCES]]
            await tx.execute(ReconcilingSql.insert_differences, self._asked.id, *columns_of(rows))
        await self._finish(tx, status, len(differences), portfolio_id)

    async def _finish(self, tx: Tx, status: ReconciliationStatus, count: int, portfolio_id: UUID | None) -> None:
        values = (self._asked.id, status, count, self._clock.now(), portfolio_id)
        await tx.execute(ReconcilingSql.finish, *values)
