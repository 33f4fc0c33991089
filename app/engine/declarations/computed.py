"""Fields that are computed from their parent alone."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import strawberry

FROM_PARENT: Final = "from-parent"
"""Where the metadata of a field keeps its ParentFunction."""


class ParentFunction(msgspec.Struct, frozen=True, eq=False):
    """A function of the parent alone. It may return an awaitable."""

    function: Callable[[Any], Any]


def from_parent(
    function: Callable[[Any], Any],
    *,
    description: str,
    graphql_type: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> Any:
    """A field whose value is `function` of the parent, and of nothing else.

    It has the audience of its parent, and is computed without Strawberry's `Info`.
    """
    return strawberry.field(
        resolver=function,
        graphql_type=graphql_type,
        description=description,
        metadata={FROM_PARENT: ParentFunction(function), **(metadata or {})},
    )
