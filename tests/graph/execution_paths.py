"""Which queries cannot be planned: those that ask for what may be of several types."""

from pathlib import Path

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_abstract_type,
    parse,
    visit,
)

SDL = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text())


def asks_for_several_types(document: str, operation: str) -> bool:
    """Whether a field of the operation is of an interface or a union."""
    definitions = parse(document).definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    (begin,) = (
        node
        for node in definitions
        if isinstance(node, OperationDefinitionNode) and node.name is not None and node.name.value == operation
    )
    types = TypeInfo(SDL)
    found: list[str] = []
    waiting: list[Node] = [begin]

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            kind = types.get_type()
            if kind is not None and is_abstract_type(get_named_type(kind)):
                found.append(node.name.value)

        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
            if (fragment := fragments.pop(node.name.value, None)) is not None:
                waiting.append(fragment)

    while waiting:
        visit(waiting.pop(), TypeInfoVisitor(types, Fields()))
    return bool(found)
