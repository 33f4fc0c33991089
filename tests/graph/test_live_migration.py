"""A request that a live migration hits is repeated: nobody notices."""

import asyncio

import pytest

from app.kit.db import Database
from tests.conftest import Execute, Owner
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
