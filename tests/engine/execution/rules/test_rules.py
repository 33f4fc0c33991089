"""Our rules accept and refuse what graphql-core's do: compared over random documents, and over some of the spec's."""

from collections.abc import Iterable
from typing import Final

import pytest
from graphql import ASTValidationRule, GraphQLSchema, build_schema, parse, specified_rules, validate
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.engine.execution.rules import REPLACED, RULES, WITHOUT_DIRECTIVE
from app.main import build_graph

SCHEMA: Final = build_schema(
    """
    interface Being { name: String! friend: Being self(a: Int, b: [Int]): Being size: Int }
    type Dog implements Being { name: String! friend: Dog self(a: Int, b: [Int]): Dog size: Int barks: Boolean
        tag: String home: Home }
    type Cat implements Being { name: String! friend: Being self(a: Int, b: [Int]): Cat size: Int meows: Int
        tag: [String] home: Home! }
    type Home { of: Being pets(a: Int): [Being!]! size: Float name: String! }
    union Pet = Dog | Cat
    input Box { a: Int b: [Int] box: Box }
    input Either @oneOf { a: Int b: Int }
    type Query { being(a: Int, box: Box, e: Either): Being dog(n: Int! = 1): Dog cat(m: Int!): Cat home: Home pet: Pet }
    type Subscription { one: Dog two(a: Int): Cat }
    """
)
FIELDS: Final[dict[str, dict[str, str | None]]] = {
    "Query": {"being": "Being", "dog": "Dog", "cat": "Cat", "home": "Home", "pet": "Pet"},
    "Being": {"name": None, "friend": "Being", "self": "Being", "size": None},
    "Dog": {"name": None, "friend": "Dog", "self": "Dog", "size": None, "barks": None, "tag": None, "home": "Home"},
    "Cat": {"name": None, "friend": "Being", "self": "Cat", "size": None, "meows": None, "tag": None, "home": "Home"},
    "Home": {"of": "Being", "pets": "Being", "size": None, "name": None},
    "Pet": {},
    "Subscription": {"one": "Dog", "two": "Cat"},
}
ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "self": ("(a: 1)", "(a: 2)", "(b: [1], a: 1)", "(a: 1, b: [1])", "(a: $x)", "(b: $xs)", "(b: [$x])"),
    "being": (
        "(a: 1)",
        "(box: {a: 1, b: 2})",
        "(box: {b: 2, a: 1})",
        "(box: {box: {a: $x}})",
        "(e: {a: $x})",
        "(a: $y)",
    ),
    "dog": ("(n: 1)", "(n: $x)", "(n: $y)"),
    "cat": ("(m: 1)", "(m: $x)", "(m: $y)"),
    "pets": ("(a: 1)", "(a: $x)"),
    "two": ("(a: 1)", "(a: $x)"),
}
NAMES: Final = ("A", "B", "C", "D")
DEFINITIONS: Final = ("", "($x: Int)", "($x: Int!)", "($x: Int = 1, $xs: [Int])", "($y: Int!)", "($x: Int, $y: String)")
CONDITIONS: Final = ("", "", "", "", " @skip(if: true)", " @include(if: true)")


@st.composite
def selections(draw: st.DrawFn, parent: str, depth: int, fragments: tuple[str, ...]) -> str:
    """A selection set; few names, so that they meet often."""
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        shape = draw(st.integers(0, 9))
        if shape <= 1 and fragments:
            parts.append(f"...{draw(st.sampled_from(fragments))}{draw(st.sampled_from(CONDITIONS))}")
        elif shape <= 3 and depth:
            kind = draw(
                st.sampled_from([parent, "Being", "Dog", "Cat"] if parent not in ("Home", "Query") else [parent])
            )
            condition = f" on {kind}" if draw(st.booleans()) or kind != parent else ""
            parts.append(f"...{condition}{{{draw(selections(kind, depth - 1, fragments))}}}")
        else:
            parts.append(draw(fields(parent, depth, fragments)))
    return " ".join(parts)


@st.composite
def fields(draw: st.DrawFn, parent: str, depth: int, fragments: tuple[str, ...]) -> str:
    """A field, often under another's name."""
    known = {name: kind for name, kind in FIELDS[parent].items() if depth or kind is None} or {"__typename": None}
    name = draw(st.sampled_from([*known, "__typename"]))
    alias = f"{draw(st.sampled_from(['k', 'name', 'size', 'friend']))}: " if draw(st.integers(0, 4)) == 0 else ""
    arguments = draw(st.sampled_from(("", *ARGUMENTS[name]))) if name in ARGUMENTS and draw(st.booleans()) else ""
    kind = known.get(name)
    below = f"{{{draw(selections(kind, depth - 1, fragments))}}}" if kind else ""
    return f"{alias}{name}{arguments}{below}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Operations and fragments; a fragment mostly spreads later ones."""
    names = NAMES[: draw(st.integers(0, 4))]
    kinds = [draw(st.sampled_from(["Being", "Dog", "Cat", "Query", "Home", "Subscription"])) for _ in names]
    parts: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        operation, root = draw(
            st.sampled_from([("query", "Query"), ("query", "Query"), ("subscription", "Subscription")])
        )
        definitions = draw(st.sampled_from(DEFINITIONS))
        parts.append(f"{operation} O{number}{definitions} {{{draw(selections(root, 3, names))}}}")
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        spread = names if draw(st.integers(0, 19)) == 0 else names[number + 1 :]
        parts.append(f"fragment {name} on {kind} {{{draw(selections(kind, 2, spread))}}}")
    return "\n".join(parts)


def messages(source: str, rules: Iterable[type[ASTValidationRule]], schema: GraphQLSchema = SCHEMA) -> list[str]:
    found = validate(schema, parse(source), list(rules), max_errors=500)
    return [error.message for error in found]


OTHERS: Final = [rule for rule in specified_rules if rule not in REPLACED]


@settings(max_examples=300, deadline=None)
@example("subscription O0 {k: one{name} k: __typename}")
@example("subscription O0 {k: __typename k: one{name}}")
@example("subscription O0 {...F k: __typename} fragment F on Subscription {k: one{name}}")
@given(documents())
def test_a_random_document_is_valid_by_ours_where_it_is_by_graphql_cores(source: str) -> None:
    if messages(source, OTHERS):
        # Refused either way. What the rules say of it is not compared: it may use what is not there, or go in circles.
        return
    for theirs, ours in REPLACED.items():
        alone = [rule for rule, replacement in REPLACED.items() if replacement is ours]
        assert bool(messages(source, [ours])) == bool(messages(source, alone)), (
            theirs.__name__,
            messages(source, alone),
        )


@settings(max_examples=100, deadline=None)
@given(documents())
def test_a_random_document_is_refused_by_all_of_ours_where_it_is_by_all_of_graphql_cores(source: str) -> None:
    ours = {REPLACED.get(rule, rule) for rule in specified_rules}
    assert bool(messages(source, ours)) == bool(messages(source, specified_rules)), source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{ dog { name name: tag } }", "Fields 'name' conflict because 'name' and 'tag' are different fields."),
        ("{ dog { ...A ...B } } fragment A on Dog { x: name } fragment B on Dog { x: tag }", "'name' and 'tag'"),
        ("{ k: dog(n: 1) { name } k: dog(n: 2) { name } }", "they have differing arguments"),
        ("{ being(box: {a: 1, b: 2}) { name } being(box: {b: 2, a: 1}) { name } }", None),
        ("{ pet { ... on Dog { x: barks } ... on Cat { x: meows } } }", "conflicting types 'Boolean' and 'Int'"),
        ("{ pet { ... on Dog { x: name } ... on Cat { x: name } } }", None),
        ("{ pet { ... on Dog { x: tag } ... on Cat { x: tag } } }", "conflicting types 'String' and '[String]'"),
        ("{ pet { ... on Dog { home { x: size } } ... on Cat { h: home { x: name } } } }", None),
        ("{ being { ... on Dog { x: size } ... on Cat { x: size } x: name } }", "different fields"),
        ("{ pet { ... on Dog { self(a: 1) { name } } ... on Cat { self(a: 2) { name } } } }", None),
        ("{ pet { ... on Dog { friend { x: name } } ... on Cat { friend { x: size } } } }", "conflicting types"),
        ("{ dog { friend { x: name } } ...A } fragment A on Query { dog { friend { x: tag } } }", "different fields"),
        ("{ a: dog { ...F } b: dog { ...F x: tag } } fragment F on Dog { x: name }", "different fields"),
        ("{ a: dog { ...F } b: dog { x: tag } } fragment F on Dog { x: name }", None),
    ],
)
def test_fields_of_one_name(source: str, expected: str | None) -> None:
    found = messages(source, RULES)
    assert (expected is None) == (not found), found
    assert expected is None or expected in found[0]
    assert bool(messages(source, specified_rules)) == bool(found)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("query A($x: Int) { dog { name } }", "Variable '$x' is never used in operation 'A'."),
        ("query ($x: Int) { dog { name } }", "Variable '$x' is never used."),
        ("query A { being(a: $x) { name } }", "Variable '$x' is not defined by operation 'A'."),
        ("{ ...F } fragment F on Query { being(a: $x) { name } }", "Variable '$x' is not defined."),
        (
            "query A($x: Int) { ...F } query B { ...F } fragment F on Query { being(a: $x) { name } }",
            "Variable '$x' is not defined by operation 'B'.",
        ),
        (
            "query ($x: String) { ...F } fragment F on Query { ...G } fragment G on Query { being(a: $x) { name } }",
            "Variable '$x' of type 'String' used in position expecting type 'Int'.",
        ),
        (
            "query ($x: Int) { cat(m: $x) { name } }",
            "Variable '$x' of type 'Int' used in position expecting type 'Int!'.",
        ),
        ("query ($x: Int = 1) { cat(m: $x) { name } }", None),
        ("query ($x: Int) { dog(n: $x) { name } }", None),
        ("query ($x: Int) { being(e: {a: $x}) { name } }", "must be non-nullable to be used for OneOf Input Object"),
        ("query ($x: Int!) { being(e: {a: $x}) { name } being(e: {a: $x}) { size } }", None),
        ("subscription S { one { name } two { name } }", "Subscription 'S' must select only one top level field."),
        (
            "subscription { ...A ...B } fragment A on Subscription { one { name } } fragment B on Subscription { ...C }"
            " fragment C on Subscription { two { name } }",
            "Anonymous Subscription must select only one top level field.",
        ),
        ("subscription { one { name } one { size } }", None),
        ("query ($x: Int) { being(a: $x) { self(a: $y) { name } } }", "Variable '$y' is not defined."),
        ("query ($x: Int) { being(a: $x) { name } b: being(e: {a: $x}) { name } }", "must be non-nullable to be used"),
        ("subscription { ...A } fragment A on Subscription { one @skip(if: true) { name } }", "must not use `@skip`"),
        ("subscription { __typename }", "must not select an introspection top level field."),
        ("subscription { ... { one @skip(if: true) { name } } }", "must not use `@skip` or `@include`"),
    ],
)
def test_variables_and_roots(source: str, expected: str | None) -> None:
    found = messages(source, RULES)
    assert found == [] if expected is None else any(expected in each for each in found), found
    assert bool(messages(source, specified_rules)) == bool(found)


def test_every_other_rule_is_graphql_cores_and_none_is_missing() -> None:
    ours = {REPLACED.get(rule, rule) for rule in specified_rules} - WITHOUT_DIRECTIVE
    assert ours <= set(RULES)
    names = {directive.name for directive in build_graph()._schema.directives}
    assert not names & {"defer", "stream"}
    graph = build_graph()._schema
    assert messages("{ chain { ... @defer { height } } }", RULES, graph) == ["Unknown directive '@defer'."]
