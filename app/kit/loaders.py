"""Loaders: declarations over one named statement each. A request loads through `Reads`.

Conventions for the statements:

* `one`: `$1` is an array of keys; each row is a record.
* `many`: `$1` is an array of keys; each row is `ord` (the 1-based position of its key in the array) and a record.
* `page`: as `many`, for a list with no end: `$1` keys, `$2` limit, then one parameter for each `filters`, then one
  for each column of `order` (null on the first page). A page without a key has no `$1` and no `ord`.
* `count`: `$1` keys, `$2` limit, then the filters; rows are `ord`, `value`. It stops counting at the limit.
"""

from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from app.kit.sql import Keyed, Query

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Audience(StrEnum):
    """The audience of data: it decides the row-level scope, and whether executions are shared and answers cached."""

    PUBLIC = "public"
    VIEWER = "viewer"
    TENANT = "tenant"


class One(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """At most one record for a key."""

    query: Query[R_co]
    key: str
    audience: Audience


class Many(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """A short, bounded list of records for a key, in the statement's order."""

    query: Keyed[R_co]
    audience: Audience


class Page(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """A list read page by page: keyset order by columns of the record, the last of which is unique."""

    query: Query[R_co]
    count: Query[int]
    order: tuple[str, ...]
    filters: tuple[str, ...]
    audience: Audience


class PageRequest(msgspec.Struct, frozen=True):
    """Which part of a list: `first` records after the one whose order columns are `after`."""

    first: int
    after: tuple[Any, ...] | None = None
    filters: tuple[Any, ...] = ()


class PageResult(msgspec.Struct, Generic[R], frozen=True):
    """Records of one page, and whether more follow."""

    records: list[R]
    has_next: bool


def one(query: Query[R], *, key: str, audience: Audience = Audience.VIEWER) -> One[R]:
    """Declares a lookup by the record's attribute `key`."""
    return One(query, key, audience)


def many(query: Keyed[R], *, audience: Audience = Audience.VIEWER) -> Many[R]:
    """Declares a bounded list for each key."""
    return Many(query, audience)


def page(
    query: Query[R],
    *,
    count: Query[int],
    order: tuple[str, ...],
    filters: tuple[str, ...] = (),
    audience: Audience = Audience.VIEWER,
) -> Page[R]:
    """Declares a paged list; `filters` name the statement's further parameters, in order."""
    return Page(query, count, order, filters, audience)
