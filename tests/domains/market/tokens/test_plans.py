"""Tokens and watchlists are read by indexes; only a list of tokens reads every token, once."""

from collections.abc import Sequence
from typing import Any

import pytest_asyncio

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.statements import TokenSql
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.market.watchlist.statements import WatchlistSql
from tests.databases import Owner
from tests.domains.ledger.test_plans import scans
from tests.lists import count_of, page_of

FILL = """
SET session_replication_role = replica;
INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)
SELECT 'id-' || n, 'T' || n, 'Token ' || n, n FROM generate_series(1, 5000) n;
INSERT INTO market_data (symbol, exchange, price_usd, price_aud)
SELECT 'T' || n, exchange, n, n FROM generate_series(1, 5000) n, unnest(ARRAY['simulated', 'coingecko']) exchange;
INSERT INTO watchlist_items (user_id, symbol, position)
SELECT md5((n / 50)::text)::uuid, 'T' || n, n % 50 FROM generate_series(0, 19999) n;
RESET session_replication_role;
ANALYZE;
"""


@pytest_asyncio.fixture
async def full(owner: Owner) -> Owner:
    """5,000 tokens with two quotes each, 400 watchlists of 50 tokens."""
    await owner.execute(FILL)
    return owner


async def test_no_token_is_looked_for_in_all(full: Owner) -> None:
    symbols = ["T7", "T4999", "NONE"]
    assert await scans(full, TokenSql.tokens_by_symbols, symbols) == set()
    assert await scans(full, TokenSql.tokens_by_coingecko_ids, ["id-7", "id-4999"]) == set()
    assert await scans(full, TokenSql.token_exists, "T7") == set()


async def test_a_list_reads_each_token_once_and_its_quotes_by_their_key(full: Owner) -> None:
    for query, arguments in (
        page_of(token_loaders.tokens, order="RELEVANCE", filters={"search": "bitcon"}),
        count_of(token_loaders.tokens, search="bitcon"),
    ):
        assert await scans(full, query, *arguments) == {"tokens"}


async def test_no_watchlist_is_looked_for_in_all(full: Owner) -> None:
    users = [row[0] for row in await full.fetch("SELECT DISTINCT user_id FROM watchlist_items LIMIT 3")]
    item = await full.fetchrow("SELECT id, user_id FROM watchlist_items LIMIT 1")
    assert item is not None
    asked: tuple[tuple[Any, Sequence[object]], ...] = (
        (WatchlistSql.watchlist_items_by_ids, ([item["id"]],)),
        page_of(watchlist_loaders.watchlist_by_user, *users),
        count_of(watchlist_loaders.watchlist_by_user, *users),
        (WatchlistSql.watched_symbols, (users,)),
        (WatchlistSql.watchlist_item, (item["id"], item["user_id"])),
        (WatchlistSql.update_watchlist_item, (item["id"], item["user_id"], True, "x", None, 7)),
        (WatchlistSql.rank_gap, (item["user_id"], item["id"], 3)),
        (WatchlistSql.renumber_watchlist, (item["user_id"],)),
        (WatchlistSql.delete_watchlist_item, (item["id"], item["user_id"])),
    )
    for query, arguments in asked:
        assert await scans(full, query, *arguments) == set(), query.name
