"""A tick, and whatever else looks for alerts, searches indexes; row-level security takes none of them away."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts.statements import AlertSql
from app.kit.sql import Statement
from tests.databases import NOON, Owner
from tests.lists import count_of, page_of
from tests.statements import statement

ROWS = 60_000

FILL = f"""
SET session_replication_role = replica;
INSERT INTO users (id, email, password_hash, full_name)
SELECT lpad(n::text, 32, '0')::uuid, n || '@example.com', 'x', 'x' FROM generate_series(0, 999) n;
INSERT INTO tokens (coingecko_id, symbol, name) SELECT 't' || n, 'T' || n, 'x' FROM generate_series(0, 99) n;
INSERT INTO alerts (user_id, symbol, alert_type, threshold_value, condition_details, expires_at)
SELECT lpad((n * 7 % 1000)::text, 32, '0')::uuid, 'T' || n % 100,
    (ARRAY['price_above', 'price_below', 'price_above', 'price_below', 'price_above', 'price_below',
           'technical_indicator', 'news_impact', 'whale_tx', 'sentiment_change'])[n / 100 % 10 + 1],
    1 + n % 977, '{{"indicator": "rsi_14"}}', CASE WHEN n % 50 = 0 THEN now() + n * interval '1 minute' END
FROM generate_series(1, {ROWS}) n;
INSERT INTO alert_marks (kind, subject, at) SELECT 'k' || n % 10, n::text, now() FROM generate_series(1, 5000) n;
INSERT INTO news_articles (title, source, url, published_at)
SELECT 'x', 'x', 'https://news.example/' || n, now() FROM generate_series(1, 5000) n;
RESET session_replication_role;
ANALYZE;
"""


@pytest_asyncio.fixture
async def full(owner: Owner) -> AsyncIterator[Owner]:
    """Tables large enough for a plan to matter, asked as the application asks: by its role, as the system."""
    await owner.execute(FILL)
    await owner.execute("SET ROLE moneta_app; SELECT set_config('app.system', 'on', false)")
    await owner.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text")
    yield owner
    await owner.execute("RESET ROLE")


async def plans(owner: Owner, query: Statement, *arguments: object) -> list[dict[str, Any]]:
    """The nodes of the plans of a statement: for these arguments, as at first, and for any, as later perhaps."""
    await owner.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE tried AS {query.sql}")
    nulls = f"({', '.join(['NULL'] * len(arguments))})" if arguments else ""
    found = (
        await owner.fetchval(f"EXPLAIN (FORMAT JSON) {query.sql}", *arguments),
        await owner.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE tried{nulls}"),
    )
    await owner.execute("DEALLOCATE tried")
    return [node for plan in found for node in nodes(json.loads(plan)[0]["Plan"])]


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def scans(owner: Owner, query: Statement, *arguments: object) -> set[str]:
    """Tables that are read from end to end, but for partitions of months to come, which are empty."""
    found = await plans(owner, query, *arguments)
    return {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan" and node["Plan Rows"] > 1}


def tick() -> list[object]:
    symbols = [f"T{number}" for number in range(100)]
    count = len(symbols)
    return [
        symbols, ["price_above"] * count, [{}] * count, [Decimal(100)] * count, [Decimal("100.5")] * count,
        [100.0] * count, [100.5] * count, [None] * count, NOON, 5000, None,
    ]  # fmt: skip


async def test_a_tick_is_a_range_scan_for_each_symbol_under_row_level_security(full: Owner) -> None:
    found = await plans(full, AlertSql.crossed_alerts, *tick())
    searched = [node for node in found if "Index Name" in node]
    # As an index scan or a bitmap, planned for these arguments and for any.
    assert [node["Index Name"] for node in searched] == ["alerts_crossings"] * 2
    for node in searched:
        for condition in ("symbol = p.symbol", "alert_type = p.alert_type", "level >= p.low", "level <= p.high"):
            assert condition in node["Index Cond"]
    policed = [node for node in found if node.get("Relation Name") == "alerts"]
    assert len(policed) == 2
    assert all("app.user_id" in node["Filter"] for node in policed)


async def test_the_exact_thresholds_alone_could_not_be_searched(full: Owner) -> None:
    """Why there are levels: the operators of numeric are not leakproof, and wait for the policy."""
    naive = statement(
        "naive",
        "",
        "SELECT a.id FROM unnest($1::text[], $2::numeric[], $3::numeric[]) AS p (symbol, before, after)"
        " JOIN alerts a ON a.is_armed AND a.symbol = p.symbol AND a.alert_type = 'price_above'"
        " AND a.threshold_value > p.before AND a.threshold_value <= p.after",
    )
    found = await plans(full, naive, ["T1"], [Decimal(1)], [Decimal(2)])
    assert not any("threshold_value" in node.get("Index Cond", "") for node in found)


async def test_nothing_that_looks_for_alerts_reads_the_whole_table(full: Owner) -> None:
    users = [row[0] for row in await full.fetch("SELECT id FROM users LIMIT 3")]
    ids = [row[0] for row in await full.fetch("SELECT id FROM alerts LIMIT 3")]
    articles = [row[0] for row in await full.fetch("SELECT id FROM news_articles LIMIT 3")]
    searched: tuple[tuple[Statement, tuple[object, ...]], ...] = (
        (AlertSql.count_alerts, (users[0],)),
        (AlertSql.lock_alert, (ids[0], users[0])),
        (AlertSql.update_alert, (ids[0], users[0], Decimal(1), {}, "once", None, True, None, NOON)),
        (AlertSql.delete_alert, (ids[0], users[0])),
        (AlertSql.delete_expired_alerts, (NOON - timedelta(days=999),)),
        (AlertSql.armed_alerts, ("sentiment_change", ["T1"], NOON)),
        (AlertSql.fire_alerts, (ids, [Decimal(1)] * 3, ["x"] * 3, [""] * 3, NOON)),
        (AlertSql.marks, ("k1", ["1", "2"])),
        (AlertSql.lock_marks, ("k1", ["1", "2"])),
        (AlertSql.claim_news, (articles, NOON)),
    )
    for query, arguments in searched:
        assert await scans(full, query, *arguments) == set(), query.name


async def test_no_loader_reads_a_whole_table(full: Owner) -> None:
    users = [row[0] for row in await full.fetch("SELECT id FROM users LIMIT 3")]
    ids = [row[0] for row in await full.fetch("SELECT id FROM alerts LIMIT 3")]
    assert await scans(full, alert_loaders.alert_by_id.query, ids) == set()
    for query, arguments in (
        page_of(alert_loaders.alerts_by_user, *users),
        count_of(alert_loaders.alerts_by_user, *users),
    ):
        assert await scans(full, query, *arguments) == set()


async def test_the_tables_are_large_enough_for_the_plans_to_mean_something(full: Owner) -> None:
    everything = statement("", "", "SELECT id FROM alerts WHERE rearm = $1")
    assert await scans(full, everything, "x") == {"alerts"}
