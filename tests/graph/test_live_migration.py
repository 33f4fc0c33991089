"""A request that a live migration interrupts is repeated, and no client notices."""

import asyncio
from typing import Any

import pytest

from app.domains.market.services import MarketServices
from app.kit.db import Database, Tx
from app.kit.sql import Statement
from tests.conftest import Execute
from tests.databases import Owner
from tests.factories import PASSWORD
from tests.graph.stage import Stage

QUERY = "{ viewer { user { email displayName } } blocks(first: 3) { nodes { miner { owner { displayName } } } } }"
ADD = """mutation ($input: AddToWatchlistInput!) { addToWatchlist(input: $input) {
  ... on AddToWatchlistPayload { item { notes token { name } } } ... on Problem { message } } }"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { ... on LoginPayload { viewer { user { email } } } } }"
# What the statements return is of another type then: the server refuses every plan that was made before.
MIGRATIONS = [
    "ALTER TABLE display_names ALTER COLUMN display_name TYPE varchar(120)",
    "ALTER TABLE tokens ALTER COLUMN name TYPE varchar(120)",
    "ALTER TABLE users ALTER COLUMN password_hash TYPE varchar(300)",
    "ALTER TABLE watchlist_items ALTER COLUMN notes TYPE varchar(2000)",
]


@pytest.fixture
def pool_size() -> int:
    """So few that each has its plans."""
    return 2


async def test_queries_and_mutations_go_on(stage: Stage, execute: Execute, owner: Owner, database: Database) -> None:
    viewer = stage.world.viewers["alice"]

    async def everything(number: int) -> None:
        added = {"symbol": ("BTC", "ETH", "SOL", "ADA", "DOT")[number], "idempotencyKey": str(number), "notes": "n"}
        responses = await asyncio.gather(
            *(execute(QUERY, viewer=viewer) for _ in range(4)),
            *(execute(QUERY) for _ in range(4)),
            execute(LOGIN, {"input": {"email": "alice@example.com", "password": PASSWORD}}),
            execute(ADD, {"input": added}, viewer),
        )
        assert [response.errors for response in responses if response.errors] == []
        assert responses[-2].data == {"login": {"viewer": {"user": {"email": "alice@example.com"}}}}
        assert "item" in (responses[-1].data or {})["addToWatchlist"]

    await everything(0)
    for number, migration in enumerate(MIGRATIONS, start=1):
        await owner.execute(migration)
        await everything(number)


OWN = "{ viewer { user { displayName } watchlist { nodes { notes } } } }"


@pytest.mark.parametrize(
    ("migration", "is_repeated"),
    [
        ("ADD COLUMN more text", False),
        ("ADD COLUMN more text NOT NULL DEFAULT 'constant'", False),
        ("DROP COLUMN more_before", False),
        ("ALTER COLUMN notes TYPE varchar(3000)", True),
    ],
)
async def test_one_that_comes_inside_an_open_snapshot_is_no_moment_of_its_own(  # noqa: PLR0917  # fixtures
    stage: Stage,
    execute: Execute,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
    migration: str,
    is_repeated: bool,
) -> None:
    viewer = stage.world.viewers["alice"]
    await owner.execute("ALTER TABLE watchlist_items ADD more_before text, ALTER notes TYPE varchar(2500)")
    await stage.services[MarketServices].watchlist.add(viewer, "BTC", "before", "key")
    name = await owner.fetchval("SELECT display_name FROM display_names WHERE user_id = $1", viewer.user_id)
    before = {"viewer": {"user": {"displayName": name}, "watchlist": {"nodes": [{"notes": "before"}]}}}
    after = {"viewer": {"user": {"displayName": "New"}, "watchlist": {"nodes": [{"notes": "after"}]}}}
    # Each connection has its plans.
    assert [each.data for each in await asyncio.gather(*(execute(OWN, viewer=viewer) for _ in range(4)))] == [
        before
    ] * 4
    read: list[str] = []
    rows = Tx.rows

    async def migrated(tx: Tx, query: Statement, *arguments: object) -> Any:
        if "watchlist_items" in query.sql and not any("watchlist_items" in sql for sql in read):
            assert any("display_names" in sql for sql in read), "the snapshot is open, and has been read from"
            async with owner.transaction():
                await owner.execute("UPDATE display_names SET display_name = 'New' WHERE user_id = $1", viewer.user_id)
                await owner.execute("UPDATE watchlist_items SET notes = 'after' WHERE notes = 'before'")
                await owner.execute(f"ALTER TABLE watchlist_items {migration}")
        read.append(query.sql)
        return await rows(tx, query, *arguments)

    monkeypatch.setattr(Tx, "rows", migrated)
    response = await execute(OWN, viewer=viewer)
    assert (response.data, response.errors) == (after if is_repeated else before, [])
    again = sum("display_names" in sql for sql in read)
    assert again == (2 if is_repeated else 1)
