"""Creating, changing and ending portfolios, and paying play money in and out."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.accounts.model import Viewer
from app.domains.trading.exchanges.model import (
    AccountStatus,
    ExchangeAccount,
    ExchangeAccountInUse,
    ExchangeAccountNotConnected,
)
from app.domains.trading.journal.model import Account, Currency, EntryKind, Line, NewEntry
from app.domains.trading.journal.rules.entries import ending_lines, transfer_lines
from app.domains.trading.journal.services.posting import post
from app.domains.trading.portfolios.model import (
    DEFAULT_NAME,
    INITIAL_BALANCE,
    MAX_BALANCE,
    InsufficientCash,
    LastPortfolio,
    LockedPortfolio,
    Mode,
    NewPortfolio,
    PaperPortfolioRequired,
    Portfolio,
    PortfolioChanges,
    PortfolioLimitReached,
    PortfolioNotOpen,
    PortfolioStatus,
)
from app.domains.trading.portfolios.rules import check_amount, check_name, check_new
from app.domains.trading.portfolios.statements import PortfolioSql, ValueSql
from app.domains.trading.quantities.rules import decimal_of, units_of
from app.kit.clock import Clock
from app.kit.db import Database, Scope, Tx
from app.kit.errors import Faults, InvalidInput, NotFound, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, check_key, once


class PostedEntries(msgspec.Struct, frozen=True):
    """The result of a write that posted entries, or none; and their portfolio."""

    id: UUID
    entries: list[int]


@dataclass(frozen=True)
class Portfolios:
    """The portfolios of all users. Only Moneta writes them: each write runs as the system, in the user's name.

    A transaction locks first the set of a user's portfolios, where it changes that, and then portfolios by their IDs.
    """

    database: Database
    clock: Clock
    events: EventLog
    limit: int
    cancel_orders: Callable[[Tx, UUID, datetime], Awaitable[int]]
    """Asks for the cancellation of all open orders of a portfolio that is locked; returns how many there are. If there
    are any, `finish` is called once none is left.
    """
    facts_of_deletion: Callable[[UUID], list[Fact]]
    """What ends the streams of a portfolio."""
    announce: Callable[[Iterable[UUID]], None]
    """Called with the portfolios that were posted to, once that is committed."""

    async def create(self, viewer: Viewer, new: NewPortfolio, idempotency_key: str) -> UUID:
        """Creates a portfolio; a user's first is the default. Returns its ID. As all that take a key, it raises
        IdempotencyKeyReused, and ResultDeleted if the portfolio has been deleted since.

        Raises InvalidInput, PortfolioLimitReached, and of a live one LiveTradingUnavailable, NotFound,
        ExchangeAccountNotConnected, ExchangeAccountInUse.
        """

        async def create(tx: Tx) -> PostedEntries:
            name, balance = check_new(new)
            await tx.execute(PortfolioSql.lock_user, str(viewer.user_id))
            [count] = await tx.fetch(PortfolioSql.count_portfolios, viewer.user_id)
            if count >= self.limit:
                raise PortfolioLimitReached(self.limit)
            if new.mode is Mode.LIVE:
                return await self._create_live(tx, viewer, name, new)
            return await self._insert(tx, viewer.user_id, name, new.mode, new.currency, balance)

        check_key(idempotency_key, lambda: check_new(new))
        request = [new.name, new.mode, new.currency, _written(new.initial_balance), *_account_of(new)]
        made = await self._once(viewer, idempotency_key, "createPortfolio", request, create)
        return made.id

    async def _create_live(self, tx: Tx, viewer: Viewer, name: str, new: NewPortfolio) -> PostedEntries:
        """Creates a portfolio that belongs to an account at an exchange. What that holds is read into it soon."""
        account_id = new.exchange_account_id
        found = await tx.fetch_one(PortfolioSql.account_for_portfolio, account_id, viewer.user_id)
        if found is None:
            raise NotFound(ExchangeAccount)
        status, taken_by = found
        if status != AccountStatus.CONNECTED:
            raise ExchangeAccountNotConnected
        if taken_by is not None:
            raise ExchangeAccountInUse
        made = await self._insert(tx, viewer.user_id, name, Mode.LIVE, Currency.USD, Decimal(0))
        await tx.execute(PortfolioSql.join_account, made.id, account_id, self.clock.now())
        return made

    async def create_first(self, tx: Tx, user_id: UUID) -> None:
        """Creates the portfolio that a user begins with, in the transaction that inserts the user."""
        await self._insert(tx, user_id, DEFAULT_NAME, Mode.PAPER, Currency.USD, INITIAL_BALANCE)

    async def update(self, viewer: Viewer, id: UUID, changes: PortfolioChanges) -> None:
        """Renames a portfolio, or makes it the default instead of another. Raises InvalidInput, NotFound,
        PortfolioNotOpen.
        """
        with Faults() as faults:
            changes.check(faults)
            name = faults.check(_renamed, changes.name)
            if changes.default is False:
                faults.add("default", "Another portfolio is made the default instead.")

        async def work(tx: Tx) -> None:
            if changes.default is True:
                await self._lock_all(tx, viewer)
            portfolio = await self.lock(tx, viewer.user_id, id)
            if name is not UNSET:
                await tx.execute(PortfolioSql.rename_portfolio, id, name)
            if changes.default is True and not portfolio.is_default:
                await tx.execute(PortfolioSql.clear_default, viewer.user_id)
                await tx.execute(PortfolioSql.set_default, id)

        await self.database.write(_scope(viewer), work)

    async def deposit(
        self, viewer: Viewer, id: UUID, amount: Decimal, currency: Currency, idempotency_key: str
    ) -> PostedEntries:
        """Pays play money in. Raises InvalidInput, NotFound, PaperPortfolioRequired, PortfolioNotOpen."""

        def check(portfolio: LockedPortfolio) -> int:
            if portfolio.cash + amount > MAX_BALANCE:
                raise InvalidInput("amount", f"Paying in makes the cash of a portfolio at most {MAX_BALANCE:,f}.")
            return units_of(amount)

        return await self._transfer(viewer, id, EntryKind.DEPOSIT, amount, currency, idempotency_key, check)

    async def withdraw(
        self, viewer: Viewer, id: UUID, amount: Decimal, currency: Currency, idempotency_key: str
    ) -> PostedEntries:
        """Pays play money out. What orders have reserved is not available.

        Raises InvalidInput, NotFound, InsufficientCash, PaperPortfolioRequired, PortfolioNotOpen.
        """

        def check(portfolio: LockedPortfolio) -> int:
            available = portfolio.cash - portfolio.reserved
            if amount > available:
                raise InsufficientCash(available, portfolio.currency)
            return -units_of(amount)

        return await self._transfer(viewer, id, EntryKind.WITHDRAWAL, amount, currency, idempotency_key, check)

    async def reset(self, viewer: Viewer, id: UUID, idempotency_key: str) -> PostedEntries:
        """Ends the life of a paper portfolio and begins the next, with the initial balance. The journal stays.

        Raises NotFound, PaperPortfolioRequired, PortfolioNotOpen.
        """

        async def reset(tx: Tx) -> PostedEntries:
            portfolio = await self.lock(tx, viewer.user_id, id)
            if portfolio.mode is not Mode.PAPER:
                raise PaperPortfolioRequired
            await tx.execute(PortfolioSql.set_status, id, PortfolioStatus.RESETTING)
            if await self.cancel_orders(tx, id, self.clock.now()):
                return PostedEntries(id, [])
            return PostedEntries(id, await self._finish_reset(tx, portfolio))

        check_key(idempotency_key, lambda: None)
        return await self._once(viewer, idempotency_key, "resetPortfolio", [str(id)], reset)

    async def delete(self, viewer: Viewer, id: UUID) -> None:
        """Empties and deletes a portfolio: it is nobody's from then on, and its journal stays. If it was the default,
        the oldest other one is. Raises NotFound, PortfolioNotOpen, LastPortfolio.
        """

        async def work(tx: Tx) -> None:
            await self._lock_all(tx, viewer)
            portfolio = await self.lock(tx, viewer.user_id, id)
            [stay] = await tx.fetch(PortfolioSql.others_stay, viewer.user_id, id)
            if not stay:
                raise LastPortfolio
            await tx.execute(PortfolioSql.set_status, id, PortfolioStatus.DELETING)
            if not await self.cancel_orders(tx, id, self.clock.now()):
                await self.events.append(tx, await self._finish_delete(tx, portfolio))

        await self.database.write(_scope(viewer), work)
        self.announce([id])

    async def finish(self, tx: Tx, id: UUID) -> list[Fact]:
        """Resets or deletes a portfolio whose orders have been cancelled; returns what the caller then appends. The
        caller runs as the system, and has locked the set of its user's portfolios, and announces the portfolio. What is
        neither is left as it is.
        """
        found = await tx.fetch_one(PortfolioSql.lock_closing, id)
        if found is None:
            return []
        portfolio = _with_enums(found)
        if found.status == PortfolioStatus.RESETTING:
            await self._finish_reset(tx, portfolio)
        elif found.status == PortfolioStatus.DELETING:
            return await self._finish_delete(tx, portfolio)
        return []

    async def _finish_reset(self, tx: Tx, portfolio: LockedPortfolio) -> list[int]:
        """Ends a life of which no order is open any more; returns the IDs of the entries."""
        entry = await self._end(tx, portfolio, EntryKind.RESET)
        await tx.execute(PortfolioSql.begin_life, portfolio.id, self.clock.now())
        opened = await self._open(tx, portfolio.id, portfolio.life + 1, portfolio.currency, portfolio.initial_balance)
        return [entry, *opened]

    async def _finish_delete(self, tx: Tx, portfolio: LockedPortfolio) -> list[Fact]:
        """Deletes a portfolio of which no order is open any more; returns what is to be appended."""
        await self._end(tx, portfolio, EntryKind.CLOSING)
        await tx.execute(PortfolioSql.delete_portfolio, portfolio.id, self.clock.now())
        if portfolio.is_default:
            await tx.execute(PortfolioSql.set_oldest_default, portfolio.user_id)
        return self.facts_of_deletion(portfolio.id)

    async def _transfer(  # noqa: PLR0917  # what both have in common
        self,
        viewer: Viewer,
        id: UUID,
        kind: EntryKind,
        amount: Decimal,
        currency: Currency,
        idempotency_key: str,
        check: Callable[[LockedPortfolio], int],
    ) -> PostedEntries:
        async def transfer(tx: Tx) -> PostedEntries:
            check_amount(amount)
            portfolio = await self.lock(tx, viewer.user_id, id)
            if portfolio.mode is not Mode.PAPER:
                raise PaperPortfolioRequired
            if portfolio.currency is not currency:
                raise InvalidInput("currency", f"The portfolio is in {portfolio.currency}.")
            units, at = check(portfolio), self.clock.now()
            lines = transfer_lines(portfolio.currency, units)
            entry = NewEntry(kind=kind, portfolio_id=id, life=portfolio.life, lines=lines, at=at)
            posted = await post(tx, entry)
            await tx.execute(ValueSql.record_flow, id, decimal_of(units), at)
            return PostedEntries(id, [posted])

        check_key(idempotency_key, lambda: check_amount(amount))
        return await self._once(viewer, idempotency_key, kind, [str(id), _written(amount), currency], transfer)

    async def _once(
        self,
        viewer: Viewer,
        idempotency_key: str,
        operation: str,
        request: list[str | None],
        work: Callable[[Tx], Awaitable[PostedEntries]],
    ) -> PostedEntries:
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, operation, request)

        async def write(tx: Tx) -> PostedEntries:
            result = (await once(tx, keyed, lambda: work(tx), PostedEntries)).result
            if await tx.fetch_one(PortfolioSql.portfolios_by_ids, [result.id]) is None:
                raise ResultDeleted
            return result

        posted = await self.database.write(_scope(viewer), write)
        self.announce([posted.id])
        return posted

    async def lock(self, tx: Tx, user_id: UUID, id: UUID) -> LockedPortfolio:
        """Locks an open portfolio of a user. Raises NotFound, PortfolioNotOpen."""
        found = await tx.fetch_one(PortfolioSql.lock_portfolio, id, user_id)
        if found is None:
            raise NotFound(Portfolio)
        if found.status != PortfolioStatus.OPEN:
            raise PortfolioNotOpen
        return _with_enums(found)

    async def _lock_all(self, tx: Tx, viewer: Viewer) -> None:
        """Locks the set of a user's portfolios and each of them: another than the one that is asked for may change."""
        await tx.execute(PortfolioSql.lock_user, str(viewer.user_id))
        await tx.execute(PortfolioSql.lock_portfolios, viewer.user_id)

    async def _insert(  # noqa: PLR0917  # what a portfolio is
        self, tx: Tx, user_id: UUID, name: str, mode: Mode, currency: Currency, balance: Decimal
    ) -> PostedEntries:
        values = (user_id, name, mode, currency, balance, self.clock.now())
        [id] = await tx.fetch(PortfolioSql.insert_portfolio, *values)
        return PostedEntries(id, await self._open(tx, id, 1, currency, balance))

    async def _end(self, tx: Tx, portfolio: LockedPortfolio, kind: EntryKind) -> int:
        held = await tx.fetch(PortfolioSql.held_quantities, portfolio.id)
        positions = {symbol: units_of(quantity) for symbol, quantity in held}
        coins_go = Account.EXTERNAL if portfolio.mode is Mode.LIVE else Account.HOUSE
        lines = ending_lines(portfolio.currency, units_of(portfolio.cash), positions, coins_go)
        return await self._post(tx, portfolio.id, portfolio.life, kind, lines)

    async def _open(self, tx: Tx, id: UUID, life: int, currency: Currency, balance: Decimal) -> list[int]:
        lines = transfer_lines(currency, units_of(balance))
        return [await self._post(tx, id, life, EntryKind.OPENING, lines)] if lines else []

    async def _post(self, tx: Tx, id: UUID, life: int, kind: EntryKind, lines: tuple[Line, ...]) -> int:
        entry = NewEntry(kind=kind, portfolio_id=id, life=life, lines=lines, at=self.clock.now())
        return await post(tx, entry)


def _with_enums(found: LockedPortfolio) -> LockedPortfolio:
    return msgspec.structs.replace(found, mode=Mode(found.mode), currency=Currency(found.currency))


def _scope(viewer: Viewer) -> Scope:
    """As Moneta, for this viewer: the audit log names them."""
    return msgspec.structs.replace(viewer.scope, system=True)


def _renamed(name: str | UnsetType) -> str | UnsetType:
    return name if name is UNSET else check_name(name)


def _account_of(new: NewPortfolio) -> list[str]:
    """What distinguishes a request with an account at an exchange; those without one are as they always were."""
    return [] if new.exchange_account_id is None else [str(new.exchange_account_id)]


def _written(amount: Decimal | None) -> str | None:
    """An amount in one form, however many zeros it ends with."""
    return None if amount is None else f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"
