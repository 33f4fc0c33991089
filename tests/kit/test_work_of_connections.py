import asyncio

import pytest

from app.kit.db import PUBLIC, Database, Tx
from app.kit.work import Work, detached_context, working
from tests.statements import statement

ONE = statement("one", "One.", "SELECT 1")


@pytest.mark.parametrize("second", ["fetch", "snapshot", "write"])
async def test_a_work_that_holds_a_connection_may_not_wait_for_another(database: Database, second: str) -> None:
    async def take() -> object:
        match second:
            case "fetch":
                return await database.fetch(ONE)
            case "snapshot":
                async with database.snapshot(PUBLIC) as tx:
                    return await tx.fetch(ONE)
            case _:
                return await database.write(PUBLIC, lambda tx: tx.fetch(ONE))

    async def work(tx: Tx) -> None:
        with pytest.raises(RuntimeError, match="may not wait for another"):
            # Nor may a task that it starts.
            await asyncio.create_task(take())
        # What belongs to nobody's work may.
        assert await asyncio.create_task(take(), context=detached_context())
        assert await tx.fetch(ONE)

    await database.write(PUBLIC, work)
    with working(Work()):
        async with database.snapshot(PUBLIC) as tx:
            await work(tx)
        assert await take()
