"""Loaders: declarations over one named statement each. A request loads through `Reads`.

Conventions for the statements:

* `one`: `$1` is an array of keys; each row is a record.
* `many`: `$1` is an array of keys; each row is `ord` (the 1-based position of its key in the array) and a record.
* `page`: see `app/kit/lists.py`.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from app.kit.audience import Audience
from app.kit.lists import Filter, Order, Page
from app.kit.sql import Keyed, Query, Rows

__all__ = ["Audience", "Many", "One", "Page", "many", "one", "page"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class One(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """At most one record for a key."""

    query: Query[R_co]
    key: str
    audience: Audience


class Many(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """A short, bounded list of records for a key, in the statement's order."""

    query: Keyed[R_co]
    audience: Audience


def one(query: Query[R], *, key: str, audience: Audience = Audience.VIEWER) -> One[R]:
    """Declares a lookup by the record's attribute `key`."""
    return One(query, key, audience)


def many(query: Keyed[R], *, audience: Audience = Audience.VIEWER) -> Many[R]:
    """Declares a bounded list for each key."""
    return Many(query, audience)


def page(
    *rows: Rows[R],
    orders: Mapping[str, Order],
    filters: Mapping[str, Filter] | None = None,
    audience: Audience = Audience.VIEWER,
) -> Page[R]:
    """Declares a paged list over the rows of these statements; the first of `orders` is the default."""
    return Page(rows, orders, filters or {}, audience)
