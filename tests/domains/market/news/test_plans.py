"""Among 60,000 articles no list of news reads the whole table, and each reads about as much as it shows."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.domains.market.news import loaders as news_loaders
from app.domains.market.news.statements import NewsSql
from app.kit.loaders import Page
from app.kit.reads import COUNT_LIMIT
from app.kit.sql import Query
from tests.conftest import NOON, Owner
from tests.domains.ledger.test_plans import scans

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
ANALYZE;
"""
# A token list is a few hundred rows.
SMALL = {"tokens", "market_data"}
ANY: dict[str, Any] = {
    "search": "halving -unicorn",
    "symbols": ["T7", "T1"],
    "sources": ["Paper 1", "Paper 2"],
    "min_score": Decimal("0.05"),
    "max_score": None,
    "min_impact": 40,
    "since": NOON - timedelta(days=300),
    "until": None,
}
LISTS = {
    "news": news_loaders.news,
    "sources": news_loaders.news_from_sources,
    "symbols": news_loaders.news_mentioning,
    "search": news_loaders.news_matching,
}


@pytest_asyncio.fixture
async def full(owner: Owner) -> Owner:
    """Tables large enough for a plan to matter."""
    await owner.execute(FILL)
    return owner


def given(page: Page[Any], wanted: dict[str, Any]) -> list[Any]:
    """The filters of a list: what narrows it, and of the rest what is wanted."""
    leading = page.filters[0] if page.filters[0] in ("search", "symbols", "sources") else None
    return [(ANY | wanted)[name] if name == leading else wanted.get(name) for name in page.filters]


@pytest.mark.parametrize("name", ["news", "sources", "symbols"])
async def test_no_list_of_news_scans_the_table(full: Owner, name: str) -> None:
    page = LISTS[name]
    after = (datetime(2026, 6, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000001")
    for filters in (given(page, {}), given(page, ANY)):
        for place in ((None, None), after):
            assert await scans(full, page.query, 21, *filters, *place) == set(), page.query.name


@pytest.mark.parametrize("name", LISTS)
async def test_a_count_stops_where_it_is_told_to(full: Owner, name: str) -> None:
    page = LISTS[name]
    for mode in ("force_custom_plan", "force_generic_plan"):
        read = await rows_read(full, page.count, COUNT_LIMIT + 1, *given(page, {}), mode=mode)
        assert read <= 6 * (COUNT_LIMIT + 1), mode


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_search_reads_little_for_a_rare_word_and_for_a_common_one(full: Owner, mode: str) -> None:
    page = news_loaders.news_matching
    for word in ("unicorn", "halving", "nowhere"):
        filters = [word, *given(page, {})[1:]]
        assert await rows_read(full, page.query, 21, *filters, None, None, mode=mode) < 5_000, word


async def test_no_other_statement_about_news_scans_a_large_table(full: Owner) -> None:
    ids = [row["id"] for row in await full.fetch("SELECT id FROM news_articles ORDER BY published_at LIMIT 20")]
    asked: tuple[tuple[Any, tuple[object, ...]], ...] = (
        (NewsSql.articles_by_ids, (ids,)),
        (NewsSql.contents_by_ids, (ids,)),
        (NewsSql.tokens_by_articles, (ids,)),
        (NewsSql.news_by_symbols, (["T1", "T9"], 21, None, None)),
        (NewsSql.news_by_symbols_count, (["T1", "T9"], COUNT_LIMIT + 1)),
        (NewsSql.known_urls, (["https://paper.example/1"],)),
        (NewsSql.delete_old_articles, (NOON - timedelta(days=365), 1000)),
    )
    for query, arguments in asked:
        assert await scans(full, query, *arguments) - SMALL == set(), query.name


@pytest.mark.parametrize("name", ["news", "sources", "symbols"])
async def test_a_page_reads_about_what_it_shows(full: Owner, name: str) -> None:
    page = LISTS[name]
    read = await rows_read(full, page.query, 21, *given(page, {}), None, None)
    assert 21 <= read <= 21 * 6, "an index range for each choice, merged, and each article looked up"


async def test_pages_of_a_common_and_a_rare_word_are_whole_and_disjoint(full: Owner) -> None:
    page = news_loaders.news_matching
    for word, total in (("unicorn", 60), ("halving", ARTICLES - 60)):
        filters = [word, *given(page, {})[1:]]
        first = await full.fetch(page.query.sql, 30, *filters, None, None)
        last = first[-1]
        second = await full.fetch(page.query.sql, 30, *filters, last["published_at"], last["id"])
        moments = [row["published_at"] for row in (*first, *second)]
        assert len({row["id"] for row in (*first, *second)}) == 60
        assert moments == sorted(moments, reverse=True)
        assert await full.fetchval(page.count.sql, COUNT_LIMIT + 1, *filters) == min(total, COUNT_LIMIT + 1)


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
