"""From the schema to calls: each field that takes arguments, each leaf of them, with the rest as it should be."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_input_type,
    is_required_argument,
    is_required_input_field,
    parse_type,
    type_from_ast,
)

from tests.graph.fuzz.values import COUNTS, hostile

Path = tuple[str, ...]
"""Of an argument, and within it."""
Samples = Mapping[str, Callable[[], Any]]
"""Right values by name of an input and its field, of an argument or input field, or of a type."""


class Call(NamedTuple):
    """One field, asked once."""

    coordinate: str
    """Of what is sent that may be wrong."""
    document: str
    variables: dict[str, Any]


class Caller:
    """Makes calls of a schema's fields."""

    def __init__(self, schema: GraphQLSchema, samples: Samples) -> None:
        self._schema = schema
        self._samples = samples
        self._entrances = self._ways()

    def fields(self) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
        """Every field with arguments of every type that a query leads to, of mutations and of subscriptions."""
        for name in self._entrances:
            kind = self._schema.type_map[name]
            assert isinstance(kind, GraphQLObjectType)
            yield from ((kind, each, field) for each, field in kind.fields.items() if field.args)

    def calls(self, kind: GraphQLObjectType, name: str) -> Iterator[Call]:
        """The field as it should be asked, then with each leaf of its arguments in each wrong way."""
        field = kind.fields[name]
        yield self._call(kind, name, f"{kind.name}.{name}", self._right(field))
        for argument, declared in field.args.items():
            for path, leaf in _leaves(declared.type, (argument,)):
                for value in self._values(leaf):
                    given = self._right(field)
                    given[argument] = self._with(declared, path, value)
                    yield self._call(kind, name, f"{kind.name}.{name}({'.'.join(path)}:)", given)

    def leaves(self, type_name: str, value: Any) -> Iterator[Call]:
        """A call for each leaf of this type, with this value there and everything else as it should be."""
        for kind, name, field in self.fields():
            for argument, declared in field.args.items():
                for path, leaf in _leaves(declared.type, (argument,)):
                    if get_named_type(leaf).name != type_name:
                        continue
                    given = self._right(field)
                    given[argument] = self._with(declared, path, [value] if _is_list(leaf) else value)
                    yield self._call(kind, name, f"{kind.name}.{name}({'.'.join(path)}:)", given)

    def _right(self, field: GraphQLField) -> dict[str, Any]:
        return {name: self._sample(name, each.type) for name, each in field.args.items() if is_required_argument(each)}

    def _values(self, kind: GraphQLInputType) -> Iterator[Any]:
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        values = hostile(get_named_type(kind), self._schema)
        if not isinstance(inner, GraphQLList):
            yield from values
            return
        yield from ([value] for value in values)
        yield from (values[:1] * count for count in COUNTS)
        yield from (values[0], None)

    def _with(self, declared: GraphQLArgument, path: Path, value: Any) -> Any:
        """The argument as it should be, but for one leaf."""
        if len(path) == 1:
            return value
        return self._replaced(self._sample(path[0], declared.type), declared.type, path[1:], value)

    def _replaced(self, right: Any, kind: GraphQLInputType, path: Path, value: Any) -> Any:
        if not path:
            return value
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            return [self._replaced(right[0], inner.of_type, path, value)]
        assert isinstance(inner, GraphQLInputObjectType)
        name, *rest = path
        field = inner.fields[name]
        below = self._replaced(self._sample(name, field.type, inner.name), field.type, tuple(rest), value)
        return {name: below} if inner.is_one_of else {**right, name: below}

    def _sample(self, name: str, kind: GraphQLInputType, owner: str = "") -> Any:
        named = get_named_type(kind)
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            return [self._sample(name, inner.of_type, owner)]
        if isinstance(named, GraphQLInputObjectType):
            fields = list(named.fields.items())
            chosen = fields[:1] if named.is_one_of else [each for each in fields if is_required_input_field(each[1])]
            return {each: self._sample(each, field.type, named.name) for each, field in chosen}
        for known in (f"{owner}.{name}", name, named.name):
            if (make := self._samples.get(known)) is not None:
                return make()
        assert isinstance(named, GraphQLEnumType), f"no sample for {name}: {named}"
        return next(iter(named.values))

    def _call(self, kind: GraphQLObjectType, name: str, coordinate: str, given: dict[str, Any]) -> Call:
        field = kind.fields[name]
        asked = f"{name}{_asked(given)} {selection(field.type)}"
        operation, around = self._entrances[kind.name]
        for entrance in reversed(around):
            asked = f"{entrance} {{ {asked} }}"
        declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
        return Call(coordinate, f"{operation}{f'({declared})' if declared else ''} {{ {asked} }}", given)

    def _ways(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The shortest way to each type, breadth first."""
        ways: dict[str, tuple[str, tuple[str, ...]]] = {}
        queue: list[tuple[GraphQLObjectType, str, tuple[str, ...]]] = []
        for root in (self._schema.query_type, self._schema.mutation_type, self._schema.subscription_type):
            assert root is not None
            operation = root.name.lower()
            ways[root.name] = (operation, ())
            queue.append((root, operation, ()))
        for kind, operation, around in queue:
            if operation != "query":
                continue
            for name, field in kind.fields.items():
                named = get_named_type(field.type)
                if isinstance(named, GraphQLObjectType) and named.name not in ways:
                    way = (*around, f"{name}{_literal_arguments(self._right(field), field)}")
                    ways[named.name] = (operation, way)
                    queue.append((named, operation, way))
        return ways


def _leaves(kind: GraphQLInputType, path: Path) -> Iterator[tuple[Path, GraphQLInputType]]:
    """Each place where a value stands: input objects, and in them scalars, enums and lists of them."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLScalarType | GraphQLEnumType):
        yield path, kind
        return
    assert isinstance(named, GraphQLInputObjectType)
    yield path, kind
    for name, field in named.fields.items():
        yield from _leaves(field.type, (*path, name))


def _is_list(kind: GraphQLInputType) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def written_out(call: Call, schema: GraphQLSchema) -> str:
    """The call's document with its values in it, instead of variables."""
    document = re.sub(r"^(\w+)\([^)]*\)", r"\1", call.document)
    declared = dict(re.findall(r"\$(\w+): ([\w!\[\]]+)", call.document.partition("{")[0]))
    for name, value in call.variables.items():
        kind = type_from_ast(schema, parse_type(declared[name]))
        assert kind is not None
        assert is_input_type(kind)
        before, _, after = document.partition(f": ${name}")
        document = f"{before}: {literal(value, kind)}{after}"
    return document


def _asked(given: Mapping[str, Any]) -> str:
    return f"({', '.join(f'{name}: ${name}' for name in given)})" if given else ""


def _literal_arguments(given: Mapping[str, Any], field: GraphQLField) -> str:
    if not given:
        return ""
    return f"({', '.join(f'{name}: {literal(value, field.args[name].type)}' for name, value in given.items())})"


def literal(value: Any, kind: GraphQLInputType) -> str:
    """A right value as it is written in a document."""
    named = get_named_type(kind)
    match value:
        case list():
            return f"[{', '.join(literal(each, kind) for each in value)}]"
        case dict():
            assert isinstance(named, GraphQLInputObjectType)
            return (
                f"{{{', '.join(f'{name}: {literal(each, named.fields[name].type)}' for name, each in value.items())}}}"
            )
        case str() if not isinstance(named, GraphQLEnumType):
            return f'"{value}"'
        case bool():
            return str(value).lower()
    return str(value)


def selection(kind: GraphQLOutputType, depth: int = 2) -> str:
    """All leaves of a type, and of what hangs directly on it."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLUnionType):
        members = " ".join(f"... on {member.name} {selection(member, depth - 1)}" for member in named.types)
        return f"{{ __typename {members} }}"
    if not isinstance(named, GraphQLObjectType):
        return "" if isinstance(named, GraphQLScalarType | GraphQLEnumType) else "{ __typename }"
    parts = ["__typename"]
    for name, field in named.fields.items():
        below = get_named_type(field.type)
        if any(map(is_required_argument, field.args.values())):
            continue
        if isinstance(below, GraphQLScalarType | GraphQLEnumType):
            # Members of a union that name their fields alike may mean other types by them.
            parts.append(name if depth == 2 else f"{named.name}_{name}: {name}")
        elif name in {"edges", "nodes", "pageInfo", "totalCount"}:
            parts.append(f"{name} {selection(below, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"
