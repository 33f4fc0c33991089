"""Among 60,000 articles no list of news reads the whole table, and each reads about as much as it shows."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.domains.market.news import loaders as news_loaders
from app.domains.market.news.statements import NewsSql
from app.kit.db import PUBLIC, Database
from app.kit.lists import Page, page_request
from app.kit.reads import COUNT_LIMIT, Reads
from app.kit.sql import Query
from tests.databases import NOON, Owner, new_database
from tests.domains.ledger.test_plans import scans
from tests.lists import count_of, page_of

ARTICLES = 60_000
FILL = f"""
SET session_replication_role = replica;
INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)
SELECT 'id' || n, 'T' || n, 'Token ' || n, n FROM generate_series(1, 250) n;
INSERT INTO market_data (symbol, exchange, price_usd, price_aud) SELECT symbol, 'simulated', 1, 1 FROM tokens;
INSERT INTO news_articles (id, title, source, url, sentiment_score, impact, symbols_mentioned, published_at, summary)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'Bitcoin headline ' || n, 'Paper ' || n % 40, 'https://paper.example/' || n,
       (n % 201 - 100) / 100.0, n % 101, ARRAY['T1', 'T' || n % 249 + 2],
       '{NOON.isoformat()}'::timestamptz - n * interval '5 min',
       CASE WHEN n % 1000 = 0 THEN 'a rare unicorn' ELSE 'what everybody writes about miners and halving' END
FROM generate_series(1, {ARTICLES}) n;
INSERT INTO news_mentions SELECT s, published_at, id FROM news_articles, unnest(symbols_mentioned) s;
RESET session_replication_role;
-- What waits to be added to the index makes it look slower than the table.
SELECT gin_clean_pending_list('news_articles_search');
ANALYZE;
"""
# A token list is a few hundred rows.
SMALL = {"tokens", "market_data"}
NARROWED: dict[str, dict[str, Any]] = {
    "news": {},
    "sources": {"sources": ("Paper 1", "Paper 2")},
    "symbols": {"symbols": ("T7", "T1")},
    "search": {"search": "halving -unicorn"},
}
MORE: dict[str, Any] = {
    "sentiment": "positive",
    "min_impact": 40,
    "since": NOON - timedelta(days=300),
}
AFTER = (datetime(2026, 6, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000001")


def loader_of(filters: dict[str, Any]) -> Page[Any]:
    """What the graph chooses."""
    mentioning = news_loaders.news_mentioning
    return mentioning if "symbols" in filters and filters.keys() <= mentioning.filters.keys() else news_loaders.news


@pytest_asyncio.fixture(scope="module")
async def database_url(template_url: str, administrator: Owner) -> AsyncIterator[str]:
    """One database for all of these tests, which only read: tables large enough for a plan to matter."""
    async with new_database(template_url, administrator) as url:
        owner = await asyncpg.connect(url)
        await owner.execute(FILL)
        await owner.close()
        yield url


@pytest.mark.parametrize("name", ["news", "sources", "symbols"])
async def test_no_list_of_news_scans_the_table(owner: Owner, name: str) -> None:
    # Where a symbol is in every article, the first that Postgres comes across do to find that it is frequent.
    for filters in (NARROWED[name], *([] if name == "symbols" else [NARROWED[name] | MORE])):
        for after in (None, AFTER):
            query, arguments = page_of(loader_of(filters), filters=filters, after=after)
            assert await scans(owner, query, *arguments) == set(), filters


@pytest.mark.parametrize("name", NARROWED)
async def test_a_count_stops_at_its_limit(owner: Owner, name: str) -> None:
    query, arguments = count_of(loader_of(NARROWED[name]), **NARROWED[name])
    for mode in ("force_custom_plan", "force_generic_plan"):
        assert await rows_read(owner, query, *arguments, mode=mode) <= 6 * (COUNT_LIMIT + 1), mode


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_search_reads_little_for_a_rare_word_and_for_a_common_one(owner: Owner, mode: str) -> None:
    for word in ("unicorn", "halving", "nowhere"):
        query, arguments = page_of(news_loaders.news, filters={"search": word})
        assert await rows_read(owner, query, *arguments, mode=mode) < 5_000, word


async def test_no_other_statement_about_news_scans_a_large_table(owner: Owner) -> None:
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM news_articles ORDER BY published_at LIMIT 20")]
    asked: tuple[tuple[Any, Sequence[object]], ...] = (
        (NewsSql.articles_by_ids, (ids,)),
        (NewsSql.contents_by_ids, (ids,)),
        (NewsSql.tokens_by_articles, (ids,)),
        page_of(news_loaders.news_by_symbol, "T1", "T9"),
        count_of(news_loaders.news_by_symbol, "T1", "T9"),
        (NewsSql.known_urls, (["https://paper.example/1"],)),
        (NewsSql.delete_old_articles, (NOON - timedelta(days=365), 1000)),
    )
    for query, arguments in asked:
        assert await scans(owner, query, *arguments) - SMALL == set(), query.name


@pytest.mark.parametrize("name", ["news", "sources", "symbols"])
async def test_a_page_reads_about_what_it_shows(owner: Owner, name: str) -> None:
    query, arguments = page_of(loader_of(NARROWED[name]), filters=NARROWED[name])
    read = await rows_read(owner, query, *arguments)
    assert 21 <= read <= 21 * 6, "an index range for each choice, merged, and each article looked up"


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_of_a_common_and_a_rare_word_are_whole_and_disjoint(
    owner: Owner, database: Database, backward: bool
) -> None:
    loader = news_loaders.news
    for word, total in (("unicorn", 60), ("halving", ARTICLES - 60)):
        filters = {"search": word}
        reads = Reads(database, PUBLIC)
        first = await reads.page(loader, None, page_request(loader, 30, filters=filters, is_backward=backward))
        edge = loader.orders["PUBLISHED_AT"].position(first.records[0 if backward else -1], descending=True)
        place: dict[str, Any] = {"before" if backward else "after": edge}
        second = await reads.page(
            loader, None, page_request(loader, 30, filters=filters, is_backward=backward, **place)
        )
        both = [second, first] if backward else [first, second]
        moments = [article.published_at for page in both for article in page.records]
        assert len({article.id for page in both for article in page.records}) == 60
        assert moments == sorted(moments, reverse=True)
        count = await reads.count(loader, None, page_request(loader, 1, filters=filters).filters)
        assert count == min(total, COUNT_LIMIT + 1)
        await reads.aclose()


async def rows_read(owner: Owner, query: Query[Any], *arguments: object, mode: str = "auto") -> int:
    """Rows that a statement takes from tables and indexes, planned for these arguments or for any."""
    await owner.execute(f"SET plan_cache_mode = {mode}; PREPARE tried AS {query.sql}")
    literals = await owner.fetchval(
        "SELECT array_agg(quote_nullable(v)) FROM unnest($1::text[]) v", [_text(a) for a in arguments]
    )
    plan = await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE tried({', '.join(literals)})")
    await owner.execute("DEALLOCATE tried; RESET plan_cache_mode")
    return _rows_read(json.loads(plan)[0]["Plan"])


def _text(argument: object) -> str | None:
    if isinstance(argument, list | tuple):
        return "{" + ",".join(f'"{item}"' for item in argument) + "}"
    return None if argument is None else str(argument)


def _rows_read(node: dict[str, Any]) -> int:
    here = 0
    if node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"):
        here = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(here) + sum(_rows_read(child) for child in node.get("Plans", []))
