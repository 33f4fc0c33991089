"""No field can give more items than it is charged for: every list says how many it may have, and is held to it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.ledger.services import statistics
from app.domains.market.analysis.model.phases import PHASES
from app.domains.market.analysis.rules import levels, market_data, patterns, predictions, risk, technical
from app.domains.market.analysis.services import media
from app.engine.declarations.costs import counted_argument, declared_size
from app.engine.declarations.subscriptions import cost_per_s, declared_stream, rate_of
from app.engine.execution.engine import Engine
from app.engine.execution.limits.cost import sizing_arguments
from app.engine.execution.operations import Prepared
from app.main import build_graph
from app.schema.limits import build_limits
from app.schema.market import watchlist as watchlist_graph
from app.schema.market.analysis import market_data as market_data_graph
from app.schema.market.analysis import on_chain
from app.schema.market.analysis import predictions as predictions_graph
from app.schema.market.analysis import risk as risk_graph
from app.schema.market.analysis import technical as technical_graph
from app.settings import Settings
from tests.sizes import overfull

SCHEMA: Final = build_graph()._schema
LIMITS: Final = build_limits(Settings(), tick_period_s=1.0)
ENGINE: Final = Engine(build_graph(), LIMITS)


def fields() -> Iterator[tuple[str, str, GraphQLField]]:
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
            for field_name, field in kind.fields.items():
                yield name, field_name, field


LISTS: Final = [(kind, name, field) for kind, name, field in fields() if is_list_type(get_nullable_type(field.type))]


def sized(field: GraphQLField) -> bool:
    return declared_size(field) is not None or counted_argument(field) is not None or "first" in field.args


def test_there_are_lists_to_look_at() -> None:
    assert len(LISTS) > 50


@pytest.mark.parametrize(("kind", "name", "field"), LISTS, ids=[f"{kind}.{name}" for kind, name, _ in LISTS])
def test_every_list_says_how_many_items_it_may_have(kind: str, name: str, field: GraphQLField) -> None:
    if sized(field):
        size = declared_size(field)
        limit = size(LIMITS) if callable(size) else size
        assert limit is None or limit >= 1
        return
    # It has as many as the field says that it is below of: wherever that type is met.
    ways = [(owner, field) for owner, _, field in fields() if get_named_type(field.type).name == kind]
    assert ways, f"{kind}.{name} says nothing of its size"
    for owner, way in ways:
        assert not is_list_type(get_nullable_type(way.type)), owner
        assert "first" in way.args or counted_argument(way) is not None, f"{owner} does not size {kind}.{name}"


def test_no_list_is_sized_by_an_argument_that_is_not_there() -> None:
    for kind, name, field in fields():
        if (counted := counted_argument(field)) is not None:
            assert is_list_type(get_nullable_type(field.args[counted.name].type)), (kind, name)
    assert sizing_arguments(SCHEMA) == {"first", "last", "ids", "symbols"}


def test_every_size_is_that_of_what_makes_the_list() -> None:
    assert len(technical.AVERAGES) == technical_graph.AVERAGES
    assert len(patterns.NAMES) * patterns.RECENT_CANDLES == technical_graph.MAX_PATTERNS
    assert levels.MOST_LEVELS == technical_graph.MOST_LEVELS
    assert len(market_data.BASIC) == market_data_graph.BASIC
    assert len(predictions.PROBABILITIES) == predictions_graph.PROBABILITIES
    assert len(risk.CONFIDENCES) == risk_graph.CONFIDENCES
    assert statistics.LARGEST == on_chain.LARGEST
    assert max(len(parts) for parts in PHASES.values()) == 5
    assert media.NewsAnalyst.TOP == 10


def cost(query: str, variables: dict[str, Any] | None = None) -> int:
    prepared = ENGINE.prepare(query, None, variables, introspection_allowed=True)
    assert isinstance(prepared, Prepared), prepared
    return prepared.cost


def message(query: str, variables: dict[str, Any] | None = None) -> str:
    errors = ENGINE.prepare(query, None, variables, introspection_allowed=True)
    assert isinstance(errors, list)
    return errors[0].message


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 1 + 3),
        ('{ nodes(ids: "a") { id } }', {}, 1 + 1),
        ("{ nodes(ids: []) { id } }", {}, 1 + 1),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 7}, 1 + 7),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": "x"}, 1 + 1),
        ("query($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }", {"a": "1", "b": "2"}, 1 + 2),
        ("subscription { priceTicks { at ticks { symbol } } }", {}, 1 + 1 + 1 + 250),
        ("subscription { priceTicks(symbols: null) { ticks { symbol } } }", {}, 1 + 1 + 250),
        ('subscription { priceTicks(symbols: ["BTC", "ETH"]) { ticks { symbol } } }', {}, 1 + 1 + 2),
        ("subscription($s: [String!]) { priceTicks(symbols: $s) { ticks { symbol } } }", {"s": ["BTC"] * 5}, 1 + 1 + 5),
        ("subscription($s: [String!]) { priceTicks(symbols: $s) { ticks { symbol } } }", {"s": None}, 1 + 1 + 250),
        ("subscription($s: [String!]) { priceTicks(symbols: $s) { ticks { symbol } } }", {}, 1 + 1 + 250),
        ('subscription($s: [String!] = ["BTC"]) { priceTicks(symbols: $s) { ticks { symbol } } }', {}, 1 + 1 + 1),
        ("subscription { watchlistTicks { ticks { symbol } } }", {}, 1 + 1 + 200),
        ("{ marketSources { ignored { reason } } }", {}, 1 + 200 * (1 + 24)),
        ("{ news(first: 2) { nodes { symbols } } }", {}, 1 + 1 + 2 * 21),
    ],
)
def test_what_is_listed_is_what_is_charged(query: str, variables: dict[str, Any], expected: int) -> None:
    assert cost(query, variables) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=12))
def test_a_cost_that_was_computed_before_is_of_as_many(counts: list[int]) -> None:
    query = "query($ids: [ID!]!, $n: Int!) { nodes(ids: $ids) { id } blocks(first: $n) { nodes { height } } }"
    for number, count in enumerate(counts):
        assert cost(query, {"ids": ["x"] * count, "n": number + 1}) == 1 + max(1, count) + 2 + number + 1


def test_too_many_ids_or_symbols_are_refused_with_how_many_fit() -> None:
    below = " ".join(f"... on Token {{ t{n}: news(first: 100) {{ nodes {{ title }} }} }}" for n in range(3))
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {below} }} }}"
    said = message(query, {"ids": ["x"] * 100})
    assert "`nodes` weighs most: it fits with 65 `ids` or fewer instead of 100." in said
    assert cost(query, {"ids": ["x"] * 65}) <= LIMITS.cost
    message(query, {"ids": ["x"] * 66})


CANDLES: Final = (
    "ticks { symbol priceUsd token { name candles(interval: ONE_MINUTE, first: 100) { nodes { open close } } } }"
)


def test_the_tick_that_took_gigabytes_is_refused_for_all_tokens_and_fits_for_some() -> None:
    assert "it fits with 97 `symbols` or fewer" in message(f"subscription {{ priceTicks {{ at {CANDLES} }} }}")
    few = ", ".join(f'"T{n}"' for n in range(50))
    prepared = ENGINE.prepare(
        f"subscription {{ priceTicks(symbols: [{few}]) {{ at {CANDLES} }} }}", None, None, introspection_allowed=True
    )
    assert isinstance(prepared, Prepared)
    assert prepared.key is not None
    per_s = cost_per_s(prepared.key.declared, prepared.cost, LIMITS)
    assert LIMITS.stream_cost_per_socket // per_s == 1


def test_a_dashboard_fits_into_one_socket() -> None:
    """A hundred subscriptions, and none like another."""
    total = 0
    everything = (
        'candleUpdates(symbol: "BTC", interval: ONE_MINUTE) { open { open high low close } closed { close } }',
        'priceTicks(symbols: ["BTC", "ETH", "SOL"]) { at ticks { symbol priceUsd changePercentage24h } }',
        "newBlock { cursor block { height hash miner { walletId } transactionCount } }",
        "notifications { cursor }",
        "walletBalance { balance }",
    )
    for each in everything:
        prepared = ENGINE.prepare(f"subscription {{ {each} }}", None, None, introspection_allowed=True)
        assert isinstance(prepared, Prepared)
        assert prepared.key is not None
        total += 20 * cost_per_s(prepared.key.declared, prepared.cost, LIMITS)
    watchlist = "watchlistTicks { at ticks { symbol priceUsd changePercentage24h token { name } } }"
    prices = "priceTicks { at ticks { symbol priceUsd priceAud changePercentage24h volume24hUsd at } }"
    for each in (watchlist, prices):
        total += cost(f"subscription {{ {each} }}")
    print(f"{total:,} of {LIMITS.stream_cost_per_socket:,} a second")
    assert total <= LIMITS.stream_cost_per_socket


def test_every_subscription_says_how_often_it_is_charged() -> None:
    subscription = SCHEMA.subscription_type
    assert is_object_type(subscription)
    for name, field in subscription.fields.items():
        declared = declared_stream(field)
        assert declared is not None
        assert rate_of(declared, LIMITS) > 0
        assert "Charged for " in (field.description or ""), name


def test_a_market_that_ticks_faster_is_charged_more() -> None:
    subscription = SCHEMA.subscription_type
    assert subscription is not None
    declared = declared_stream(subscription.fields["priceTicks"])
    assert declared is not None
    fast = build_limits(Settings(), tick_period_s=0.1)
    assert rate_of(declared, LIMITS) == 1.0
    assert rate_of(declared, fast) == pytest.approx(10.0)


def test_a_list_with_more_items_than_it_is_charged_for_would_be_noticed() -> None:
    query = '{ marketSources { kind } nodes(ids: ["a"]) { id } blocks(first: 2) { nodes { ...B } } }'
    prepared = ENGINE.prepare(f"{query} fragment B on Block {{ height }}", None, None, introspection_allowed=True)
    assert isinstance(prepared, Prepared)
    blocks = [{"height": n} for n in range(3)]
    data = {"marketSources": [{}] * 201, "nodes": [{}, {}], "blocks": {"nodes": blocks}}
    assert overfull(SCHEMA, LIMITS, prepared, data) == [
        "Query.marketSources has 201 items and is charged for 200",
        "Query.nodes has 2 items and is charged for 1",
        "BlockConnection.nodes has 3 items and is charged for 2",
    ]
    fitting = {"marketSources": [{}] * 200, "nodes": [{}], "blocks": {"nodes": blocks[:2]}}
    assert overfull(SCHEMA, LIMITS, prepared, fitting) == []


async def test_a_watchlist_beyond_its_limit_is_returned_as_far_as_it_is_charged() -> None:
    """The setting was lowered."""
    symbols = [f"T{n}" for n in range(5)]
    unknown = dict.fromkeys(("change_percentage_24h", "volume_24h_usd"))
    quote = {"price_usd": "1", "price_aud": "1", "at": "2026-11-28T00:00:00Z", **unknown}
    quotes = {symbol: {"symbol": symbol, **quote} for symbol in symbols}

    async def many(*_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(symbol=symbol) for symbol in symbols]

    context = SimpleNamespace(
        settings=Settings(watchlist_limit=3),
        require_viewer=lambda: SimpleNamespace(user_id="alice"),
        reads=SimpleNamespace(many=many),
    )
    root: Any = SimpleNamespace(quotes=quotes)
    info: Any = SimpleNamespace(context=context)
    assert [each.symbol for each in await watchlist_graph._watched(root, info)] == symbols[:3]
