"""Going on with a stream: a subscription asked for again, from where its reader was."""

from typing import Final, TypeVar

import msgspec
from graphql import ArgumentNode, FieldNode, GraphQLSchema, NameNode, Node, OperationType, StringValueNode

from app.engine.execution import Prepared

AFTER: Final = "after"

N = TypeVar("N", bound=Node)


def resume_after(schema: GraphQLSchema, prepared: Prepared, cursor: str) -> Prepared:
    """The subscription with `cursor` as its `after`, whatever it had; the same where its field has no such argument."""
    root = schema.subscription_type
    selections = prepared.operation.selection_set.selections
    if prepared.kind is not OperationType.SUBSCRIPTION or root is None or len(selections) != 1:
        return prepared
    field = selections[0]
    if not isinstance(field, FieldNode) or AFTER not in root.fields[field.name.value].args:
        return prepared
    others = [argument for argument in field.arguments or () if argument.name.value != AFTER]
    after = ArgumentNode(name=NameNode(value=AFTER), value=StringValueNode(value=cursor, block=False))
    # The document is shared with other requests: what changes is made anew.
    resumed = _changed(field, arguments=(*others, after))
    selection_set = _changed(prepared.operation.selection_set, selections=(resumed,))
    return msgspec.structs.replace(prepared, operation=_changed(prepared.operation, selection_set=selection_set))


def _changed(node: N, **changes: object) -> N:
    return type(node)(**({key: getattr(node, key) for key in node.keys} | changes))
