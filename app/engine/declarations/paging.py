"""The arguments that choose a page of a list."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from app.engine.declarations.cursors import Cursors
from app.engine.declarations.pages import DEFAULT_SIZE
from app.kit.errors import Faults
from app.kit.lists import Page, PageRequest, Position

Selects = Callable[..., bool]
"""Whether a field is selected below a relation. It is given the names on the way to it."""


class Paging(NamedTuple):
    """The arguments that choose a page of a list."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None

    def size(self, largest: int, faults: Faults) -> int:
        """The size of the page."""
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 1 <= size <= largest:
                faults.add(name, f"`{name}` must be between 1 and {largest:,}.")
        if self.first is not None and self.last is not None:
            faults.add("last", "A page has either `first` or `last`.")
        return self.first or self.last or DEFAULT_SIZE

    def request(
        self, cursors: Cursors, request: PageRequest, loader: Page[Any], selects: Selects, faults: Faults
    ) -> PageRequest:
        """The request with its positions, and with what it asks around its page."""

        def position(name: str, cursor: str | None) -> Position | None:
            if cursor is not None:
                with faults.at():
                    return cursors.decode(loader, request.order, cursor, descending=request.descending, argument=name)
            return None

        after, before = position("after", self.after), position("before", self.before)
        return msgspec.structs.replace(
            request,
            after=after,
            before=before,
            is_backward=self.last is not None,
            asks_previous=after is not None and selects("pageInfo", "hasPreviousPage"),
            asks_next=before is not None and selects("pageInfo", "hasNextPage"),
        )
