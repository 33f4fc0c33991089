"""What the updates of a viewer's objects have in common."""

from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import strawberry

from app.engine.declarations.nodes import global_id
from app.kit.events import Event

K = TypeVar("K", bound=StrEnum)


class Update(NamedTuple, Generic[K]):
    """What happened to which object."""

    kind: K
    id: UUID
    deleted_id: strawberry.ID | None
    """Its global ID, if it is no more."""


def update_of(event: Event, deletion: K, node: type) -> Update[K] | None:
    """The update of a `node` that an event tells; None if its kind is none of those of which `deletion` is one."""
    try:
        kind = type(deletion)(event.kind)
    except ValueError:
        return None
    id = UUID(event.payload["id"])
    return Update(kind, id, strawberry.ID(global_id(node.__name__, id)) if kind is deletion else None)
