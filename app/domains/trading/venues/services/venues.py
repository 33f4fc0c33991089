"""The worker that leads sends orders to exchanges, and follows what becomes of them: all accounts, each by itself."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog

from app.domains.trading.exchanges.model import ExchangeName
from app.domains.trading.venues.model import OpenAccount
from app.domains.trading.venues.services.account_worker import AccountWorker
from app.domains.trading.venues.services.accounts import ExchangeAccounts
from app.domains.trading.venues.services.connector import Connector
from app.domains.trading.venues.services.epochs import begin_epoch, hold_epoch
from app.domains.trading.venues.services.reconciling import Reconciling
from app.domains.trading.venues.services.settler import Settler
from app.domains.trading.venues.statements import AccountSql
from app.kit.clock import Clock
from app.kit.crypto.envelope import SealBroken, UnknownKey
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from app.kit.leadership import Leadership, LeadershipLost
from app.kit.tasks import end, heed_cancellation
from app.kit.wake import Wake
from app.kit.work import Work, working

STANDBY_S: Final = 1.0
HOLD_CHECK_S: Final = 2.0
POLL_S: Final = 0.25
FOLLOW_S: Final = 1.0
"""How often what is open is followed while nothing new is asked for."""
LEADER: Final = "venues"
"""The lock of who sends."""

log = structlog.get_logger(__name__)


@dataclass
class Venues:
    """Runs until cancelled. Losing Postgres, Redis or an exchange only delays."""

    database: Database
    clock: Clock
    accounts: ExchangeAccounts
    settler: Settler
    reconciling: Reconciling
    connector: Connector
    wake: Wake
    _workers: dict[UUID, AccountWorker] = field(default_factory=dict)
    _serving: dict[UUID, "asyncio.Task[None]"] = field(default_factory=dict)
    _cancelling: dict[UUID, "asyncio.Task[None]"] = field(default_factory=dict)
    _epoch: int = 0

    async def run(self) -> None:
        """Works while this worker leads, and waits while it does not."""
        leadership = Leadership(self.database, LEADER)
        listener = asyncio.create_task(self.wake.listen())
        try:
            await leadership.run(lambda: self._lead_and_close(leadership), standby_s=STANDBY_S, name="venues")
        finally:
            await end(listener)

    async def _lead_and_close(self, leadership: Leadership) -> None:
        try:
            await self._lead(leadership)
        finally:
            await self.close()

    async def lead(self) -> None:
        """Begins an epoch: what led before can write nothing any more. Raises Unavailable."""
        await self.close()
        self._epoch = await begin_epoch(self.database)

    async def step(self) -> int:
        """Does once what is due of every account, of all at the same time; returns how many there are. Raises
        LeadershipLost, Unavailable.
        """
        await self._begin()
        serving = list(self._serving.values())
        await asyncio.gather(*serving, *self._cancelling.values(), return_exceptions=True)
        self._check_served()
        return len(serving)

    async def _begin(self) -> None:
        """Begins to serve the accounts of which something is due, but for those that are being served: one that waits
        for its exchange delays no other. Nor does what it waits for delay what is to be cancelled.
        """
        opened = await self.database.read(SYSTEM, lambda tx: tx.fetch(AccountSql.open_accounts))
        for id in self._workers.keys() - self._serving.keys() - self._cancelling.keys() - {each.id for each in opened}:
            await self._workers.pop(id).client.close()
        for each in opened:
            if each.id in self._serving:
                if each.has_due and each.id not in self._cancelling:
                    self._cancelling[each.id] = asyncio.create_task(self._cancel(each))
            elif _has_work(each):
                self._serving[each.id] = asyncio.create_task(self._serve(each))

    def _check_served(self) -> None:
        """Raises LeadershipLost, Unavailable."""
        for tasks in (self._serving, self._cancelling):
            for id in [id for id, task in tasks.items() if task.done()]:
                task = tasks.pop(id)
                failure = None if task.cancelled() else task.exception()
                if isinstance(failure, LeadershipLost | Unavailable):
                    raise failure
                if failure is not None:
                    log.error("venues.account_failed", account=str(id), exc_info=failure)

    async def close(self) -> None:
        """Ends what is under way, and closes what is open to exchanges."""
        for tasks in (self._serving, self._cancelling):
            while tasks:
                _, task = tasks.popitem()
                await end(task)
        while self._workers:
            _, worker = self._workers.popitem()
            await worker.client.close()

    async def _lead(self, leadership: Leadership) -> None:
        await self.lead()
        log.info("venues.active")
        loop, rung = asyncio.get_running_loop(), self.wake.rung
        checked_s = stepped_s = loop.time()
        rung.set()
        while True:
            heed_cancellation()
            if rung.is_set() or loop.time() - stepped_s > FOLLOW_S:
                rung.clear()
                stepped_s = loop.time()
                await self._begin()
            self._check_served()
            # Not wait_for: in Python 3.11 it loses a cancellation that meets the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await rung.wait()
            if loop.time() - checked_s > HOLD_CHECK_S:
                checked_s = loop.time()
                if not await leadership.hold():
                    raise LeadershipLost

    async def _serve(self, account: OpenAccount) -> None:
        # Each is a work of its own: one that waits for its exchange holds no connection.
        with working(Work()):
            worker = await self._worker(account)
            if worker is None:
                return
            await worker.step(account)
            if account.has_asked and account.status == "connected":
                await self.reconciling.compare(self._epoch, account, worker.client)
            if account.status == "disconnecting":
                await self._end(account)
            if account.portfolio_id is not None and account.portfolio_status == "deleting":
                await self.settler.finish(self._epoch, account.user_id, account.portfolio_id)

    async def _cancel(self, account: OpenAccount) -> None:
        if (worker := self._workers.get(account.id)) is not None:
            with working(Work()):
                await worker.cancel()

    async def _worker(self, account: OpenAccount) -> AccountWorker | None:
        if account.id not in self._workers:
            try:
                credentials = await self.accounts.credentials_of(account.id)
            except (SealBroken, UnknownKey) as error:
                log.error("venues.credentials_unreadable", account=str(account.id), kind=type(error).__name__)
                return None
            if credentials is None:
                return None
            client = await self.connector.open(ExchangeName(account.exchange), credentials)
            self._workers[account.id] = AccountWorker(
                self.database, self.clock, self.settler, client, account.id, self._epoch
            )
        return self._workers[account.id]

    async def _end(self, account: OpenAccount) -> None:
        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self._epoch)
            await tx.execute(AccountSql.end_account, account.id, self.clock.now())

        await self.database.write(SYSTEM, work)


def _has_work(account: OpenAccount) -> bool:
    """Whether anything is due of an account."""
    return (
        account.has_due
        or account.has_asked
        or account.status == "disconnecting"
        or account.portfolio_status == "deleting"
    )
