"""`schema.graphql` is what the code says, and every word of it is described."""

from pathlib import Path

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

from app.schema import root

SDL = Path(__file__).resolve().parents[2] / "schema.graphql"


def test_schema_graphql_is_not_stale() -> None:
    assert SDL.read_text() == root.build_schema().as_str() + "\n", "run `make schema`; a break needs a CHANGELOG line"


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
