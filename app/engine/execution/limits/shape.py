"""Limits that need no schema: the depth of a document, its repetitions and its size with all fragments expanded.

Each fragment is measured once, leaves first, so the work is linear in the document.
"""

from collections import Counter
from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from app.engine.declarations.limits import LimitExceeded, Limits
from app.engine.execution.failures import refuse
from app.engine.execution.limits.introspection import INTROSPECTION
from app.kit.errors import Forbidden


def check_shape(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """The error for the first limit that the document exceeds; None if it exceeds none."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    depths: dict[str, int] = {}
    repeats: dict[str, int] = {}
    written: dict[str, int] = {}
    for name in leaves_first(fragments):
        written[name] = _written_out(fragments[name].selection_set, written)
        depths[name] = _depth(fragments[name].selection_set, depths)
        repeats[name] = _repeats(fragments[name].selection_set, repeats)
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if (count := sum(_written_out(each.selection_set, written) for each in operations)) > limits.selections:
        message = f"{_said(count)} selections with all fragments written out; {limits.selections:,} are the limit."
        return refuse(LimitExceeded(message), operations[0])
    for operation in operations:
        if (depth := _depth(operation.selection_set, depths)) > limits.depth:
            message = f"Fields are nested {depth} deep; {limits.depth} is the limit."
            return refuse(LimitExceeded(message), operation)
        if (count := _repeats(operation.selection_set, repeats)) > limits.aliases:
            message = (
                f"{_said(count)} aliases, repeated fields and repeated directives; {limits.aliases} are the limit."
            )
            return refuse(LimitExceeded(message), operation)
    return None


def introspection_node(document: DocumentNode) -> GraphQLError | None:
    """The error for the first field that reads the schema; None if there is none. `__typename` reads nothing."""
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            continue
        for selection in everything_in(definition.selection_set):
            if isinstance(selection, FieldNode) and selection.name.value in INTROSPECTION:
                message = f"Log in to read the schema: `{selection.name.value}` is not for anonymous callers here."
                return refuse(Forbidden(message), selection)
    return None


def leaves_first(fragments: dict[str, FragmentDefinitionNode]) -> list[str]:
    """The names of fragments, each after those that it spreads. A spread that closes a cycle is ignored."""
    spreads = {name: spreads_in(node.selection_set) for name, node in fragments.items()}
    order: dict[str, None] = {}
    for root in fragments:
        path = [(root, iter(spreads[root]))]
        on_path = {root}
        while path:
            name, rest = path[-1]
            following = next(
                (each for each in rest if each in spreads and each not in on_path and each not in order), None
            )
            if following is None:
                path.pop()
                on_path.remove(name)
                order.setdefault(name)
            else:
                path.append((following, iter(spreads[following])))
                on_path.add(following)
    return list(order)


def everything_in(selection_set: SelectionSetNode) -> Iterator[SelectionNode]:
    """Every selection below, at any depth and in any order. Fragments are not expanded."""
    stack = [selection_set]
    while stack:
        for selection in stack.pop().selections:
            yield selection
            if (below := getattr(selection, "selection_set", None)) is not None:
                stack.append(below)


def spreads_in(selection_set: SelectionSetNode) -> list[str]:
    """The names of the fragments that are spread below, at any depth."""
    return [each.name.value for each in everything_in(selection_set) if isinstance(each, FragmentSpreadNode)]


def _said(count: int) -> str:
    return "More than 1,000,000" if count > 1_000_000 else f"{count:,}"


def _written_out(selection_set: SelectionSetNode, fragments: dict[str, int]) -> int:
    count = 0
    for selection in everything_in(selection_set):
        count += 1
        if isinstance(selection, FragmentSpreadNode):
            count += fragments.get(selection.name.value, 0)
    return count


def _depth(selection_set: SelectionSetNode, fragments: dict[str, int]) -> int:
    deepest = 0
    stack = [(selection_set, 0)]
    while stack:
        current, above = stack.pop()
        for selection in current.selections:
            if isinstance(selection, FragmentSpreadNode):
                deepest = max(deepest, above + fragments.get(selection.name.value, 0))
                continue
            is_field = isinstance(selection, FieldNode)
            deepest = max(deepest, above + is_field)
            below = getattr(selection, "selection_set", None)
            # A rule of validation limits the depth of introspection.
            if below is not None and not (isinstance(selection, FieldNode) and selection.name.value in INTROSPECTION):
                stack.append((below, above + is_field))
    return deepest


def _repeats(selection_set: SelectionSetNode, fragments: dict[str, int]) -> int:
    count = 0
    stack = [selection_set]
    while stack:
        current = stack.pop()
        names = Counter(
            each.name.value for each in current.selections if isinstance(each, FieldNode) and not each.alias
        )
        count += names.total() - len(names)
        for selection in current.selections:
            count += max(0, len(selection.directives or ()) - 1)
            if isinstance(selection, FragmentSpreadNode):
                count += fragments.get(selection.name.value, 0)
            elif isinstance(selection, FieldNode) and selection.alias:
                count += 1
            if (below := getattr(selection, "selection_set", None)) is not None:
                stack.append(below)
    return count
