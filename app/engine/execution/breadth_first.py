"""Breadth-first execution: each field of a selection is resolved for all parents at once, each level in one batch.

graphql-core executes field by field: for each it builds an info object and a path, checks its type again, and creates a
task if something is awaited. Here a selection is planned once, its columns are read in loops, and a relation is one
load for all parents. An object that several parents share is completed once, and is the same dict in the response:
encode it, do not edit it.

This is the fast path. A query that selects abstract types is not planned, and a planned one ends with the first
exception. graphql-core then executes the whole query, from the loads already made, with exact errors and paths.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    get_named_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable
from strawberry.utils.str_converters import to_camel_case

from app.engine.declarations.bindings import Binding, Column, binding_of
from app.engine.declarations.computed import ParentFunction
from app.engine.declarations.pages import ReadsContext
from app.engine.declarations.relations import Relation
from app.engine.execution.failures import causes_of
from app.kit.errors import Problem
from app.kit.loaders import One
from app.kit.snapshots import ResultPending


class PlanFallback(Exception):
    """The query cannot be planned: graphql-core must execute it."""


class NullInNonNull(Exception):
    """A resolver or an attribute returned null for a non-null field."""


def is_expected(error: BaseException) -> bool:
    """Whether a planned query may end with this exception. Every other one is a defect, of a resolver or of the plan.

    A GraphQLError is judged by its cause. Without one it says that a value does not fit the type of its field: a
    client's arguments are coerced before, when the query is planned.
    """
    return all(isinstance(cause, Problem) for cause in causes_of(error))


class Field(msgspec.Struct, frozen=True, eq=False):
    """A field of a selection."""

    name: str
    """In the response."""
    definition: GraphQLField
    parent: GraphQLObjectType
    nodes: list[FieldNode]
    arguments: dict[str, Any]
    coerce: Callable[[Any], Any] | None
    """Converts a leaf to its value in the response."""
    selection: "Selection | None"
    """The selection below an object."""
    binding: Binding | None
    """Null: only the resolver knows how the field is resolved."""

    def selects(self, name: str, *below: str) -> bool:
        """Whether a field is selected below. It is given the names in the schema on the way to it."""
        if self.selection is None:
            return False
        if below:
            return any(field.is_called(name) and field.selects(*below) for field in self.selection.fields)
        return any(to_camel_case(column[1]) == name for column in self.selection.columns)

    def is_called(self, name: str) -> bool:
        """Whether this is the field's name in the schema."""
        return self.nodes[0].name.value == name

    @property
    def required(self) -> bool:
        """Whether the field is non-null."""
        return isinstance(self.definition.type, GraphQLNonNull)


class Selection(msgspec.Struct, frozen=True, eq=False):
    """The fields selected of one type, in the order of the response."""

    names: list[str]
    type_names: list[str]
    """The response names of `__typename`."""
    type_name: str
    columns: list[tuple[str, str, Callable[[Any], Any], bool]]
    """Leaves that are attributes: name, attribute, coercion, and whether the field is non-null."""
    fields: list[Field]
    """All others."""


def plan(executor: Executor[Any]) -> Selection | None:
    """The plan of the executor's operation with its variables. None: graphql-core must execute it."""
    root = executor.schema.get_root_type(executor.operation.operation)
    assert root is not None
    fields = collect_fields(executor.schema, executor.fragments, executor.variable_values, root, executor.operation)
    try:
        return _selection(executor, root, fields.grouped_field_set, {})
    except (PlanFallback, GraphQLError):
        return None


def planned_fields(selection: Selection) -> int:
    """The number of fields in a plan. A selection that is shared counts once."""
    count, met, todo = 0, {id(selection)}, [selection]
    for each in todo:
        count += len(each.names)
        below = {id(field.selection): field.selection for field in each.fields if field.selection is not None}
        todo += [found for number, found in below.items() if number not in met]
        met |= below.keys()
    return count


_NOT_ALLOWED: Final = object()
"""Replaces the key of a parent whose list the caller may not read."""

_Known = dict[tuple[str, tuple[int, ...]], Selection]
"""Planned selections by their type and the nodes above them."""


def _selection(
    executor: Executor[Any], parent: GraphQLObjectType, groups: Mapping[str, list[FieldDetails]], known: _Known
) -> Selection:
    selection = Selection(list(groups), [], parent.name, [], [])
    for name, details in groups.items():
        if details[0].node.name.value == "__typename":
            selection.type_names.append(name)
            continue
        field = _field(executor, parent, name, details, known)
        is_list = get_named_type(field.definition.type) is not _nullable(field.definition.type)
        if isinstance(field.binding, Column) and field.coerce is not None and not is_list:
            selection.columns.append((name, field.binding.name, field.coerce, field.required))
        else:
            selection.fields.append(field)
    return selection


def _field(
    executor: Executor[Any], parent: GraphQLObjectType, name: str, details: list[FieldDetails], known: _Known
) -> Field:
    node = details[0].node
    definition = executor.schema.get_field(parent, node.name.value)
    if definition is None or definition.resolve is None:
        raise PlanFallback
    kind, coerce, selection = get_named_type(definition.type), None, None
    if isinstance(kind, GraphQLObjectType):
        # A fragment that is spread often has the same selection in most cases.
        key = kind.name, tuple(id(detail.node) for detail in details)
        if (selection := known.get(key)) is None:
            below = executor.collect_subfields(kind, details).grouped_field_set
            selection = known[key] = _selection(executor, kind, below, known)
    elif isinstance(kind, GraphQLScalarType | GraphQLEnumType):
        coerce = kind.coerce_output_value
    else:
        raise PlanFallback
    return Field(
        name=name,
        definition=definition,
        parent=parent,
        nodes=[detail.node for detail in details],
        arguments=get_argument_values(definition, node, executor.variable_values),
        coerce=coerce,
        selection=selection,
        binding=binding_of(definition),
    )


def _nullable(kind: GraphQLOutputType) -> GraphQLOutputType:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


class Levels:
    """One execution of a planned query."""

    def __init__(self, executor: Executor[Any], context: ReadsContext) -> None:
        self._executor = executor
        self._context = context
        self._under_way: list[asyncio.Future[Any]] = []
        self._due: ResultPending | None = None

    async def answer(self, selection: Selection, root: object) -> dict[str, Any]:
        """The data of the query. Raises NullInNonNull, or what a resolver raises, after cancelling unfinished work.

        ResultPending is raised last, after all fields that do not depend on pending results were resolved.
        """
        try:
            data = (await self.objects(selection, [root]))[0]
            if self._due is not None:
                raise self._due
            return data
        except BaseException:
            for work in self._under_way:
                work.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
            raise

    async def objects(self, selection: Selection, sources: list[Any]) -> list[dict[str, Any]]:
        """The response object of each source, in their order."""
        results: list[dict[str, Any]] = [dict.fromkeys(selection.names) for _ in sources]
        for name in selection.type_names:
            for result in results:
                result[name] = selection.type_name
        for name, attribute, coerce, required in selection.columns:
            for result, source in zip(results, sources, strict=True):
                value = getattr(source, attribute)
                if value is not None:
                    result[name] = coerce(value)
                elif required:
                    raise NullInNonNull(name)
        await self._fields(selection.fields, sources, results)
        return results

    async def _fields(self, fields: list[Field], sources: list[Any], results: list[dict[str, Any]]) -> None:
        # All loads of the level are requested before the first is awaited, so that each loader has one batch.
        begun = [self._begin(field, sources) for field in fields]
        if len(begun) == 1:
            await self._finish(fields[0], begun[0], results)
        elif begun:
            async with asyncio.TaskGroup() as group:
                for field, values in zip(fields, begun, strict=True):
                    group.create_task(self._finish(field, values, results))

    def _begin(self, field: Field, sources: list[Any]) -> "list[Any] | _Loads":
        match field.binding:
            case Relation() as relation:
                return self._follow(relation, field, sources)
            case Column(name):
                return [getattr(source, name) for source in sources]
            case ParentFunction(function):
                return [self._started(function(source)) for source in sources]
        assert field.definition.resolve is not None
        # The path lacks its indexes. Only errors include a path, and graphql-core reports them.
        path = Path(None, field.name, field.parent.name)
        info = self._executor.build_resolve_info(field.definition, field.nodes, field.parent, path)
        resolve = field.definition.resolve
        return [self._started(resolve(source, info, **field.arguments)) for source in sources]

    def _started(self, value: Any) -> Any:
        # A load needs no task, and other fields may wait for it.
        if not optimized_is_awaitable(value) or asyncio.isfuture(value):
            return value
        work = asyncio.ensure_future(value)
        self._under_way.append(work)
        return work

    def _follow(self, relation: Relation, field: Field, sources: list[Any]) -> "_Loads":
        key = relation.key
        keys = [None] * len(sources) if key is None else [getattr(source, key) for source in sources]
        if relation.allowed is not None:
            keys = [
                each if relation.is_allowed(self._context, source) else _NOT_ALLOWED
                for each, source in zip(keys, sources, strict=True)
            ]
        distinct = dict.fromkeys(each for each in keys if each is not _NOT_ALLOWED)
        if isinstance(relation.loader, One):
            distinct.pop(None, None)
        following = relation.follow(self._context, field.arguments, field.selects)
        load = following.load
        if following.is_batched:
            loads = {each: load(each) for each in distinct}
        else:
            loads = {each: self._started(load(each)) for each in distinct}
        return _Loads(keys, loads, following.make)

    async def _finish(self, field: Field, begun: "list[Any] | _Loads", results: list[dict[str, Any]]) -> None:
        if isinstance(begun, _Loads):
            values = await begun.values()
        elif any(optimized_is_awaitable(value) for value in begun):
            try:
                values = await asyncio.gather(*map(_settled, begun))
            except ResultPending as due:
                # Others may be pending as well. All are made in the same round.
                await asyncio.gather(*map(_settled, begun), return_exceptions=True)
                self._due = due
                return
        else:
            values = begun
        completed = await self._complete(field, field.definition.type, values)
        for result, value in zip(results, completed, strict=True):
            result[field.name] = value

    async def _complete(self, field: Field, kind: GraphQLOutputType, values: list[Any]) -> list[Any]:
        if isinstance(kind, GraphQLNonNull):
            completed = await self._complete(field, kind.of_type, values)
            if any(value is None for value in completed):
                raise NullInNonNull(field.name)
            return completed
        present = [value for value in values if value is not None]
        if isinstance(kind, GraphQLList):
            items = iter(await self._complete(field, kind.of_type, [item for value in present for item in value]))
            completed = [[next(items) for _ in value] for value in present]
        elif field.selection is not None:
            completed = await self._distinct(field.selection, present)
        else:
            assert field.coerce is not None
            completed = [field.coerce(value) for value in present]
        if len(present) == len(values):
            return completed
        filled = iter(completed)
        return [None if value is None else next(filled) for value in values]

    async def _distinct(self, selection: Selection, sources: list[Any]) -> list[dict[str, Any]]:
        # A loader returns the same record to all callers of a key.
        known = {id(source): source for source in sources}
        results = dict(zip(known, await self.objects(selection, list(known.values())), strict=True))
        return [results[id(source)] for source in sources]


class _Loads(msgspec.Struct, frozen=True, eq=False):
    """Unfinished loads: the key of each parent, the load of each key, and the conversion of its result."""

    keys: list[Any]
    loads: dict[Any, Awaitable[Any]]
    make: Callable[[Any, Any], Any] | None = None

    async def values(self) -> list[Any]:
        """The result for each parent; None if it has no key."""
        if self.make is None:
            found = {key: await load for key, load in self.loads.items()}
        else:
            found = {key: self.make(key, await load) for key, load in self.loads.items()}
        return [found.get(key) for key in self.keys]


async def _settled(value: Any) -> Any:
    return await value if optimized_is_awaitable(value) else value
