"""Changes to an object, as patches."""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.errors import Faults

T = TypeVar("T")


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to an object. UNSET leaves a field unchanged."""

    nulls: tuple[str, ...] = ()
    """The fields of the input that are null, although they cannot be cleared."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes, and nothing is wrong."""
        return not self.nulls and all(
            getattr(self, name) is UNSET for name in self.__struct_fields__ if name != "nulls"
        )

    def check(self, faults: Faults) -> None:
        """Adds the fields that are null, although they cannot be cleared."""
        for name in self.nulls:
            faults.add(name, "This cannot be null. Leave it out to keep it as it is.")


def given(value: T | UnsetType) -> T | None:
    """A value of a change for a statement that leaves unchanged what is null."""
    return None if value is UNSET else value
