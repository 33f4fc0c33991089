"""Creating, changing, starting and ending bots, and who sees them."""

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.bots.model import BotChanges, BotIsActive, BotLimitReached, NewBot, NoCandles
from app.domains.trading.portfolios.model import LiveTradingUnavailable, PaperPortfolioRequired, PortfolioNotOpen
from app.domains.trading.strategies.model import Grid, GridState, RiskLevel
from app.kit.db import PUBLIC, SYSTEM, Scope
from app.kit.errors import IdempotencyKeyReused, NotFound, ResultDeleted
from tests.domains.trading.bots.robots import Robots
from tests.statements import statement

TABLES = ("trading_bots", "bot_states", "trading_signals", "bot_entries", "bot_exits")


INSERTS = {
    "bot_entries": "INSERT INTO bot_entries (id, bot_id, symbol, bracket_id, signal_id, signal_at, opened_at)"
    " SELECT o.id, b.id, 'BTC', o.id, o.id, now(), now() FROM orders o, trading_bots b"
}
"""Where a column is generated."""


async def rows(robots: Robots, scope: Scope, sql: str) -> int:
    return await robots.stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def test_a_user_has_no_more_bots_than_allowed_even_at_once(robots: Robots) -> None:
    robots.stage.trading.bots.__dict__["limit"] = 3
    made = await asyncio.gather(*(robots.create(paused=True) for _ in range(8)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, BotLimitReached)]
    assert (len(made) - len(refused), len(refused)) == (3, 5)


async def test_the_symbols_of_a_request_are_those_of_tokens_however_they_are_written(robots: Robots) -> None:
    stage, key = robots.stage, robots.stage.key
    new = NewBot(portfolio_id=robots.portfolio_id, name="A bot", strategy=Grid(), target_symbols=["btc "])
    id = await stage.trading.bots.create(stage.alice, new, key)
    again = msgspec.structs.replace(new, target_symbols=["BTC"])
    assert await stage.trading.bots.create(stage.alice, again, key) == id
    with pytest.raises(IdempotencyKeyReused):
        await stage.trading.bots.create(stage.alice, msgspec.structs.replace(new, target_symbols=["ETH"]), key)


async def test_a_bot_trades_in_an_open_portfolio_of_play_money_of_its_user(robots: Robots) -> None:
    stage = robots.stage
    with pytest.raises(NotFound):
        await robots.create(by=stage.bob)
    with pytest.raises(TokenNotFound):
        await robots.create(target_symbols=["BTC", "NOPE"])
    id = await robots.create(paused=True)
    await stage.owner.execute("UPDATE portfolios SET status = 'resetting'")
    with pytest.raises(PortfolioNotOpen):
        await robots.create()
    with pytest.raises(PortfolioNotOpen):
        await stage.trading.bots.start(stage.alice, id)
    await stage.owner.execute("UPDATE portfolios SET status = 'open', initial_balance = 0, mode = 'live'")
    with pytest.raises(LiveTradingUnavailable):
        await robots.create()
    with pytest.raises(LiveTradingUnavailable):
        await stage.trading.bots.start(stage.alice, id)
    await stage.owner.execute(
        "WITH a AS (INSERT INTO exchange_accounts (user_id, exchange, label)"
        " VALUES ($1, 'binance', 'Mine') RETURNING id)"
        " UPDATE portfolios SET exchange_account_id = a.id FROM a WHERE portfolios.id = $2",
        stage.alice.user_id,
        robots.portfolio_id,
    )
    with pytest.raises(PaperPortfolioRequired):
        await robots.create()
    with pytest.raises(PaperPortfolioRequired):
        await stage.trading.bots.start(stage.alice, id)
    assert await stage.owner.fetchval("SELECT count(*) FROM trading_bots") == 1


async def test_a_bot_needs_candles_to_start(robots: Robots) -> None:
    id = await robots.create(paused=True, target_symbols=["BTC", "ETH"])
    with pytest.raises(NoCandles, match="ETH"):
        await robots.stage.trading.bots.start(robots.stage.alice, id)
    await robots.candle("10", "ETH")
    await robots.stage.trading.bots.start(robots.stage.alice, id)
    bot = await robots.bot(id)
    assert bot is not None
    assert (bot.status, bot.started_at) == ("active", robots.stage.clock.now())


async def test_what_a_bot_decides_by_is_changed_only_while_it_is_not_active(robots: Robots) -> None:
    bots, alice = robots.stage.trading.bots, robots.stage.alice
    id = await robots.create(Grid(levels=5))
    await robots.next(id)
    for changes in (
        BotChanges(strategy=Grid(levels=6)),
        BotChanges(target_symbols=["ETH"]),
        BotChanges(interval=Interval.ONE_HOUR),
    ):
        with pytest.raises(BotIsActive):
            await bots.update(alice, id, changes)
    await bots.update(alice, id, BotChanges(name=" Other ", max_position_usd=Decimal(50), daily_loss_limit_usd=None))
    await bots.pause(alice, id)
    state = "SELECT state FROM bot_states WHERE bot_id = $1"
    laid = await robots.stage.owner.fetchval(state, id)
    assert laid is not None
    await bots.update(alice, id, BotChanges(risk_level=RiskLevel.HIGH))
    assert await robots.stage.owner.fetchval(state, id) == laid
    await bots.update(alice, id, BotChanges(strategy=Grid(levels=6)))
    assert await robots.stage.owner.fetchval(state, id) is None, "the grid is laid anew"
    bot = await robots.bot(id)
    assert bot is not None
    assert (bot.name, bot.max_position_size, bot.config["levels"]) == ("Other", Decimal(50), 6)


async def test_a_bot_that_is_stopped_sells_what_it_holds_if_asked(robots: Robots) -> None:
    bots, alice = robots.stage.trading.bots, robots.stage.alice
    kept, sold = await robots.create(), await robots.create()
    await robots.candle()
    await robots.run(kept, sold)
    assert await bots.stop(alice, kept, sell=False) == 0
    assert await bots.stop(alice, sold, sell=True) == 0
    await robots.market.match()
    assert [(await robots.entries(id))[0]["closed_at"] is None for id in (kept, sold)] == [True, False]
    assert [(await robots.performance(id)).total_trades for id in (kept, sold)] == [0, 1]
    await robots.market.check()


async def test_what_cannot_be_sold_is_counted(robots: Robots) -> None:
    id = await robots.create()
    await robots.next(id)
    await robots.stage.trading.halts.halt_own(robots.stage.alice)
    await robots.market.match()
    assert await robots.stage.trading.bots.stop(robots.stage.alice, id, sell=True) == 1
    bot = await robots.bot(id)
    assert bot is not None
    assert bot.status == "stopped"


async def test_what_is_still_being_bought_cannot_be_sold_and_is_counted(robots: Robots) -> None:
    id = await robots.create()
    closed_at = await robots.candle()
    payload = {"interval": "1m", "closed_at": closed_at.isoformat(), "bots": [str(id)]}
    await robots.stage.trading.bot_runner.run(payload)
    assert await robots.stage.trading.bots.stop(robots.stage.alice, id, sell=True) == 1
    await robots.market.match()
    assert [each[2] for each in await robots.orders(id)] == ["filled", "pending", "pending"]
    await robots.market.check()


async def test_a_deleted_bot_is_nobodys_and_its_trail_stays(robots: Robots) -> None:
    stage = robots.stage
    id = await robots.create()
    await robots.next(id)
    with pytest.raises(NotFound):
        await stage.trading.bots.delete(stage.bob, id)
    await stage.trading.bots.delete(stage.alice, id)
    for write in (stage.trading.bots.start, stage.trading.bots.pause, stage.trading.bots.delete):
        with pytest.raises(NotFound):
            await write(stage.alice, id)
    assert await robots.bot(id) is None
    row = await stage.owner.fetchrow("SELECT user_id, name, status FROM trading_bots WHERE id = $1", id)
    assert row is not None
    assert tuple(row) == (None, "Deleted", "stopped")
    for table in TABLES[1:4]:
        assert await rows(robots, stage.alice.scope, f"SELECT FROM {table}") == 0
        assert await stage.owner.fetchval(f"SELECT count(*) FROM {table}") > 0
    await robots.candle()
    await robots.run(id)
    assert len(await robots.signals(id)) == 1
    # Its exits still close what it bought.
    await robots.candle("120")
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None


async def test_a_replay_of_a_bot_that_was_deleted_says_so(robots: Robots) -> None:
    stage = robots.stage
    id = await robots.create(paused=True)
    stage.keys -= 1
    assert await robots.create(paused=True) == id
    await stage.trading.bots.delete(stage.alice, id)
    stage.keys -= 1
    with pytest.raises(ResultDeleted):
        await robots.create(paused=True)


@pytest.mark.parametrize("table", TABLES)
async def test_a_user_sees_their_own_and_changes_nothing(robots: Robots, table: str) -> None:
    id = await robots.create()
    await robots.next(id)
    [entry] = await robots.entries(id)
    await robots.stage.owner.execute("INSERT INTO bot_exits (order_id, entry_id) VALUES ($1, $1)", entry["id"])
    alice, bob = robots.stage.alice.scope, robots.stage.bob.scope
    assert await rows(robots, alice, f"SELECT FROM {table}") > 0
    assert await rows(robots, bob, f"SELECT FROM {table}") == await rows(robots, PUBLIC, f"SELECT FROM {table}") == 0
    before = await robots.stage.owner.fetch(f"SELECT * FROM {table}")
    column = {"trading_bots": "user_id", "bot_exits": "entry_id"}.get(table, "bot_id")
    for scope in (alice, bob, PUBLIC):
        for sql in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            try:
                assert await rows(robots, scope, sql) == 0
            except asyncpg.InsufficientPrivilegeError:
                assert sql.startswith("DELETE")
    assert await robots.stage.owner.fetch(f"SELECT * FROM {table}") == before
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(robots, alice, INSERTS.get(table, f"INSERT INTO {table} SELECT * FROM {table}"))


async def test_what_a_bot_has_earned_is_shown_to_its_user_alone(robots: Robots) -> None:
    id = await robots.create()
    await robots.next(id)
    sql = f"SELECT FROM calculate_bot_performance(ARRAY['{id}'::uuid]) WHERE open_pnl <> 0"
    assert await rows(robots, robots.stage.alice.scope, sql) == 1
    assert await rows(robots, robots.stage.bob.scope, sql) == 0
    assert await rows(robots, SYSTEM, sql) == 1


async def test_the_state_of_a_grid_survives_its_storage(robots: Robots) -> None:
    id = await robots.create(Grid(lower_price=Decimal("80.5"), upper_price=Decimal("120.123456"), levels=4))
    await robots.next(id)
    stored: Any = await robots.stage.owner.fetchval("SELECT state::text FROM bot_states WHERE bot_id = $1", id)
    state = msgspec.json.decode(stored, type=GridState, strict=False)
    assert len(state.levels) == 4
    assert state.price == 100
    assert list(state.levels) == sorted(state.levels)
