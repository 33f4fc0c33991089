"""Candles and samples in the graph."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.domains.market.prices import loaders as price_loaders
from app.domains.market.prices.model import Candle, Interval, Quote
from app.domains.market.prices.services.history import History
from app.domains.market.prices.statements import PriceSql
from app.kit.db import Database
from app.kit.reads import COUNT_LIMIT
from app.kit.sql import Query
from tests.conftest import Execute
from tests.databases import NOON, Owner
from tests.domains.market.token_listing import list_tokens, quote
from tests.lists import count_of, page_of

MINUTE = timedelta(minutes=1)
BY_INDEX = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
COLUMNS = "symbol exchange interval openedAt open high low close volumeUsd"
CANDLES = f"""query Candles($symbol: String!, $interval: CandleInterval!, $since: DateTime, $until: DateTime,
                             $first: Int! = 20, $after: Cursor) {{
  token(by: {{symbol: $symbol}}) {{
    candles(interval: $interval, since: $since, until: $until, first: $first, after: $after) {{
      nodes {{ {COLUMNS} }}
      edges {{ cursor }}
      pageInfo {{ hasNextPage endCursor }}
      streamCursor
    }}
  }}
}}"""
FILL = """
INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)
SELECT 't' || n, 'T' || n, 'T' || n, n FROM generate_series(1, 40) n;
INSERT INTO market_data (symbol, exchange, price_usd, price_aud)
SELECT symbol, 'simulated', 1, 1 FROM tokens WHERE symbol LIKE 'T%';
SELECT make_partitions(t, now() - interval '5 months', now()) FROM unnest(ARRAY['candles', 'price_history']) t;
INSERT INTO candles SELECT 'T' || s, 'simulated', i, date_trunc('hour', now()) - n * interval '1 hour', 1, 1, 1, 1, 1
FROM generate_series(1, 40) s, generate_series(1, 3000) n, unnest(ARRAY['1m', '1h']) i;
INSERT INTO price_history SELECT 'T' || s, 'simulated', 1, 1, 1, date_trunc('hour', now()) - n * interval '1 hour'
FROM generate_series(1, 40) s, generate_series(1, 3000) n;
ANALYZE;
"""


def minutes(count: int, symbol: str = "BTC") -> list[Candle]:
    """One candle a minute from noon on."""
    return [
        Candle(
            symbol,
            "simulated",
            Interval.ONE_MINUTE,
            NOON + n * MINUTE,
            *(Decimal(v) for v in (n + 1, n + 3, 1, n + 2, 7)),
        )
        for n in range(count)
    ]


@pytest_asyncio.fixture(autouse=True)
async def listed(owner: Owner) -> None:
    await list_tokens(owner)
    await quote(owner, "BTC", "90000")
    await quote(owner, "ETH", "3000")


async def candles(execute: Execute, **variables: Any) -> Any:
    response = await execute(CANDLES, {"symbol": "BTC", "interval": "ONE_MINUTE"} | variables)
    assert response.errors == []
    assert response.data is not None
    return response.data["token"]["candles"]


def times(page: Any) -> list[str]:
    return [node["openedAt"] for node in page["nodes"]]


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_candles_are_listed_newest_first_with_all_fields(execute: Execute, database: Database) -> None:
    await History(database).ingest([*minutes(3), *minutes(2, "ETH")])
    page = await candles(execute, first=2)
    assert page["nodes"][0] == {
        "symbol": "BTC",
        "exchange": "simulated",
        "interval": "ONE_MINUTE",
        "openedAt": "2026-11-21T12:02:00Z",
        "open": "3.000000000000",
        "high": "5.000000000000",
        "low": "1.000000000000",
        "close": "4.000000000000",
        "volumeUsd": "7.00",
    }
    assert times(page) == ["2026-11-21T12:02:00Z", "2026-11-21T12:01:00Z"]
    assert page["streamCursor"] is None
    rest = await candles(execute, first=2, after=page["pageInfo"]["endCursor"])
    assert times(rest) == ["2026-11-21T12:00:00Z"]
    assert not rest["pageInfo"]["hasNextPage"]


async def test_a_period_includes_its_beginning_and_excludes_its_end(execute: Execute, database: Database) -> None:
    await History(database).ingest(minutes(5))
    page = await candles(execute, since=stamp(NOON + MINUTE), until=stamp(NOON + 3 * MINUTE))
    assert times(page) == [stamp(NOON + 2 * MINUTE), stamp(NOON + MINUTE)]
    first = await candles(execute, until="2026-11-21T23:03:00+11:00", first=1)
    assert times(first) == [stamp(NOON + 2 * MINUTE)]


async def test_pages_contain_candles_of_one_interval_only(execute: Execute, database: Database) -> None:
    history = History(database)
    await history.ingest(minutes(10))
    await history.roll_up(["BTC"], "simulated", NOON, NOON + 10 * MINUTE)
    assert times(await candles(execute, interval="FIVE_MINUTES")) == [stamp(NOON + 5 * MINUTE), stamp(NOON)]
    assert len(times(await candles(execute, interval="ONE_DAY"))) == 1


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": 0}, "`first` must be between 1 and 1,000."),
        ({"first": 1001}, "`first` must be between 1 and 1,000."),
        ({"after": "nonsense"}, "This cursor does not belong to this list in this order."),
        ({"since": stamp(NOON), "until": stamp(NOON)}, "`since` must be before `until`."),
    ],
)
async def test_invalid_page_arguments_are_refused(execute: Execute, variables: dict[str, Any], message: str) -> None:
    response = await execute(CANDLES, {"symbol": "BTC", "interval": "ONE_MINUTE"} | variables)
    assert [(error["message"], error["extensions"]["code"]) for error in response.errors] == [
        (message, "BAD_USER_INPUT")
    ]


async def test_a_thousand_candles_take_one_statement_within_the_default_cost(
    execute: Execute, database: Database
) -> None:
    await History(database).ingest(minutes(1001))
    query = f"""{{ token(by: {{symbol: "BTC"}}) {{ candles(interval: ONE_MINUTE, first: 1000) {{
        edges {{ cursor node {{ {COLUMNS} }} }} pageInfo {{ hasNextPage }} }} }} }}"""
    response = await execute(query)
    assert response.errors == []
    assert response.data is not None
    page = response.data["token"]["candles"]
    assert len(page["edges"]) == 1000
    assert page["pageInfo"]["hasNextPage"] is True
    # The token, and its candles.
    assert response.statements == 2


async def test_a_refusal_says_how_many_candles_would_fit(execute: Execute) -> None:
    query = f"""{{ token(by: {{symbol: "BTC"}}) {{
        candles(interval: ONE_MINUTE, first: 1000) {{ nodes {{ {COLUMNS} }} edges {{ cursor node {{ {COLUMNS} }} }} }}
    }} }}"""
    refused = await execute(query)
    assert refused.codes == ["COST_EXCEEDED"]
    assert (
        "`token.candles` weighs most: it fits with `first: 999` or less instead of 1000."
        in refused.errors[0]["message"]
    )
    assert (await execute(query.replace("1000", "999"))).errors == []


async def test_candles_are_counted_within_their_period(execute: Execute, database: Database) -> None:
    await History(database).ingest(minutes(1005))
    query = """query Count($until: DateTime) { token(by: {symbol: "BTC"}) {
        candles(interval: ONE_MINUTE, until: $until, first: 1) { totalCount { value precision } } } }"""
    few = await execute(query, {"until": stamp(NOON + 4 * MINUTE)})
    assert few.data == {"token": {"candles": {"totalCount": {"value": 4, "precision": "EXACT"}}}}
    many = await execute(query)
    assert many.data == {"token": {"candles": {"totalCount": {"value": COUNT_LIMIT, "precision": "AT_LEAST"}}}}


async def test_candles_of_many_tokens_take_one_statement(execute: Execute, database: Database) -> None:
    await History(database).ingest([*minutes(2), *minutes(2, "ETH")])
    response = await execute(
        "{ tokens { nodes { symbol candles(interval: ONE_MINUTE, first: 1) { nodes { close } } } } }"
    )
    assert response.errors == []
    assert response.data is not None
    shown = {node["symbol"]: len(node["candles"]["nodes"]) for node in response.data["tokens"]["nodes"]}
    assert shown == {"BTC": 1, "ETH": 1, "USDT": 0, "DOGE": 0, "BCH": 0, "SOL": 0}
    assert response.statements == 2


async def test_samples_of_the_price(execute: Execute, database: Database) -> None:
    history = History(database)
    for n in range(3):
        await history.sample("simulated", [Quote("BTC", NOON + n * MINUTE, Decimal(n + 1), Decimal(n + 2), Decimal(9))])
    await history.sample("other", [Quote("BTC", NOON, Decimal(100), Decimal(100))])
    query = """query History($since: DateTime, $after: Cursor) { token(by: {symbol: "btc"}) {
        source priceHistory(since: $since, first: 2, after: $after) {
            nodes { symbol exchange priceUsd priceAud volume24hUsd at }
            pageInfo { endCursor hasNextPage } totalCount { value } } } }"""
    response = await execute(query)
    assert response.errors == []
    assert response.data is not None
    assert response.data["token"]["source"] == "SIMULATED"
    page = response.data["token"]["priceHistory"]
    assert page["nodes"][1] == {
        "symbol": "BTC",
        "exchange": "simulated",
        "priceUsd": "2.000000000000",
        "priceAud": "3.000000000000",
        "volume24hUsd": "9.00",
        "at": "2026-11-21T12:01:00Z",
    }
    assert page["totalCount"] == {"value": 3}
    rest = await execute(query, {"after": page["pageInfo"]["endCursor"]})
    assert rest.data is not None
    assert [node["at"] for node in rest.data["token"]["priceHistory"]["nodes"]] == ["2026-11-21T12:00:00Z"]
    later = await execute(query, {"since": "2026-11-21T12:02:00Z"})
    assert later.data is not None
    assert len(later.data["token"]["priceHistory"]["nodes"]) == 1


async def plans(owner: Owner, query: Query[Any], *arguments: object) -> list[dict[str, Any]]:
    """The custom plan for these arguments, which a connection uses at first, and the generic plan that may follow."""
    custom = await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}", *arguments)
    # EXPLAIN plans for the bound parameters. A generic plan needs a prepared statement.
    await owner.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE tried AS {query.sql}")
    given = ", ".join(map(literal, arguments))
    generic = await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE tried({given})")
    await owner.execute("DEALLOCATE tried; RESET plan_cache_mode")
    return [json.loads(plan)[0]["Plan"] for plan in (custom, generic)]


def literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return "'{" + ", ".join(f'"{item}"' for item in value) + "}'"
        case timedelta():
            return f"interval '{value.total_seconds()} s'"
    return f"'{value}'"


def nodes_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes_of(child))]


def read(plan: dict[str, Any], table: str) -> dict[str, str]:
    """How the partitions of a table are read, without the empty partitions of future months."""
    return {
        node["Relation Name"]: node["Node Type"]
        for node in nodes_of(plan)
        if node.get("Relation Name", "").startswith(table)
        and node["Actual Loops"] > 0
        and (node["Actual Rows"] > 0 or node.get("Rows Removed by Filter", 0) > 0)
    }


@pytest.mark.parametrize("table", ["candles", "price_history"])
async def test_a_page_is_an_index_scan_of_the_partitions_that_it_needs(owner: Owner, table: str) -> None:
    await owner.execute(FILL)
    assert await owner.fetchval(f"SELECT count(*) FROM {table}") >= 120_000
    loader = price_loaders.candles_by_token if table == "candles" else price_loaders.prices_by_token
    own = {"interval": "1h"} if table == "candles" else {}
    month = await owner.fetchval("SELECT date_trunc('month', now() - interval '2 months')")
    for keys in (["T7"], [f"T{n}" for n in range(1, 21)]):
        for since, until, after, partitions in (
            (None, None, None, None),
            (month, month + timedelta(days=20), None, 1),
            (month, month + timedelta(days=20), month + timedelta(days=10), 1),
            (None, month + timedelta(days=2), None, None),
        ):
            filters = {**own, "since": since, "until": until}
            place = None if after is None else (after,)
            query, arguments = page_of(loader, *keys, size=1000, filters=filters, after=place)
            for plan in await plans(owner, query, *arguments):
                used = read(plan, table)
                assert used
                assert set(used.values()) <= BY_INDEX, used
                if partitions is not None:
                    assert len(used) == partitions
            query, arguments = count_of(loader, *keys, **filters)
            for plan in await plans(owner, query, *arguments):
                assert set(read(plan, table).values()) <= BY_INDEX


async def test_the_newest_page_reads_no_older_partition(owner: Owner) -> None:
    await owner.execute(FILL)
    query, arguments = page_of(price_loaders.candles_by_token, "T7", size=100, filters={"interval": "1h"})
    for plan in await plans(owner, query, *arguments):
        # A hundred hours may extend into the previous month.
        assert 1 <= len(read(plan, "candles")) <= 2


async def test_no_other_statement_about_prices_scans_a_table(owner: Owner) -> None:
    await owner.execute(FILL)
    keys = ["T1", "T2", "T3"]
    since: datetime = await owner.fetchval("SELECT now() - interval '1 day'")
    asked: Sequence[tuple[Any, tuple[object, ...]]] = (
        (PriceSql.latest_candles, (keys, "1h", 200)),
        (PriceSql.candles_exist, (keys, "simulated", "1m", [since] * 3, [since] * 3)),
        (PriceSql.day_of_candles, (keys, "simulated", since)),
        (
            PriceSql.roll_up_candles,
            (keys, "simulated", "1h", "1d", timedelta(days=1), since, since + timedelta(days=1)),
        ),
    )
    for query, arguments in asked:
        for plan in await plans(owner, query, *arguments):
            kinds = set(read(plan, "candles").values()) - {"ModifyTable"}
            assert kinds <= BY_INDEX, (query.name, kinds)
