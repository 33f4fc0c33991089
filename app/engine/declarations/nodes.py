"""Objects with a global ID: `node(id)` finds any record of a type that was declared with `node_type`."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import strawberry

from app.engine.declarations.computed import from_parent
from app.kit.errors import NotFound
from app.kit.loaders import One

T = TypeVar("T", bound=type)


@strawberry.interface
class Node:
    """An object with a global ID."""

    id: strawberry.ID = strawberry.field(description="The global ID: opaque, stable, and unique across all types.")


class NodeKind(NamedTuple):
    """How the records of a type are loaded."""

    loader: One[Any]
    parse: Callable[[str], Any]
    name: str
    """The name of the type."""


_KIND: Final = "__node_kind__"
_RECORD: Final = "__described_record__"


def kind_of(node: type) -> NodeKind:
    """How the objects of a type declared with `node_type` are loaded."""
    kind: NodeKind = getattr(node, _KIND)
    return kind


def global_id(type_name: str, key: Any) -> strawberry.ID:
    """The opaque id of a record."""
    return strawberry.ID(base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).rstrip(b"=").decode())


def parse_global_id(value: str, kinds: Mapping[str, NodeKind], wanted: type = Node) -> tuple[NodeKind, Any]:
    """The kind of an object, and its key. Raises NotFound, of the type `wanted`, for what is no ID of these kinds.

    The same error is raised for an object of another user and for one that does not exist.
    """
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
        type_name, _, key = text.partition(":")
        kind = kinds[type_name]
        return kind, kind.parse(key)
    except (ValueError, binascii.Error, KeyError) as error:
        raise NotFound(wanted, id=value) from error


def key_of(value: str, node: type) -> Any:
    """The key in an ID of this type. Raises NotFound if the ID is of another type."""
    return parse_global_id(value, {node.__name__: kind_of(node)}, node)[1]


def node_type(*, by: One[Any], parse: Callable[[str], Any] = UUID) -> Callable[[T], T]:
    """Declares a Strawberry type that describes the records of `by`, with a global id over the loader's key."""

    def declare(cls: T) -> T:
        name = cls.__name__
        setattr(cls, _KIND, NodeKind(by, parse, name))

        def resolve_id(root: Any) -> strawberry.ID:
            return global_id(name, getattr(root, by.key))

        cls.__annotations__ = {"id": strawberry.ID, **cls.__annotations__}
        setattr(cls, "id", from_parent(resolve_id, description="The global ID."))  # noqa: B010
        return record_type(by.query.record)(cls)

    return declare


def record_of(node: type) -> type | None:
    """The record that a type describes; None if it was not declared with `record_type`."""
    return vars(node).get(_RECORD)


def record_type(record: type[Any]) -> Callable[[T], T]:
    """Declares a Strawberry type that describes a record and adds nothing to it."""

    def declare(cls: T) -> T:
        setattr(cls, "is_type_of", classmethod(lambda _, value, __: isinstance(value, record)))  # noqa: B010
        setattr(cls, _RECORD, record)
        return strawberry.type(cls)

    return declare
