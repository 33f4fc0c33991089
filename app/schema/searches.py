"""The argument `search` of lists whose texts are searched for a part."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import strawberry

from app.kit.text import MAX_SEARCH, searchable


def search_of(texts: str) -> Callable[..., Mapping[str, Any]]:
    """The `filtering` of a list that has a filter `search`. `texts` says what is searched."""
    described = strawberry.argument(
        description=f"A text that {texts} contains, in any case; at most {MAX_SEARCH} characters. Null: any."
    )

    def searched(search: Annotated[str | None, described] = None) -> Mapping[str, Any]:
        return {"search": searchable(search)}

    return searched
