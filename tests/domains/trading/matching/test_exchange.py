"""The exchange goes on by itself whatever it loses, as long as its process runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.domains.trading.matching.services import matcher as matcher_module
from app.domains.trading.matching.services import storing
from app.domains.trading.quantities.model import Side
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.tasks import end
from tests.databases import Owner
from tests.domains.trading.matching.market import Market
from tests.domains.trading.stage import Stage
from tests.waiting import until

pytestmark = pytest.mark.asyncio

LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
END_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'moneta-test'
"""


@pytest_asyncio.fixture
async def running(market: Market) -> AsyncIterator[Market]:
    """The market, with the exchange at work."""
    exchange = asyncio.create_task(market.stage.trading.exchange.run())
    yield market
    await end(exchange)
    assert exchange.cancelled()


@pytest_asyncio.fixture
async def meddler(database_url: str) -> AsyncIterator[Owner]:
    """A connection of what happens to the exchange at its work, while the test uses its own."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def is_filled(market: Market, order_id: UUID) -> bool:
    return (await market.status(order_id))[0] == "filled"


async def filled_once(market: Market, *order_ids: UUID) -> None:
    """Returns when these orders of one coin each were filled, and checks the books."""
    for order_id in order_ids:
        await until(lambda: is_filled(market, order_id))  # noqa: B023  # it is called before the next one
        assert sum(fill["quantity"] for fill in await market.fills(order_id)) == Decimal(1)
    await market.check()


async def test_a_commit_whose_answer_was_lost_is_not_repeated(
    stage: Stage, running: Market, meddler: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    write, lost = Database.write, list[Any]()

    async def loses_an_answer(database: Database, scope: Any, work: Callable[..., Awaitable[Any]]) -> Any:
        before = await meddler.fetchval("SELECT count(*) FROM fills")
        result = await write(database, scope, work)
        if not lost and await meddler.fetchval("SELECT count(*) FROM fills") > before:
            lost.append(result)
            raise Unavailable
        return result

    monkeypatch.setattr(Database, "write", loses_an_answer)
    first = await running.place(portfolio, Side.BUY, "1")
    await until(lambda: bool(lost))
    second = await running.place(portfolio, Side.BUY, "1")
    await filled_once(running, first, second)


async def test_sessions_that_end_half_way_through_a_batch_delay_it(
    stage: Stage, running: Market, owner: Owner, meddler: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    store, ended = storing.store_fills, list[int]()

    async def ends_sessions(*args: Any) -> None:
        await store(*args)
        if len(ended) < 3:
            ended.append(1)
            await meddler.execute(END_SESSIONS)

    monkeypatch.setattr(matcher_module, "store_fills", ends_sessions)
    orders = [await running.place(portfolio, Side.BUY, "1") for _ in range(3)]
    await filled_once(running, *orders)
    assert len(ended) == 3
    # It leads by the one session that it opened last.
    assert await owner.fetchval(LOCKS) == 1


async def test_an_exchange_that_ends_leaves_no_session_and_another_goes_on(
    stage: Stage, market: Market, owner: Owner
) -> None:
    portfolio = await stage.create()
    for _ in range(2):
        exchange = asyncio.create_task(stage.trading.exchange.run())
        await filled_once(market, await market.place(portfolio, Side.BUY, "1"))
        await end(exchange)
        await until(lambda: no_lock(owner))


async def no_lock(owner: Owner) -> bool:
    return bool(await owner.fetchval(LOCKS) == 0)
