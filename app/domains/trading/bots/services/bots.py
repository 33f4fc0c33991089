"""Creating, changing, starting and ending bots."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import TokenNotFound, symbol_of
from app.domains.market.tokens.services.search import suggestions
from app.domains.trading.bots.model import (
    BOT_DELETED,
    Bot,
    BotChanges,
    BotFact,
    BotIsActive,
    BotLimitReached,
    BotStatus,
    ChangedSignal,
    LockedBot,
    NewBot,
    NoCandles,
    bot_stream,
    signal_stream,
)
from app.domains.trading.bots.rules.checks import check_bot, symbols_of
from app.domains.trading.bots.services.reporting import bot_fact, facts_of
from app.domains.trading.bots.services.trader import BotTrader, Seat
from app.domains.trading.bots.statements import BotSql, RunSql
from app.domains.trading.orders.services.terms import request_of, system_scope
from app.domains.trading.portfolios.model import (
    LiveTradingUnavailable,
    LockedPortfolio,
    Mode,
    PaperPortfolioRequired,
    PortfolioNotOpen,
)
from app.domains.trading.portfolios.rules import check_name
from app.domains.trading.strategies.model import stored_config
from app.kit.changes import given
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import NotFound, Problem, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, Made, check_key, once


@dataclass(frozen=True)
class Bots:
    """The bots of all users. Only Moneta writes them. A transaction locks the bot first, and then its portfolio."""

    database: Database
    clock: Clock
    events: EventLog
    trader: BotTrader
    limit: int

    async def create(self, viewer: Viewer, new: NewBot, idempotency_key: str) -> UUID:
        """Creates a bot, paused; returns its ID.

        Raises InvalidInput, NotFound for the portfolio, PortfolioNotOpen, LiveTradingUnavailable,
        PaperPortfolioRequired, TokenNotFound, BotLimitReached, IdempotencyKeyReused, ResultDeleted.
        """
        new = msgspec.structs.replace(new, target_symbols=[symbol_of(each) for each in new.target_symbols])

        async def create(tx: Tx) -> Made:
            check_bot(new)
            await tx.execute(BotSql.lock_bots_of, str(viewer.user_id))
            [count] = await tx.fetch(BotSql.count_bots, viewer.user_id)
            if count >= self.limit:
                raise BotLimitReached(self.limit)
            portfolio = await self.trader.orders.portfolios.lock(tx, viewer.user_id, new.portfolio_id)
            _check_mode(portfolio)
            symbols = await _known(tx, new.target_symbols)
            [id] = await tx.fetch(
                BotSql.insert_bot,
                viewer.user_id,
                new.portfolio_id,
                check_name(new.name),
                new.strategy.__struct_config__.tag,
                stored_config(new.strategy),
                symbols,
                new.interval,
                new.max_position_usd,
                new.stop_loss_percentage,
                new.take_profit_percentage,
                new.risk_level,
                new.daily_loss_limit_usd,
                new.cool_down_ms,
                new.initial_investment_usd,
                new.ai_model,
                self.clock.now(),
            )
            await self.events.append(tx, [bot_fact(viewer.user_id, id, BotStatus.PAUSED, None)])
            return Made(id)

        check_key(idempotency_key, lambda: check_bot(new))
        request = {"portfolio": str(new.portfolio_id), **request_of(new)}
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "createBot", request)

        async def write(tx: Tx) -> UUID:
            made = (await once(tx, keyed, lambda: create(tx), Made)).result
            if await tx.fetch_one(BotSql.bots_by_ids, [made.id]) is None:
                raise ResultDeleted
            return made.id

        return await self.database.write(system_scope(viewer), write)

    async def update(self, viewer: Viewer, id: UUID, changes: BotChanges) -> None:
        """Changes what a bot is set to. What it decides by is changed only while it is not active; a grid is then laid
        anew. Raises InvalidInput, NotFound, TokenNotFound, BotIsActive.
        """
        check_bot(changes)

        async def work(tx: Tx) -> None:
            bot = await self._lock(tx, viewer, id)
            decides_by = (changes.strategy, changes.target_symbols, changes.interval)
            if bot.status is BotStatus.ACTIVE and any(each is not UNSET for each in decides_by):
                raise BotIsActive
            if changes.is_empty:
                return
            symbols = None if changes.target_symbols is UNSET else await _known(tx, changes.target_symbols)
            config = None if changes.strategy is UNSET else stored_config(changes.strategy)
            await tx.execute(
                BotSql.update_bot,
                id,
                None if changes.name is UNSET else check_name(changes.name),
                None if config is None else config["type"],
                config,
                symbols,
                given(changes.interval),
                given(changes.max_position_usd),
                given(changes.stop_loss_percentage),
                given(changes.take_profit_percentage),
                given(changes.risk_level),
                changes.daily_loss_limit_usd is not UNSET,
                given(changes.daily_loss_limit_usd),
                given(changes.cool_down_ms),
                changes.ai_model is not UNSET,
                given(changes.ai_model),
            )
            if any(each is not UNSET for each in decides_by):
                await tx.execute(BotSql.forget_states, id)
            await self.events.append(tx, [bot_fact(viewer.user_id, id, bot.status, bot.status_reason)])

        await self.database.write(system_scope(viewer), work)

    async def start(self, viewer: Viewer, id: UUID) -> None:
        """Lets a bot decide from the next candle on. Candles that ended before are not made up for.

        Raises NotFound, PortfolioNotOpen, LiveTradingUnavailable, PaperPortfolioRequired, NoCandles.
        """

        async def work(tx: Tx) -> None:
            bot = await self._lock(tx, viewer, id)
            try:
                portfolio = await self.trader.orders.portfolios.lock(tx, viewer.user_id, bot.portfolio_id)
            except NotFound:
                raise PortfolioNotOpen("The portfolio of this bot was deleted.") from None
            _check_mode(portfolio)
            missing = await tx.fetch(BotSql.without_candles, bot.target_symbols, bot.interval)
            if missing:
                raise NoCandles(missing[0])
            await self._set(tx, bot, BotStatus.ACTIVE)

        await self.database.write(system_scope(viewer), work)

    async def pause(self, viewer: Viewer, id: UUID) -> None:
        """Lets a bot decide no more; what it holds stays, with its exits. Raises NotFound."""

        async def work(tx: Tx) -> None:
            await self._set(tx, await self._lock(tx, viewer, id), BotStatus.PAUSED)

        await self.database.write(system_scope(viewer), work)

    async def stop(self, viewer: Viewer, id: UUID, *, sell: bool) -> int:
        """Lets a bot decide no more, and sells what it holds if that is asked for; returns in how many tokens that was
        refused, as in a market that is closed. Raises NotFound.
        """

        async def work(tx: Tx) -> int:
            bot = await self._lock(tx, viewer, id)
            refused, changed = await self._sell(tx, bot) if sell else (0, [])
            await self._set(tx, bot, BotStatus.STOPPED, facts_of(changed))
            return refused

        return await self.database.write(system_scope(viewer), work)

    async def delete(self, viewer: Viewer, id: UUID) -> None:
        """Deletes a bot: it is nobody's from then on. What it holds stays in the portfolio, with its exits. Raises
        NotFound.
        """

        async def work(tx: Tx) -> None:
            bot = await self._lock(tx, viewer, id)
            await tx.execute(BotSql.delete_bot, bot.id)
            fact = msgspec.to_builtins(BotFact(id, BotStatus.STOPPED, None))
            ended = [Fact(signal_stream(id), BOT_DELETED, {}), Fact(bot_stream(viewer.user_id), BOT_DELETED, fact)]
            await self.events.append(tx, ended)

        await self.database.write(system_scope(viewer), work)

    async def _lock(self, tx: Tx, viewer: Viewer, id: UUID) -> LockedBot:
        found = await tx.fetch_one(BotSql.lock_bot, id, viewer.user_id)
        if found is None:
            raise NotFound(Bot)
        return msgspec.structs.replace(found, status=BotStatus(found.status), interval=Interval(found.interval))

    async def _set(self, tx: Tx, bot: LockedBot, status: BotStatus, facts: Sequence[Fact] = ()) -> None:
        """Sets the status of a bot; `facts` are appended with what is said of that."""
        said = list(facts)
        if bot.status is not status:
            await tx.execute(BotSql.set_status, bot.id, status, None, self.clock.now())
            said.append(bot_fact(bot.user_id, bot.id, status, None))
        if said:
            await self.events.append(tx, said)

    async def _sell(self, tx: Tx, bot: LockedBot) -> tuple[int, list[ChangedSignal]]:
        """Sells everything that a bot holds; returns in how many tokens that was refused, and the signals that will not
        sell any more.
        """
        if not await tx.fetch(RunSql.held_entries, [bot.id]):
            return 0, []
        try:
            portfolio = await self.trader.orders.portfolios.lock(tx, bot.user_id, bot.portfolio_id)
        except NotFound:
            # Its portfolio was deleted, and all that was in it is sold or gone.
            return 0, []
        seat, refused, changed = Seat(bot.id, bot.user_id, portfolio), 0, list[ChangedSignal]()
        # As they are now that nothing is matched in the portfolio.
        now = await tx.fetch(RunSql.held_entries, [bot.id])
        changed += await self.trader.abandon(tx, [entry for entry in now if entry.life != portfolio.life])
        held = [entry for entry in now if entry.life == portfolio.life]
        for symbol in sorted({entry.symbol for entry in held}):
            entries = [entry for entry in held if entry.symbol == symbol]
            try:
                price = await self.trader.price(tx, seat, symbol)
            except Problem:
                price = None
            if price is None:
                refused += 1
                continue
            leaving = await self.trader.leave(tx, seat, entries, price)
            changed += leaving.changed
            refused += leaving.refusal is not None and not leaving.sold
        return refused, changed


def _check_mode(portfolio: LockedPortfolio) -> None:
    """Bots trade with play money. Raises LiveTradingUnavailable, PaperPortfolioRequired."""
    if portfolio.mode is Mode.LIVE:
        raise LiveTradingUnavailable if portfolio.exchange is None else PaperPortfolioRequired


async def _known(tx: Tx, symbols: Sequence[str]) -> list[str]:
    """The symbols of listed tokens. Raises TokenNotFound."""
    wanted = symbols_of(symbols)
    listed = set(await tx.fetch(BotSql.listed_symbols, wanted))
    for symbol in wanted:
        if symbol not in listed:
            raise TokenNotFound(symbol, await suggestions(tx, symbol))
    return wanted
