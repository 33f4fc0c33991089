"""What bots do at the end of each candle: they decide, and place their orders in the transaction of the decision."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import structlog

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.candles import Candles
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.bots.model import ChangedSignal, DueBot, ExecutionStatus, HeldEntry
from app.domains.trading.bots.rules.deciding import Decided, acted, decided, last_close
from app.domains.trading.bots.services.reasons import Reasons
from app.domains.trading.bots.services.reporting import BotReports, NewSignal
from app.domains.trading.bots.services.trader import BotTrader, Leaving, Seat
from app.domains.trading.bots.statements import RunSql
from app.domains.trading.portfolios.model import LockedPortfolio, PortfolioNotOpen
from app.domains.trading.strategies.model import WINDOW_CANDLES, SignalType
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, Problem, Unavailable
from app.kit.jobs import enqueue
from app.kit.sql import columns_of

RUN_JOB: Final = "trading.run_bots"
BOTS_AT_ONCE: Final = 50
PORTFOLIO_GONE: Final = "Its portfolio was deleted."
FAILED: Final = "Its strategy could not decide. The log says why."
NOTHING_TO_DO: Final = "There is nothing to do."
BEING_SOLD: Final = "It is being sold already."
GONE: Final = "Somebody else has sold it."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BotRunner:
    """Runs the bots of all users. A bot decides at most once on a candle, however many workers there are and whenever
    one is killed: what it decided is noted in the transaction that places its orders.
    """

    database: Database
    clock: Clock
    candles: Candles
    trader: BotTrader
    reports: BotReports
    reasons: Reasons

    async def enqueue(self, ended_at: datetime) -> int:
        """Enqueues the bots that are due at the end of a minute; returns how many there are. It may be repeated."""
        count = 0
        for interval in Interval:
            closed_at = last_close(interval, ended_at)

            async def work(tx: Tx, interval: Interval = interval, closed_at: datetime = closed_at) -> int:
                ids = await tx.fetch(RunSql.due_bot_ids, interval, closed_at)
                for start in range(0, len(ids), BOTS_AT_ONCE):
                    part = [str(id) for id in ids[start : start + BOTS_AT_ONCE]]
                    payload = {"interval": interval, "closed_at": closed_at.isoformat(), "bots": part}
                    key = f"{RUN_JOB}:{interval}:{closed_at.isoformat()}:{part[0]}"
                    await enqueue(tx, RUN_JOB, payload, dedupe_key=key)
                return len(ids)

            count += await self.database.write(SYSTEM, work)
        return count

    async def enqueue_due(self) -> str:
        """Enqueues what a process that was killed did not."""
        return f"{await self.enqueue(self.clock.now())} due"

    async def run(self, payload: dict[str, Any]) -> None:
        """Handles RUN_JOB. A candle that is no longer the last is not made up for."""
        interval, closed_at = Interval(payload["interval"]), datetime.fromisoformat(payload["closed_at"])
        ids = [UUID(id) for id in payload["bots"]]
        while closed_at == last_close(interval, self.clock.now()):
            if await self._run(ids, interval, closed_at):
                return

    async def _run(self, ids: Sequence[UUID], interval: Interval, closed_at: datetime) -> bool:
        """Returns whether all of them are done. What was decided by something that another worker has changed since, by
        a decision on this candle or on an earlier one, is to be looked at again.
        """
        due, held = await self._read(ids, closed_at)
        if not due:
            return True
        candles = await self.candles.latest_of({each.symbol for each in due}, interval, WINDOW_CANDLES + 1)
        found, failed = await asyncio.to_thread(_decided, due, candles, held, interval, closed_at)
        for bot_id, user_id in failed.items():
            await self.reports.fail(bot_id, user_id, FAILED)
        acting = [each for each in found if _acts(each)]
        worded = await self.reasons.worded(acting)
        is_done = await self._note([each for each in found if not _acts(each)], closed_at)
        for each in worded:
            is_done &= await self._act(each, closed_at)
        return is_done

    async def _read(
        self, ids: Sequence[UUID], closed_at: datetime
    ) -> tuple[list[DueBot], Mapping[tuple[UUID, str], list[HeldEntry]]]:
        midnight = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        async with self.database.snapshot(SYSTEM) as tx:
            due = await tx.fetch(RunSql.due_bots, list(ids), closed_at, midnight)
            entries = await tx.fetch(RunSql.held_entries, list({each.bot_id for each in due}))
        held = defaultdict[tuple[UUID, str], list[HeldEntry]](list)
        for entry in entries:
            held[entry.bot_id, entry.symbol].append(entry)
        return due, held

    async def _note(self, holding: Sequence[Decided], closed_at: datetime) -> bool:
        """Notes what is not acted on, all at once; returns whether all of it is noted. Of holding, the first after
        something else is a signal.
        """
        if not holding:
            return True

        async def work(tx: Tx) -> bool:
            noted = {tuple(row) for row in await tx.fetch(RunSql.decide, *_columns(holding, closed_at))}
            signals = [
                NewSignal(uuid4(), each, ExecutionStatus.IGNORED, NOTHING_TO_DO)
                for each in holding
                if (each.due.bot_id, each.due.symbol) in noted and each.due.last_type != SignalType.HOLD
            ]
            await self.reports.insert(tx, signals, closed_at, self.clock.now())
            return len(noted) == len(holding)

        return await self.database.write(SYSTEM, work)

    async def _act(self, each: Decided, closed_at: datetime) -> bool:
        """Does what a bot decided, unless it was paused since, though it may be active again; returns False where
        another worker was first. What fails stops no other bot.
        """
        due = each.due
        try:
            return await self.database.write(SYSTEM, lambda tx: self._do(tx, each, closed_at))
        except NotFound:
            await self.reports.fail(due.bot_id, due.user_id, PORTFOLIO_GONE, abandons=True)
        except Unavailable:
            raise
        except Exception:
            log.exception("bots.failed", bot_id=str(due.bot_id), symbol=due.symbol)
            await self.reports.fail(due.bot_id, due.user_id, FAILED)
        return True

    async def _do(self, tx: Tx, each: Decided, closed_at: datetime) -> bool:
        due, at = each.due, self.clock.now()
        if not await tx.fetch(RunSql.active_bot, due.bot_id, closed_at):
            return True
        if not await tx.fetch(RunSql.decide, *_columns([each], closed_at)):
            return False
        signal, changed = NewSignal(uuid4(), each, ExecutionStatus.PENDING, None), list[ChangedSignal]()
        try:
            portfolio = await self.trader.orders.portfolios.lock(tx, due.user_id, due.portfolio_id)
            signal = await self._trade(tx, each, signal, portfolio, at, changed)
        except NotFound:
            raise
        except PortfolioNotOpen:
            signal = signal.refused("The portfolio is being reset or deleted.")
        except Problem as problem:
            signal = signal.refused(problem.message)
        await self.reports.insert(tx, [signal] if signal.is_worth_noting else [], closed_at, at, changed)
        return True

    async def _trade(  # noqa: PLR0917  # what it depends on
        self,
        tx: Tx,
        each: Decided,
        signal: NewSignal,
        portfolio: LockedPortfolio,
        at: datetime,
        changed: list[ChangedSignal],
    ) -> NewSignal:
        """Returns the signal with what becomes of it, and adds the earlier ones to `changed` that will not be executed
        any more.
        """
        due = each.due
        seat = Seat(due.bot_id, due.user_id, portfolio)
        # What it held when it decided may have been sold since, or protected by a worker that was late.
        now = [entry for entry in await tx.fetch(RunSql.held_entries, [due.bot_id]) if entry.symbol == due.symbol]
        changed += await self.trader.abandon(tx, [entry for entry in now if entry.life != portfolio.life])
        held = [entry for entry in now if entry.life == portfolio.life]
        price = await self.trader.price(tx, seat, due.symbol)
        if price is None:
            return signal.refused("The market of this token is closed.")
        act = acted(each, held, price, at)
        if act.sells:
            leaving = await self.trader.leave(tx, seat, held, price)
            changed += leaving.changed
            if not leaving.sold:
                return _not_sold(signal, leaving)
            changed += await tx.fetch(RunSql.note_exits, leaving.sold, signal.id, at)
            return signal
        changed += await self.trader.protect(tx, seat, held, price)
        if not act.brackets:
            return signal.ignored(act.ignored or NOTHING_TO_DO)
        refusal = await self.trader.enter(tx, seat, act.brackets, signal.id, at)
        return signal if refusal is None else signal.refused(refusal.message)


def _not_sold(signal: NewSignal, leaving: Leaving) -> NewSignal:
    if leaving.refusal is not None:
        return signal.refused(leaving.refusal.message)
    return signal.refused(GONE) if leaving.abandoned else signal.ignored(BEING_SOLD)


def _acts(each: Decided) -> bool:
    """Whether a decision needs its portfolio: to trade, or to place stops anew."""
    return each.decision.type is not SignalType.HOLD or any(entry.is_unprotected for entry in each.held)


def _decided(
    due: Sequence[DueBot],
    candles: Mapping[str, Sequence[Candle]],
    held: Mapping[tuple[UUID, str], Sequence[HeldEntry]],
    interval: Interval,
    closed_at: datetime,
) -> tuple[list[Decided], dict[UUID, UUID]]:
    """What bots decide, and those that could not, with their users."""
    found, failed = list[Decided](), dict[UUID, UUID]()
    for each in due:
        try:
            decision = decided(
                each, candles[each.symbol], held.get((each.bot_id, each.symbol), ()), interval, closed_at, SIMULATED
            )
        except Exception:
            log.exception("bots.undecided", bot_id=str(each.bot_id), symbol=each.symbol)
            failed[each.bot_id] = each.user_id
            continue
        if decision is not None:
            found.append(decision)
    return found, failed


def _columns(found: Sequence[Decided], closed_at: datetime) -> list[Any]:
    """The parameters of `decide`."""
    rows = [
        (
            each.due.bot_id,
            each.due.symbol,
            None if each.decision.state is None else msgspec.to_builtins(each.decision.state),
            each.decision.type,
            each.decision.confidence,
            each.decision.reasoning,
            each.decision.indicators,
            each.price,
            each.due.decided_at,
        )
        for each in found
    ]
    bots, symbols, *others = columns_of(rows)
    return [bots, symbols, closed_at, *others]
