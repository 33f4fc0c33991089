"""One account: sends what waits, looks up what may have been sent, cancels, and follows what is open."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from app.domains.trading.exchange.model import Reason
from app.domains.trading.exchanges.model import AccountFailure, AccountStatus
from app.domains.trading.venues.model import (
    ABSENT_AFTER,
    BUSY_FOR,
    CANCEL_AGAIN_AFTER,
    LOOK_UP_EVERY,
    MAX_PAUSE,
    SEND_WITHIN_S,
    UNANSWERED_CANCELS,
    BadKey,
    Busy,
    Closing,
    DueOrder,
    NoSuchOrder,
    OpenAccount,
    OutcomeUnknown,
    RemoteOrder,
    RemoteStatus,
    Unsuitable,
    VenueError,
    VenueOrderState,
)
from app.domains.trading.venues.rules.requests import (
    client_id_of,
    needs_protection,
    request_of,
)
from app.domains.trading.venues.services.client import ExchangeClient
from app.domains.trading.venues.services.epochs import hold_epoch
from app.domains.trading.venues.services.following import Following
from app.domains.trading.venues.services.settler import Settler
from app.domains.trading.venues.statements import AccountSql, SendingSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import Command

DUE_AT_ONCE: Final = 1000

log = structlog.get_logger(__name__)


class AccountWorker:
    """What the leader does for one account. `step` does what is due; nothing is kept between steps but pauses."""

    def __init__(  # noqa: PLR0917  # what it works with
        self, database: Database, clock: Clock, settler: Settler, client: ExchangeClient, account_id: UUID, epoch: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._settler = settler
        self._client = client
        self._account_id = account_id
        self._epoch = epoch
        self._exchange = client.exchange.name.value
        self._following = Following(database, settler, client, account_id, epoch)
        self._busy_until: datetime | None = None
        self._pause = BUSY_FOR

    @property
    def client(self) -> ExchangeClient:
        """The client of the account."""
        return self._client

    async def step(self, account: OpenAccount) -> None:
        """Does what is due. Raises LeadershipLost, Unavailable; whatever the exchange does not answer stays due."""
        await self._give_up_waiting(account)
        if self._is_busy:
            return
        if account.status == AccountStatus.DISCONNECTING:
            self._client.doubt_key()
        try:
            await self._client.prepare()
            await self._work()
        except BadKey:
            await self._note_unreachable(AccountFailure.CREDENTIALS)
            if account.status == AccountStatus.DISCONNECTING:
                await self._abandon()
        except Busy as busy:
            self._rest(busy.pause)
        except VenueError:
            await self._note_unreachable(AccountFailure.UNAVAILABLE)
            self._rest()
        else:
            self._pause, self._busy_until = BUSY_FOR, None
            await self._write(AccountSql.note_reached, self._account_id, self._clock.now())

    async def cancel(self) -> None:
        """Cancels what is to be and was not tried, while `step` waits for something else of the exchange. What comes of
        it `step` will see. Raises LeadershipLost, Unavailable.
        """
        if self._client.is_ready and not self._is_busy:
            with suppress(VenueError):
                await self._cancel(each for each in await self._due() if not each.cancel_attempts)

    @property
    def _is_busy(self) -> bool:
        return self._busy_until is not None and self._clock.now() < self._busy_until

    async def _work(self) -> None:
        due = await self._due()
        await self._cancel(each for each in due if not each.cancel_attempts)
        await self._look_up(due)
        await self._send(due)
        await self._follow()
        # Last: what was cancelled is not known to be until it was followed.
        await self._cancel(each for each in await self._due() if each.cancel_attempts)

    async def _due(self) -> list[DueOrder]:
        return await self._database.read(
            SYSTEM, lambda tx: tx.fetch(SendingSql.due_orders, self._account_id, DUE_AT_ONCE)
        )

    async def _give_up_waiting(self, account: OpenAccount) -> None:
        """What was never sent, and is not to be any more, has ended; also while the exchange cannot be reached."""
        if not account.has_due:
            return
        closings = [
            Closing(each.id, VenueOrderState.DROPPED, RemoteStatus.CANCELED)
            for each in await self._due()
            if each.state == VenueOrderState.WAITING and each.cancel_asked_at is not None
        ]
        await self._settle(closings)

    async def _send(self, due: Iterable[DueOrder]) -> None:
        for each in due:
            if each.state != VenueOrderState.WAITING or each.cancel_asked_at is not None or each.is_halted:
                continue
            if each.not_before is not None and self._clock.now() < each.not_before:
                continue
            if not await self._send_one(each):
                # Something was halted or cancelled: what is still to be sent is read anew.
                return

    async def _send_one(self, due: DueOrder) -> bool:
        """Sends something once; returns whether to go on with what was read."""
        if not self._client.has_market(due.market):
            await self._settle([_refused(due, Reason.UNSUPPORTED, "NoSuchMarket")])
            return True
        price = None
        if needs_protection(due) and due.price is not None:
            price = self._client.rounded_price(due.market, due.price)
        request = request_of(due, price)
        if not self._client.is_exact(request):
            await self._settle([_refused(due, Reason.REFUSED, "TooFine")])
            return True
        # Before it is noted: a halt meanwhile is one before it was sent.
        await self._client.turn()
        begun_s = asyncio.get_running_loop().time()
        if not await self._begin_sending(due.id):
            return False
        # From here on it may have been sent: after whatever happens it is looked up, and never sent again.
        if asyncio.get_running_loop().time() - begun_s > SEND_WITHIN_S:
            return True
        try:
            made = await self._client.create(request)
        except Busy as busy:
            await self._write(SendingSql.take_back, due.id, self._clock.now() + max(BUSY_FOR, busy.pause))
            raise
        except Unsuitable as error:
            await self._settle([_refused(due, Reason.REFUSED, error.kind)])
        except BadKey as error:
            await self._settle([_refused(due, Reason.REFUSED, error.kind)])
            raise
        except OutcomeUnknown as error:
            log.warning("venue.outcome_unknown", id=str(due.id), kind=error.kind)
        else:
            await self._write(SendingSql.mark_open, due.id, made.id)
        return True

    async def _begin_sending(self, id: UUID) -> bool:
        async def work(tx: Tx) -> bool:
            await hold_epoch(tx, self._epoch)
            await tx.fetch(SendingSql.lock_portfolio_of, id)
            return bool(await tx.fetch_one(SendingSql.begin_sending, id, self._clock.now()))

        return await self._database.write(SYSTEM, work)

    async def _look_up(self, due: Iterable[DueOrder]) -> None:
        for each in due:
            if each.state != VenueOrderState.SENDING or each.sent_at is None:
                continue
            now = self._clock.now()
            if each.looked_up_at is not None and now - each.looked_up_at < LOOK_UP_EVERY:
                continue
            try:
                found = await self._client.find(client_id_of(each), each.market, each.sent_at)
            except (NoSuchOrder, OutcomeUnknown, Unsuitable) as error:
                log.warning("venue.look_up_failed", id=str(each.id), kind=error.kind)
                await self._write(SendingSql.note_look_up, each.id, now)
                # The others at the next step: an exchange that does not answer is not waited for again and again.
                return
            await self._found(each, found, now)

    async def _found(self, due: DueOrder, found: RemoteOrder | None, now: datetime) -> None:
        assert due.sent_at is not None
        if found is not None and found.status is RemoteStatus.REJECTED and not found.filled:
            await self._settle([_refused(due, Reason.REFUSED, "Rejected")])
        elif found is not None:
            await self._write(SendingSql.mark_open, due.id, found.id)
        elif now - due.sent_at < ABSENT_AFTER:
            # It may be on its way still.
            await self._write(SendingSql.note_look_up, due.id, now)
        else:
            closing = Closing(due.id, VenueOrderState.ABSENT, RemoteStatus.REJECTED, reason=Reason.NOT_SENT)
            await self._settle([closing])

    async def _cancel(self, due: Iterable[DueOrder]) -> None:
        for each in due:
            if each.state != VenueOrderState.OPEN or each.cancel_asked_at is None or each.exchange_order_id is None:
                continue
            now = self._clock.now()
            if each.cancel_not_before is not None and now < each.cancel_not_before:
                continue
            refused = False
            try:
                await self._client.cancel(each.exchange_order_id, each.market)
            except (NoSuchOrder, OutcomeUnknown):
                # It is not open any more, or may not be: following it decides.
                pass
            except Unsuitable as error:
                log.warning("venue.cancel_failed", id=str(each.id), kind=error.kind)
                refused = True
            except Busy:
                await self._note_cancel(each, now, refused=False)
                raise
            await self._note_cancel(each, now, refused=refused)

    async def _note_cancel(self, due: DueOrder, now: datetime, *, refused: bool) -> None:
        pause = min(MAX_PAUSE, CANCEL_AGAIN_AFTER * 2 ** min(due.cancel_attempts, 8))
        # Once: its owner has heard of it then.
        has_failed = refused or due.cancel_attempts + 1 >= UNANSWERED_CANCELS
        failed_at = now if has_failed and due.cancel_failed_at is None else None
        await self._settler.note_cancel(self._epoch, due.id, now + pause, failed_at)

    async def _follow(self) -> None:
        """Follows what is open, market by market."""
        markets = defaultdict[str, list[DueOrder]](list)
        for each in await self._due():
            if each.state == VenueOrderState.OPEN:
                markets[each.market].append(each)
        for market, opened in sorted(markets.items()):
            await self._following.follow(market, opened, self._clock.now())

    async def _abandon(self) -> None:
        """The account is being disconnected, and its key does not work any more: nothing can be cancelled."""
        closings = [
            Closing(
                each.id,
                VenueOrderState.CLOSED if each.exchange_order_id else VenueOrderState.ABSENT,
                RemoteStatus.CANCELED,
                reason=Reason.VANISHED,
                failure="KeyRefused",
            )
            for each in await self._due()
            if each.state != VenueOrderState.WAITING
        ]
        await self._settle(closings)

    async def _settle(self, closings: list[Closing]) -> None:
        if closings:
            await self._settler.settle(self._epoch, self._account_id, self._exchange, [], closings)

    def _rest(self, least: timedelta = timedelta(0)) -> None:
        """Pauses, longer each time, and at least so long."""
        self._busy_until = self._clock.now() + max(self._pause, least)
        self._pause = min(MAX_PAUSE, self._pause * 2)

    async def _note_unreachable(self, failure: AccountFailure) -> None:
        await self._write(AccountSql.note_unreachable, self._account_id, failure, self._clock.now())

    async def _write(self, command: Command, *values: object) -> None:
        async def work(tx: Tx) -> None:
            await hold_epoch(tx, self._epoch)
            await tx.execute(command, *values)

        await self._database.write(SYSTEM, work)


def _refused(due: DueOrder, reason: Reason, failure: str) -> Closing:
    return Closing(due.id, VenueOrderState.REFUSED, RemoteStatus.REJECTED, reason=reason, failure=failure)
