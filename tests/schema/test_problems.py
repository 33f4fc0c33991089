"""The rules for problems, over the whole graph and what is raised for it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from app.engine.declarations.arguments import names_of
from app.engine.declarations.problems import MAX_PATH, code_of
from app.main import build_graph

APP = Path(__file__).resolve().parents[2] / "app"
SCHEMA = build_graph()._schema
FIELDS = {"message": "String!", "code": "ProblemCode!", "path": "[String!]"}
ONLY_FOR_COMMANDS = {"file", "points_earned"}
"""Paths of problems that no client can meet: importing tables and adopting users are commands."""


def violations(schema: GraphQLSchema) -> list[str]:
    """What breaks the rules for problems."""
    interface, codes = schema.type_map.get("Problem"), schema.type_map.get("ProblemCode")
    assert isinstance(interface, GraphQLInterfaceType)
    assert isinstance(codes, GraphQLEnumType)
    found = []
    if (fields := {name: str(field.type) for name, field in interface.fields.items()}) != FIELDS:
        found.append(f"Problem has the fields {fields}")
    problems = {kind.name for kind in schema.get_possible_types(interface)}
    expected = {_code(name) for name in problems}
    found += [f"{code} is the code of no problem" for code in sorted(codes.values.keys() - expected)]
    found += [f"{code} is not a code" for code in sorted(expected - codes.values.keys())]
    found += [f"{code} is the code of several problems" for code in codes.values if _count(code, problems) > 1]
    found += [
        f"{name} is not called like the others" for name in sorted(problems) if name.endswith(("Problem", "Error"))
    ]
    met: set[str] = set()
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        union = get_named_type(field.type)
        if not isinstance(union, GraphQLUnionType):
            found.append(f"{name} does not return a union")
            continue
        payload, *others = (kind.name for kind in union.types)
        met |= set(others)
        if not payload.endswith("Payload") or payload in problems:
            found.append(f"{name} returns {payload} first")
        found += [f"{name} returns {other}, which is no problem" for other in others if other not in problems]
        if "NotFound" in others:
            beside = set(others) - {"NotFound"}
            found += [f"{name} returns NotFound and {other}" for other in beside if other.endswith("NotFound")]
    return found + [f"no mutation returns {problem}" for problem in sorted(problems - met)]


def _code(name: str) -> str:
    return code_of(type(name, (), {}))


def _count(code: str, problems: set[str]) -> int:
    return sum(_code(name) == code for name in problems)


SDL = """
interface Problem { message: String! code: ProblemCode! path: [String!] }
enum ProblemCode { NOT_FOUND TOKEN_NOT_FOUND }
type NotFound implements Problem { message: String! code: ProblemCode! path: [String!] typeName: String! }
type TokenNotFound implements Problem { message: String! code: ProblemCode! path: [String!] }
type AddPayload { done: Boolean! }
type RemovePayload { done: Boolean! }
union AddResult = AddPayload | TokenNotFound
union RemoveResult = RemovePayload | NotFound
type Query { nothing: Int }
type Mutation { add: AddResult! remove: RemoveResult! }
"""


def test_the_rules_hold() -> None:
    assert violations(SCHEMA) == []


def test_a_schema_that_keeps_the_rules_passes() -> None:
    assert violations(build_schema(SDL)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "code: ProblemCode! path: [String!] }",
            "code: String! path: [String!] }",
            "Problem has the fields {'message': 'String!', 'code': 'String!', 'path': '[String!]'}",
        ),
        (
            "interface Problem { message: String! code: ProblemCode! path: [String!] }",
            "interface Problem { message: String! code: ProblemCode! }",
            "Problem has the fields {'message': 'String!', 'code': 'ProblemCode!'}",
        ),
        (
            "interface Problem { message: String! ",
            "interface Problem { message: String! hint: String ",
            "Problem has the fields {'message': 'String!', 'hint': 'String', 'code': 'ProblemCode!',"
            " 'path': '[String!]'}",
        ),
        ("NOT_FOUND TOKEN", "NOT_FOUND GONE TOKEN", "GONE is the code of no problem"),
        ("{ NOT_FOUND TOKEN_NOT_FOUND }", "{ NOT_FOUND }", "TOKEN_NOT_FOUND is not a code"),
        ("| TokenNotFound", "| NotFound | TokenNotFound", "add returns NotFound and TokenNotFound"),
        ("| TokenNotFound", "| TokenNotFound | NotFound", "add returns NotFound and TokenNotFound"),
        ("= AddPayload | TokenNotFound", "= AddPayload", "no mutation returns TokenNotFound"),
        ("| NotFound\ntype Query", "| Query | NotFound\ntype Query", "remove returns Query, which is no problem"),
        ("= AddPayload | TokenNotFound", "= TokenNotFound | AddPayload", "add returns TokenNotFound first"),
        ("remove: RemoveResult!", "remove: Boolean! gone: RemoveResult!", "remove does not return a union"),
    ],
)
def test_a_schema_that_breaks_a_rule_is_found(before: str, after: str, expected: str) -> None:
    assert before in SDL
    assert expected in violations(build_schema(SDL.replace(before, after), assume_valid=True))


def test_no_path_is_longer_than_its_list_may_be() -> None:
    def longest(kind: Any, seen: frozenset[str]) -> int:
        bare = get_nullable_type(kind)
        if is_list_type(bare):
            return 1 + longest(bare.of_type, seen)
        if isinstance(bare, GraphQLInputObjectType):
            assert bare.name not in seen, "inputs do not contain themselves"
            return max(1 + longest(field.type, seen | {bare.name}) for field in bare.fields.values())
        return 0

    paths = [
        1 + longest(argument.type, frozenset())
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for field in kind.fields.values()
        for argument in field.args.values()
    ]
    assert max(paths) <= MAX_PATH


def raised_paths(source: str) -> Iterator[str]:
    """The names of input fields in what a module raises, collects and declares."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Call(func=ast.Name(id="InvalidInput" | "InvalidField"), args=[path, *_])
                | ast.Call(func=ast.Attribute(attr="InvalidInput"), args=[path, *_])
                | ast.Call(func=ast.Attribute(value=ast.Name(id="faults"), attr="add"), args=[path, *_])
            ):
                yield from _names(path)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="faults"), attr="at" | "check"), args=args):
                yield from (name for each in args for name in _names(each))
            case ast.Call(func=ast.Attribute(attr="__init__"), args=[ast.Constant(str(name)), _]):
                yield name
            case ast.Assign(targets=[ast.Name(id="field")], value=value):
                yield from _names(value)
            case ast.arguments(kwonlyargs=[ast.arg(arg="field")], kw_defaults=[ast.Constant(str(name))]):
                yield name
            case ast.keyword(arg="path" | "field", value=value):
                yield from _names(value)


def _names(path: ast.expr) -> Iterator[str]:
    match path:
        case ast.Constant(str(name)):
            yield name
        case ast.Tuple(elts=parts):
            for part in parts:
                yield from _names(part)


def test_a_raised_path_is_found() -> None:
    source = """
class Taken(Problem):
    field = "a"
def check(text, *, field="b"):
    raise InvalidInput("c", "Wrong.")
    raise errors.InvalidInput(("d", str(place)), "Wrong.")
    faults.add("e", "Wrong.")
    faults.add(("f", "g"), "Wrong.")
    faults.check(_name, text, "h")
    with faults.at("i"):
        password(text, field="j")
    raise RecipientNotFound(path=("k",))
    super().__init__("l", "This key has a wallet.")
"""
    assert sorted(raised_paths(source)) == list("abcdefghijkl")


def test_every_raised_path_is_a_name_in_some_input() -> None:
    inputs = [
        *(kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInputObjectType)),
        *(
            field
            for kind in SCHEMA.type_map.values()
            if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
            for field in kind.fields.values()
        ),
    ]
    known: set[str] = set()
    for each in inputs:
        members = each.fields if isinstance(each, GraphQLInputObjectType) else each.args
        known = known.union(members, *map(names_of, members.values()))
    raised = {
        name: path.name
        for part in ("kit", "engine", "domains", "schema")
        for path in (APP / part).rglob("*.py")
        for name in raised_paths(path.read_text())
    }
    assert len(raised) > 40
    assert {name: where for name, where in raised.items() if name not in known | ONLY_FOR_COMMANDS} == {}
