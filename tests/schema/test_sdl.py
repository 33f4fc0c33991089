"""`schema.graphql` is what the code says, and every word of it is described."""

import ast
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

from app.main import build_graph

ROOT = Path(__file__).resolve().parents[2]
SDL = ROOT / "schema.graphql"


def test_schema_graphql_is_not_stale() -> None:
    assert SDL.read_text() == build_graph().as_str() + "\n", "run `make schema`; a break needs a CHANGELOG line"


def test_everything_is_described() -> None:
    undescribed = []
    for name, kind in build_schema(SDL.read_text()).type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not kind.description:
            undescribed.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                if not field.description:
                    undescribed.append(f"{name}.{field_name}")
                undescribed += [
                    f"{name}.{field_name}({argument_name})"
                    for argument_name, argument in field.args.items()
                    if not argument.description and argument_name != "input"
                ]
        elif isinstance(kind, GraphQLInputObjectType):
            undescribed += [f"{name}.{key}" for key, value in kind.fields.items() if not value.description]
        elif isinstance(kind, GraphQLEnumType):
            undescribed += [f"{name}.{key}" for key, value in kind.values.items() if not value.description]
    assert undescribed == []


def repeated(source: str) -> list[str]:
    """Returns the classes and functions whose description begins as their docstring does."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        for keyword in getattr(decorator, "keywords", ())
        if keyword.arg == "description" and (doc := ast.get_docstring(node))
        if ast.unparse(keyword.value).lstrip("f'\"").startswith(doc.split("\n")[0].rstrip("."))
    ]


@pytest.mark.parametrize(
    ("decorator", "found"),
    [
        ("@strawberry.type", []),
        ("@strawberry.type(description='A thing. It is public.')", ["Thing"]),
        ("@record_type(model.Thing, description=f'A thing of {MOST}.')", ["Thing"]),
        ("@strawberry.type(description='Another text.')", []),
    ],
)
def test_a_repeated_description_is_found(decorator: str, found: list[str]) -> None:
    assert repeated(f'{decorator}\nclass Thing:\n    """A thing."""') == found


def test_each_description_is_said_once() -> None:
    sources = [path for part in ("engine", "schema") for path in (ROOT / "app" / part).rglob("*.py")]
    assert {path.name: found for path in sources if (found := repeated(path.read_text()))} == {}
