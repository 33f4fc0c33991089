"""Updates as patches: a field that is absent stays unchanged, and null clears it."""

from collections.abc import Callable
from types import NoneType
from typing import Any, TypeVar, get_args

import msgspec
import strawberry

from app.kit.changes import Changes

T = TypeVar("T", bound=Changes)


def changeable(*, description: str, name: str | None = None) -> Any:
    """A field of an update, which may be absent. Whether null clears it is said by the type of the changes."""
    return strawberry.field(default=strawberry.UNSET, description=description, name=name)


def changes_of(update: Any, changes: type[T], **converted: tuple[str, Callable[[Any], Any]]) -> T:
    """The `changes` that an update describes; `changes.check` refuses null in a field that cannot be cleared.

    `changes` is UNSET where nothing changes; a field whose type has None can be cleared. It is read from the update's
    field of the same name, or from the one that `converted` names, through its function; null is not converted.
    """
    found, nulls = {}, []
    for field in msgspec.structs.fields(changes):
        name, convert = converted.get(field.name, (field.name, None))
        value = getattr(update, name, strawberry.UNSET)
        if value is strawberry.UNSET:
            continue
        if value is None and NoneType not in get_args(field.type):
            nulls.append(name)
        else:
            found[field.name] = value if value is None or convert is None else convert(value)
    return changes(**found, nulls=tuple(nulls))
