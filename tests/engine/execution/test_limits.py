import re
from fractions import Fraction
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLWrappingType, build_schema, get_introspection_query, graphql_sync
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.engine.execution.engine import Engine
from app.engine.execution.limits.introspection import introspected_sizes
from app.engine.execution.operations import Prepared
from app.main import build_graph
from tests.engine.support import LIMITS, SCHEMA, cost, engine, prepare, refusal


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ item { name } }", 2),
        ("{ item { tags } }", 1 + 1 + 10),
        ("{ item { parts { name } } }", 1 + 1 + 10),
        ("{ item { parts { parts { name } } } }", 1 + 1 + 10 * (1 + 10)),
        ("{ items(first: 3) { nodes { name parent { name } } } }", 1 + 1 + 3 * 3),
        ("{ items(first: 3) { total edges { node { name } } } }", 1 + 1 + 1 + 3 * 2),
        ("{ items { nodes { name } } }", 1 + 1 + 20),
        ("{ items(first: 2) { nodes { children(first: 5) { nodes { name } } } } }", 1 + 1 + 2 * (1 + 1 + 5)),
        ("{ items(first: -9) { nodes { name } } }", 3),
        ("{ item { dear { name } } }", 1 + 51 + 1),
        ("{ item { long } }", 1 + 21),
        ("{ items(first: 3) { nodes { long name } } }", 1 + 1 + 3 * 22),
        ("{ items(first: 3) { nodes { dear { name } } } }", 1 + 1 + 3 * 52),
        ("{ item { parts { dear { name } } } }", 1 + 1 + 10 * 52),
        ("mutation { add { name } other: add { name } }", 22),
        ("subscription { events { name } }", 2),
        ("{ __schema { queryType { name } } }", 1 + 1),
        ("{ item { name } __schema { queryType { name } } }", 2 + 1 + 2 * 5),
        ("{ __typename }", 1),
    ],
)
def test_the_published_formula_is_what_is_charged(query: str, expected: int) -> None:
    assert cost(query) == expected


INTROSPECTED = "__schema { types { name fields { name type { name } args { name } } } }"


def values_in(data: Any) -> int:
    """The number of values, at any depth."""
    if isinstance(data, dict):
        return sum(1 + values_in(each) for each in data.values())
    return sum(map(values_in, data)) if isinstance(data, list) else 0


def test_introspection_is_charged_by_what_the_schema_has() -> None:
    read = graphql_sync(SCHEMA._schema, f"{{ {INTROSPECTED} }}")
    alone = cost(f"{{ {INTROSPECTED} }}")
    assert values_in(read.data) <= (alone - 1) * 25 <= 1.1 * values_in(read.data)
    assert cost(f"{{ ...R }} fragment R on Query {{ ... {{ {INTROSPECTED} __typename }} }}") == alone + 1
    repeated = " ".join(f"a{number}: {INTROSPECTED}" for number in range(20))
    assert cost(f"{{ {repeated} }}") == 20 * alone
    assert cost(f"{{ {INTROSPECTED} item {{ name }} }}") > 100 * alone, "it keeps the event loop busy"


def test_the_graph_can_be_introspected_by_common_tools() -> None:
    tool = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    graph = build_graph()
    charged = Engine(graph, replace(LIMITS, cost=20_000, depth=20)).prepare(
        tool, None, None, introspection_allowed=True
    )
    assert isinstance(charged, Prepared)
    assert charged.cost < 20_000 / 3
    read = values_in(graphql_sync(graph._schema, tool).data)
    assert read <= charged.cost * 25 <= 1.5 * read, "most `ofType` are null"


def wrappings(kind: Any) -> int:
    return 1 + wrappings(kind.of_type) if isinstance(kind, GraphQLWrappingType) else 0


@pytest.mark.parametrize("kind", ["Int", "Int!", "[Int]", "[[Int!]!]!"])
def test_at_no_depth_more_types_are_wrapped_than_are_charged(kind: str) -> None:
    schema = build_schema("type Query {" + " ".join(f"field{number}: {kind}" for number in range(99)) + "}")
    composite = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    fields = [field for each in composite for field in each.fields.values()]
    typed = [wrappings(each.type) for each in (*fields, *(arg for each in fields for arg in each.args.values()))]
    ratio = introspected_sizes(schema)["__Type.ofType"]
    deep = [sum(each >= depth for each in typed) / len(typed) for depth in range(1, max(typed) + 1)]
    assert all(share <= ratio**depth for depth, share in enumerate(deep, 1))
    assert any(share > (ratio - Fraction(1, 500)) ** depth for depth, share in enumerate(deep, 1))


def test_the_page_size_is_the_variables_value_or_its_default() -> None:
    query = "query($first: Int! = 4) { items(first: $first) { nodes { name } } }"
    assert cost(query) == 6
    assert cost(query, {"first": 7}) == 9
    assert cost("query($first: Int) { items(first: $first) { nodes { name } } }") == 22


def test_a_page_size_that_was_cheap_before_is_charged_again() -> None:
    small = engine(cost=50)
    query = "query($first: Int!) { items(first: $first) { nodes { name } } }"
    assert prepare(small, query, {"first": 10}).cost == 12
    assert prepare(small, query, {"first": 10}).cost == 12
    assert refusal(small, query, {"first": 100})[0] == "COST_EXCEEDED"


def test_fragments_count_wherever_they_are_spread_at_the_page_size_of_the_place() -> None:
    fragment = "fragment P on Page { nodes { name } }"
    assert cost(f"{{ a: items(first: 2) {{ ...P }} b: items(first: 30) {{ ...P }} }} {fragment}") == 4 + 32


def test_the_refusal_names_the_connection_and_the_largest_page_that_passes() -> None:
    small = engine(cost=100)
    query = (
        "query($n: Int!) { item { name } items(first: 2) { list: nodes { children(first: $n) { nodes { name } } } } }"
    )
    code, message = refusal(small, query, {"n": 90})
    assert code == "COST_EXCEEDED"
    assert "`items.list.children`" in message
    assert "`first: 46`" in message
    assert prepare(small, query, {"n": 46}).cost <= 100
    assert refusal(small, query, {"n": 47})[0] == "COST_EXCEEDED"


def test_the_refusal_follows_the_heaviest_path_through_fragments() -> None:
    query = (
        "{ item { ...I } items(first: 1) { nodes { name } } }"
        " fragment I on Item { ... on Item { big: children(first: 99) { ...P } } }"
        " fragment P on Page { nodes { name parent { name } } }"
    )
    code, message = refusal(engine(cost=100), query)
    assert code == "COST_EXCEEDED"
    assert "`item.big`" in message
    assert "`first: 31`" in message
    assert prepare(engine(cost=100), query.replace("99", "31")).cost <= 100
    assert refusal(engine(cost=100), query.replace("99", "32"))[0] == "COST_EXCEEDED"


def test_where_no_page_fits_the_refusal_says_so() -> None:
    query = "{ items(first: 9) { nodes { name name2: name name3: name } } }"
    code, message = refusal(engine(cost=3), query)
    assert (code, message) == (
        "COST_EXCEEDED",
        "This operation costs 29; 3 is the limit. `items` weighs most, and no page of it fits:"
        " ask for fewer fields at once.",
    )


def test_depth_is_counted_through_fragments() -> None:
    shallow = engine(depth=3)
    assert prepare(shallow, "{ item { parent { name } } }").cost == 3
    for query in (
        "{ item { parent { parent { name } } } }",
        "{ item { ...A } } fragment A on Item { ... on Item { parent { ...B } } }"
        " fragment B on Item { parent { name } }",
    ):
        code, message = refusal(shallow, query)
        assert code == "COST_EXCEEDED"
        assert "nested" in message


def test_introspection_of_tools_is_not_too_deep() -> None:
    deep = '{ __type(name: "Item") { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } }'
    assert prepare(engine(depth=3), deep).cost > 0


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"a{index}: number" for index in range(11)) + " }",
        "{ " + "number " * 12 + "}",
        "{ item { " + "...A " * 11 + "} } fragment A on Item { alias: name }",
        "{ number " + "@include(if: true) " * 12 + "}",
    ],
)
def test_aliases_and_repetitions_are_bounded(query: str) -> None:
    code, message = refusal(engine(), query)
    assert (code, "10 are the limit" in message) == ("COST_EXCEEDED", True)


def test_ten_aliases_pass() -> None:
    assert prepare(engine(), "{ " + " ".join(f"a{index}: number" for index in range(10)) + " }").cost == 10


def test_tokens_and_comments_are_bounded() -> None:
    assert refusal(engine(tokens=10), "{ " + "number " * 20 + "}")[0] == "COST_EXCEEDED"
    assert refusal(engine(tokens=10), "#\n" * 20 + "{ number }")[0] == "COST_EXCEEDED"


def _doubling(levels: int) -> str:
    steps = "".join(f"fragment F{n} on Item {{ ...F{n + 1} ...F{n + 1} }} " for n in range(levels))
    return "{ item { ...F0 } } " + steps + f"fragment F{levels} on Item {{ parent {{ name }} }}"


def test_fragments_that_double_are_weighed_once_each() -> None:
    # Written out this is 2^100 fields: no walk of that would end.
    assert cost(_doubling(100)) == 1 + 2 * 2**100
    assert refusal(engine(), _doubling(100))[0] == "COST_EXCEEDED"


@pytest.mark.parametrize(
    "query",
    [
        "{ item { ...A } } fragment A on Item { ...A }",
        "{ item { ...A } } fragment A on Item { parent { ...B } } fragment B on Item { ...A ...A }",
    ],
)
def test_fragments_in_a_circle_are_refused_by_validation(query: str) -> None:
    code, message = refusal(engine(), query)
    assert code == "BAD_USER_INPUT"
    assert "within itself" in message


def test_a_long_chain_of_fragments_is_refused_without_overflowing_the_stack() -> None:
    steps = "".join(f"fragment F{n} on Item {{ ...F{n + 1} }} " for n in range(220))
    query = "{ item { ...F0 } } " + steps + "fragment F220 on Item { name }"
    assert refusal(engine(), query)[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_nothing_can_store_is_refused(text: str) -> None:
    query = "query($name: String!) { item(name: $name) { name } }"
    assert refusal(engine(), query, {"name": text})[0] == "BAD_USER_INPUT"
    assert refusal(engine(), query, {"name": "fine", "other": {"deep": [text]}})[0] == "BAD_USER_INPUT"


def test_nul_in_a_literal_is_refused() -> None:
    assert refusal(engine(), '{ item(name: "a\\u0000b") { name } }') == (
        "BAD_USER_INPUT",
        "Text may not contain NUL or a lone surrogate.",
    )


def test_variables_nest_only_so_deep() -> None:
    def nested(levels: int) -> Any:
        value: Any = "innermost"
        for _ in range(levels):
            value = [value]
        return value

    assert prepare(engine(), "{ number }", {"unused": nested(32)}).cost == 1
    assert refusal(engine(), "{ number }", {"unused": nested(33)})[1] == "Variables are nested more than 32 deep."
    assert refusal(engine(), "{ number }", {"unused": nested(100_000)})[0] == "BAD_USER_INPUT"


@given(
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=3),
    plain=st.lists(st.booleans(), min_size=3, max_size=3),
    limit=st.integers(5, 5000),
)
def test_the_page_that_a_refusal_suggests_is_the_largest_that_passes(
    sizes: list[int], plain: list[bool], limit: int
) -> None:
    graph = engine(cost=limit, depth=20)
    body = "name"
    for level in reversed(range(len(sizes))):
        field = "children" if level else "items"
        inner = f"nodes {{ {body} }}" if plain[level] else f"total edges {{ node {{ {body} }} }}"
        body = f"{field}(first: $v{level}) {{ {inner} }}"
    declared = ", ".join(f"$v{level}: Int!" for level in range(len(sizes)))
    query = f"query({declared}) {{ {body} }}"
    variables = {f"v{level}": size for level, size in enumerate(sizes)}
    outcome = graph.prepare(query, None, variables, introspection_allowed=True)
    if not isinstance(outcome, list):
        assert outcome.cost <= limit
        return
    suggestion = re.search(r"`([a-z.]+)` weighs most: it fits with `first: (\d+)`", outcome[0].message)
    if suggestion is None:
        # No page of any connection alone is small enough.
        for name in variables:
            assert isinstance(graph.prepare(query, None, {**variables, name: 1}, introspection_allowed=True), list)
        return
    name = f"v{len(re.findall('items|children', suggestion[1])) - 1}"
    first = int(suggestion[2])
    assert prepare(graph, query, {**variables, name: first}).cost <= limit
    assert refusal(graph, query, {**variables, name: first + 1})[0] == "COST_EXCEEDED"
