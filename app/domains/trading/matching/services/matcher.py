"""The matcher: takes commands from the inbox, in one order, and does them in one transaction a batch."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID, uuid4

import msgspec
import structlog

from app.domains.trading.exchange.model import Changes, Outcome, Reason, Refused, Rejected, Traded
from app.domains.trading.journal.services.batches import lock_cash, read_holdings, store_holdings, take_entry_ids
from app.domains.trading.matching.model import (
    BATCH,
    Close,
    Command,
    ExchangeState,
    InboxRow,
    OrderRow,
    Replace,
    Result,
    Trade,
)
from app.domains.trading.matching.rules.records import command_of, extra_of, positions_of
from app.domains.trading.matching.rules.settlement import Settlement, orders_of
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.matching.services.rebuild import rebuild
from app.domains.trading.matching.services.storing import facts_of, store_books, store_fills, store_orders
from app.domains.trading.matching.statements import MatchingSql
from app.domains.trading.portfolios.statements import PortfolioSql
from app.domains.trading.quantities.rules import ms_of
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Repeatable, Unavailable
from app.kit.events import EventLog, Fact
from app.kit.leadership import LeadershipLost

ATTEMPTS: Final = 3
"""A command that cannot be matched must not stop those after it."""
MOST_PASSED_OVER: Final = 10
"""In a row. What fails then concerns everybody, such as a table that cannot be written: no order is to blame."""

Publish: TypeAlias = Callable[[Iterable[str], Iterable[Trade], Iterable[UUID], int], None]
"""Announces books that have changed, trades, portfolios that were posted to, and the number of the last command."""

log = structlog.get_logger(__name__)


class MatchingStalled(Exception):
    """So many commands in a row cannot be matched that none of them is to blame: no more are passed over."""


class Interrupted(Exception):
    """A batch met others in the database, as in a deadlock: it is to be done anew, and is no failed one."""


@dataclass(frozen=True)
class Batch:
    """What was done."""

    commands: int
    fills: int
    has_more: bool = False
    """Whether more may be due: it was as much as is done at once."""


class Matcher:
    """Matches in one process. `lead` begins; then each call of `match` does what is due.

    Books are in memory and follow what is committed: after a failure they are read anew.
    """

    def __init__(  # noqa: PLR0917  # the composition root hands it everything
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        finish_closing: Callable[[Tx, UUID], Awaitable[list[Fact]]],
        settle_bots: Callable[[Tx, list[UUID], datetime], Awaitable[list[Fact]]],
        publish: Publish,
        *,
        quote_age_ms: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._finish_closing = finish_closing
        self._settle_bots = settle_bots
        self._publish = publish
        self._quote_age_ms = quote_age_ms
        self._state: ExchangeState | None = None
        self._venue: Venue | None = None
        self._limit = BATCH
        self._failures = 0
        self._passed_over = 0
        """How many commands in a row were passed over."""
        self._tokens_at_once: int | None = None
        """So many tokens of a tick, while one of them fails: the others must not wait for it. Null: all."""
        self._suspects = set[str]()
        """The tokens that a tick was passed over for: those of the next ones are matched apart, after all others."""

    async def lead(self) -> None:
        """Begins a new epoch: what matched before can store nothing any more. Raises Unavailable."""

        async def work(tx: Tx) -> ExchangeState:
            [state] = await tx.fetch(MatchingSql.lead)
            return state

        self._state = await self._database.write(SYSTEM, work)
        self._venue = None

    async def is_due(self) -> bool:
        """Whether the inbox holds anything that is to be matched. Raises Unavailable."""
        [due] = await self._database.read(SYSTEM, lambda tx: tx.fetch(MatchingSql.is_due))
        return due

    async def match(self) -> Batch:
        """Matches a batch of what is due; returns how much that was.

        Raises LeadershipLost, MatchingStalled, Unavailable. Any other failure is logged, and what failed is tried again
        alone; a command that fails several times is passed over.
        """
        venue, state = self._venue, self._state
        if state is None:
            raise LeadershipLost
        if self.passes_over and self._passed_over >= MOST_PASSED_OVER:
            self._failures = 0
            raise MatchingStalled
        if venue is None:
            venue = self._venue = await rebuild(self._database, state, self._quote_age_ms)
        # What is not committed must not be in the books.
        self._venue = None
        run = _Run(self, venue, state)
        try:
            self._state = await self._database.write(SYSTEM, run.work)
        except (LeadershipLost, Unavailable):
            raise
        except Interrupted:
            return Batch(0, 0)
        except Exception:
            self._failures += 1
            log.exception("matching.failed", attempt=self._failures, commands=len(run.rows))
            self._limit = 1
            if run.prices and run.prices <= self._suspects:
                # Looking for it again with each tick would take longer than a tick lasts.
                self._failures = ATTEMPTS
            if self.passes_over and (tokens := run.tokens) > 1:
                self._tokens_at_once, self._failures = tokens // 2, ATTEMPTS - 1
            return Batch(0, 0)
        self._passed_over = self._passed_over + 1 if self.passes_over else 0
        self._suspects = self._suspects | run.prices if self.passes_over else self._suspects - run.prices
        if self.passes_over or not run.is_part:
            self._tokens_at_once = None
        self._venue, self._failures = venue, 0
        has_more = run.is_part or len(run.rows) == self._limit
        self._limit = min(BATCH, self._limit * 2)
        self._publish(run.symbols, run.trades, run.posted, self._state.last_number)
        return Batch(len(run.rows), run.fills, has_more)

    @property
    def passes_over(self) -> bool:
        """Whether the next command has failed too often."""
        return self._failures >= ATTEMPTS


class _Run:
    """One batch, in a transaction that may be repeated only with books that are read anew: it never is."""

    def __init__(self, matcher: Matcher, venue: Venue, state: ExchangeState) -> None:
        self._matcher = matcher
        self._venue = venue
        self._state = state
        self._began = False
        self.rows = list[InboxRow]()
        self.is_part = False
        """Whether only some tokens of a tick are matched."""
        self.symbols = set[str]()
        self.trades = list[Trade]()
        self.posted = set[UUID]()
        """The portfolios that were posted to."""
        self.fills = 0

    @property
    def tokens(self) -> int:
        """How many tokens the only command prices; 0 if it is another."""
        if len(self.rows) != 1 or self.rows[0].kind != "prices" or not isinstance(self.rows[0].payload, dict):
            return 0
        return len(self.rows[0].payload)

    @property
    def prices(self) -> set[str]:
        """The tokens that the only command prices; none if it is another."""
        return set(self.rows[0].payload) if self.tokens else set()

    async def work(self, tx: Tx) -> ExchangeState:
        """Raises LeadershipLost, Interrupted."""
        try:
            return await self._match(tx)
        except Repeatable as problem:
            if not self._began:
                raise
            raise Interrupted from problem

    async def _match(self, tx: Tx) -> ExchangeState:
        matcher, state = self._matcher, self._state
        if self._began:
            raise RuntimeError("the books have changed: this batch cannot be repeated with them")
        self.is_part = False
        [found] = await tx.fetch(MatchingSql.lock_state)
        if found != state:
            raise LeadershipLost
        rows = await tx.fetch(MatchingSql.number_commands, state.last_number, matcher._limit)
        self.rows = sorted(rows, key=lambda row: row.id)
        await self._take_part(tx)
        if matcher.passes_over:
            commands, results = await self._pass_over(tx)
        else:
            commands = await self._commands(tx)
            self._began = True
            results = self._apply(commands)
        await self._settle(tx, commands, results)
        number = state.last_number + (0 if self.is_part else len(self.rows))
        self.symbols = {each.symbol for each in results}
        if self.symbols:
            await store_books(tx, self._venue, self.symbols, number)
        after = ExchangeState(state.epoch, number, self._venue.is_halted)
        if after != state:
            await tx.execute(MatchingSql.store_state, state.epoch, state.last_number, number, after.is_halted)
        return after

    async def _take_part(self, tx: Tx) -> None:
        """Leaves what is not to be matched at once of a tick in the inbox, at its place."""
        at_once, trusted = self._matcher._tokens_at_once, self.prices - self._matcher._suspects
        if at_once is None and 0 < len(trusted) < self.tokens:
            at_once = len(trusted)
        if at_once is not None and self.tokens > at_once:
            [row] = self.rows
            part = dict(sorted(row.payload.items(), key=lambda each: (each[0] not in trusted, each[0]))[:at_once])
            await tx.execute(MatchingSql.put_back, row.id, list(part))
            self.rows, self.is_part = [msgspec.structs.replace(row, payload=part)], True

    async def _commands(self, tx: Tx) -> list[Command]:
        placed = [row.order_id for row in self.rows if row.kind == "place" and row.order_id is not None]
        orders = await tx.fetch(MatchingSql.orders_of_commands, placed) if placed else []
        by_id = {row.id: row for row in orders}
        exits = dict[UUID, list[OrderRow]]()
        for row in orders:
            if row.bracket_id is not None and row.bracket_role != "entry":
                exits.setdefault(row.bracket_id, []).append(row)
        return [command_of(row, by_id, exits) for row in self.rows]

    def _apply(self, commands: list[Command]) -> list[Result]:
        results = list[Result]()
        for row, command in zip(self.rows, commands, strict=True):
            results += self._venue.apply(command, ms_of(row.created_at))
        return results + self._venue.expire(ms_of(self._matcher._clock.now()))

    async def _pass_over(self, tx: Tx) -> tuple[list[Command], list[Result]]:
        """What becomes of commands that cannot be matched: orders that they place are rejected, and what was reserved
        for changes is released. The rest of them is not looked at: it may be what nobody can read.
        """
        commands, results = list[Command](), list[Result]()
        for row in self.rows:
            prices = list(row.payload) if self.tokens else None
            log.error("matching.passed_over", id=row.id, kind=row.kind, order_id=row.order_id, prices=prices)
            await tx.execute(MatchingSql.note_failure, row.id, "It could not be matched; the log says why.")
            if row.order_id is None or row.symbol is None:
                continue
            if row.kind == "place":
                orders = await tx.fetch(MatchingSql.orders_of_commands, [row.order_id])
                rejected: list[Outcome] = [Rejected(each.id, Reason.INVALID) for each in orders]
                results.append(Result(row.symbol, None, None, rejected))
            elif row.kind == "replace":
                unchanged = Replace(row.symbol, row.order_id, Changes(), extra_of(row.payload))
                commands.append(unchanged)
                results.append(Result(row.symbol, unchanged, None, [Refused(row.order_id, Reason.INVALID)]))
        return commands, results

    async def _settle(self, tx: Tx, commands: list[Command], results: list[Result]) -> None:
        closing = [command.portfolio_id for command in commands if isinstance(command, Close)]
        touched, sides = _touched(commands, results)
        if not touched and not closing:
            return
        portfolios = await tx.fetch(MatchingSql.portfolios_of_orders, list(touched)) if touched else []
        for user_id in await tx.fetch(MatchingSql.owners_of_portfolios, closing) if closing else []:
            await tx.execute(PortfolioSql.lock_user, str(user_id))
        at = self._matcher._clock.now()
        # Locks first: what an order has reserved for changes is written by others, under the lock of its portfolio.
        cash = await lock_cash(tx, {*portfolios, *closing})
        facts = list[Fact]()
        if touched:
            rows = await tx.fetch(MatchingSql.orders_of_commands, list(touched))
            places, sold = positions_of(rows, results)
            holdings = await read_holdings(tx, cash, places, sold)
            entry_ids = await take_entry_ids(tx, sides, at)
            settlement = Settlement(rows, holdings, iter(entry_ids), uuid4, at)
            changed = settlement.settle(results)
            await store_orders(tx, changed)
            await store_fills(tx, settlement.fills)
            await store_holdings(tx, holdings, settlement.entries, at)
            self.trades, self.fills = settlement.trades, len(settlement.fills)
            self.posted.update(entry.portfolio_id for _, entry in settlement.entries)
            facts = facts_of(changed, settlement.fills)
            if of_bots := [each.row.id for each in changed if each.row.bot_id is not None]:
                facts += await self._matcher._settle_bots(tx, of_bots, at)
        for portfolio_id in closing:
            facts += await self._matcher._finish_closing(tx, portfolio_id)
            self.posted.add(portfolio_id)
        await self._matcher._events.append(tx, facts)


def _touched(commands: Iterable[Command], results: Iterable[Result]) -> tuple[set[UUID], int]:
    """The orders that have changed or whose replacement was decided, and how many fills there are."""
    touched = {each.order_id for each in commands if isinstance(each, Replace)}
    sides = 0
    for outcome in (each for result in results for each in result.outcomes):
        orders = orders_of(outcome)
        touched.update(orders)
        sides += len(orders) if isinstance(outcome, Traded) else 0
    return touched, sides
