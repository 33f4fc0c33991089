"""Which operations are executed for everybody, also during maintenance."""

from collections.abc import Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
)

from app.engine.declarations.maintenance import is_open


def has_open_roots_only(
    schema: GraphQLSchema, node: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    """Whether all root fields of an operation stay open, also those that its variables skip."""
    root = schema.get_root_type(node.operation)
    spread: set[str] = set()
    todo = [node.selection_set]
    while todo:
        for each in todo.pop().selections:
            match each:
                case FragmentSpreadNode() if (name := each.name.value) not in spread:
                    spread.add(name)
                    todo.append(fragments[name].selection_set)
                case InlineFragmentNode():
                    todo.append(each.selection_set)
                case FieldNode() if isinstance(root, GraphQLObjectType):
                    # `__typename` and introspection are no fields of the type.
                    field = root.fields.get(each.name.value)
                    if field is not None and not is_open(field):
                        return False
    return True
