"""Whether fields of one name in a response can be merged: the rule "Field Selection Merging", over sets of fields.

graphql-core compares fields in pairs, which is quadratic. Here all fields with one response name are compared with the
first of them, as Simon Adameit proposed (https://github.com/graphql/graphql-js/issues/2185). Adjacent selections are
merged first, so that only a fragment that is spread at several positions adds work. Positions with the same selections
are visited once.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

MAX_NAME: Final = 200
"""The maximum length of a name in a message, in characters."""


class _Field:
    """Equal fields of one selection set, as one field with merged selections."""

    __slots__ = ("arguments", "below", "name", "node", "parent", "parent_is_object", "shape", "type")

    def __init__(
        self,
        parent: GraphQLNamedType | None,
        node: FieldNode,
        arguments: tuple[Any, ...],
        kind: GraphQLOutputType | None,
    ) -> None:
        self.parent = parent
        self.parent_is_object = isinstance(parent, GraphQLObjectType)
        self.node = node
        self.name = node.name.value
        self.arguments = arguments
        self.type = kind
        self.shape = None if kind is None else _shape(kind)
        self.below: _Selections | None = None


class _Selections:
    """The fields of merged selection sets, and the fragments that they spread."""

    __slots__ = ("fields", "position", "spreads")

    def __init__(self, position: int) -> None:
        self.position = position
        """The position in the document, so that the same document always has the same conflict."""
        self.fields: dict[str, dict[tuple[Any, ...], _Field]] = {}
        """The fields by response name, then by the key of equal fields."""
        self.spreads: dict[str, None] = {}


_BY_POSITION: Final = attrgetter("position")

_Position = frozenset[_Selections]
"""All selections at one position of the response, including fragments."""


class FieldsCanMergeRule(ValidationRule):
    """Refuses different fields with one response name."""

    context: ValidationContext

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Reports each conflict at its first two fields."""
        fragments = {each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)}
        merging = _Merging(self.context.schema, fragments)
        if merging.circular:
            # Another rule refuses the cycle, and the response would have infinitely many positions.
            return
        operations = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        for name, reason, first, second in merging.conflicts(operations):
            shown = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "..."
            self.report_error(
                GraphQLError(
                    f"Fields '{shown}' conflict because {reason}. Use different aliases on the fields to fetch both if"
                    " this was intentional.",
                    [first.node, second.node],
                )
            )


_Conflict = tuple[str, str, _Field, _Field]


class _Merging:
    """One document."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = {
            name: self._written(node.selection_set, schema.get_type(node.type_condition.name.value))
            for name, node in fragments.items()
        }
        self.circular = self._is_circular()

    def conflicts(self, operations: Iterable[OperationDefinitionNode]) -> Iterator[_Conflict]:
        """Every conflict, each once."""
        roots: list[_Position] = []
        for each in operations:
            root = self._schema.get_root_type(each.operation)
            roots.append(self._position([self._written(each.selection_set, root)]))
        yielded: set[_Field] = set()
        for name, reason, first, second in self._differing_fields(roots):
            yielded.add(second)
            yield name, reason, first, second
        # If fields are different, a second error that their types differ adds nothing.
        yield from (conflict for conflict in self._differing_shapes(roots) if conflict[3] not in yielded)

    def _differing_shapes(self, roots: list[_Position]) -> Iterator[_Conflict]:
        """Fields with one response name and conflicting types, even if their parents differ."""
        todo, known = list(roots), set(roots)
        while todo:
            for name, fields in _by_name(todo.pop()):
                first: _Field | None = None
                for each in fields:
                    if each.shape is None:
                        continue
                    if first is None:
                        first = each
                    elif each.shape != first.shape:
                        yield name, f"they return conflicting types '{first.type}' and '{each.type}'", first, each
                        break
                self._go_on(fields, todo, known)

    def _differing_fields(self, roots: list[_Position]) -> Iterator[_Conflict]:
        """Different fields with one response name that may be selected on the same object."""
        todo, known = list(roots), set(roots)
        while todo:
            for name, fields in _by_name(todo.pop()):
                for group in _with_common_parents(fields):
                    first = group[0]
                    for each in group:
                        if each.name != first.name:
                            yield name, f"'{first.name}' and '{each.name}' are different fields", first, each
                            break
                        if each.arguments != first.arguments:
                            yield name, "they have differing arguments", first, each
                            break
                    self._go_on(group, todo, known)

    def _go_on(self, fields: list[_Field], todo: list[_Position], known: set[_Position]) -> None:
        below = [each.below for each in fields if each.below is not None]
        if below and (position := self._position(below)) not in known:
            known.add(position)
            todo.append(position)

    def _position(self, selections: list[_Selections]) -> _Position:
        found = dict.fromkeys(selections)
        todo = list(found)
        while todo:
            for name in todo.pop().spreads:
                spread = self._fragments.get(name)
                if spread is not None and spread not in found:
                    found[spread] = None
                    todo.append(spread)
        return frozenset(found)

    def _written(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> _Selections:
        """The selections of a definition, with equal fields merged. Spreads are recorded, not expanded."""
        top = _Selections(_start(selections))
        todo: list[tuple[_Selections, SelectionSetNode, GraphQLNamedType | None]] = [(top, selections, parent)]
        # The list grows during the loop.
        for into, written, within in todo:
            for each in written.selections:
                if isinstance(each, FragmentSpreadNode):
                    into.spreads[each.name.value] = None
                elif isinstance(each, FieldNode):
                    field = self._noted(into, each, within)
                    if each.selection_set is not None:
                        field.below = field.below or _Selections(_start(each.selection_set))
                        named = None if field.type is None else get_named_type(field.type)
                        todo.append((field.below, each.selection_set, named))
                elif isinstance(each, InlineFragmentNode):
                    condition = each.type_condition
                    narrowed = self._schema.get_type(condition.name.value) if condition else within
                    todo.append((into, each.selection_set, narrowed))
        return top

    def _noted(self, into: _Selections, node: FieldNode, parent: GraphQLNamedType | None) -> _Field:
        alike = into.fields.setdefault((node.alias or node.name).value, {})
        arguments = _arguments(node)
        key = (parent, node.name.value, arguments)
        if (field := alike.get(key)) is None:
            fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
            definition = fields.get(node.name.value)
            field = alike[key] = _Field(parent, node, arguments, definition.type if definition else None)
        return field

    def _is_circular(self) -> bool:
        spreads = {
            name: _all_spreads(selections) & self._fragments.keys() for name, selections in self._fragments.items()
        }
        users: dict[str, list[str]] = {name: [] for name in spreads}
        for name, spread in spreads.items():
            for each in spread:
                users[each].append(name)
        open_ends = {name: len(spread) for name, spread in spreads.items()}
        done = [name for name, count in open_ends.items() if not count]
        for name in done:
            for user in users[name]:
                open_ends[user] -= 1
                if not open_ends[user]:
                    done.append(user)
        return len(done) < len(spreads)


def _all_spreads(selections: _Selections) -> set[str]:
    found: set[str] = set()
    todo = [selections]
    while todo:
        each = todo.pop()
        found |= each.spreads.keys()
        todo += [field.below for alike in each.fields.values() for field in alike.values() if field.below is not None]
    return found


def _start(selections: SelectionSetNode) -> int:
    return selections.loc.start if selections.loc else 0


def _by_name(position: _Position) -> Iterator[tuple[str, list[_Field]]]:
    """The fields with each response name."""
    found: dict[str, list[_Field]] = {}
    for selections in sorted(position, key=_BY_POSITION):
        for name, alike in selections.fields.items():
            found.setdefault(name, []).extend(alike.values())
    yield from found.items()


def _with_common_parents(fields: list[_Field]) -> list[list[_Field]]:
    """Groups of fields that may be selected on the same object: for each object type, with those of interfaces."""
    if len(fields) == 1:
        return [fields]
    shared = [each for each in fields if not each.parent_is_object]
    groups: dict[GraphQLNamedType | None, list[_Field]] = {}
    for each in fields:
        if each.parent_is_object:
            groups.setdefault(each.parent, list(shared)).append(each)
    return list(groups.values()) or [shared]


def _shape(kind: GraphQLOutputType) -> tuple[Any, ...]:
    """Equal for types whose values may have the same position in a response."""
    wrappers: list[str] = []
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        wrappers.append("!" if isinstance(kind, GraphQLNonNull) else "[]")
        kind = kind.of_type
    return *wrappers, None if is_composite_type(kind) else kind


def _arguments(node: FieldNode) -> tuple[Any, ...]:
    """Equal for fields with the same arguments, in any order."""
    if not node.arguments:
        return ()
    return tuple(sorted((each.name.value, repr(_value(each.value))) for each in node.arguments))


def _value(node: ValueNode) -> tuple[Any, ...]:
    if isinstance(node, VariableNode):
        return node.kind, node.name.value
    if isinstance(node, ListValueNode):
        return node.kind, *map(_value, node.values)
    if isinstance(node, ObjectValueNode):
        return node.kind, *sorted((each.name.value, _value(each.value)) for each in node.fields)
    if isinstance(node, StringValueNode):
        return node.kind, node.value, bool(node.block)
    return node.kind, getattr(node, "value", None)
