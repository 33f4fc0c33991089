"""Reads pages and counts of lists."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from app.kit.list_statements import ListStatement, count_statement, page_statement
from app.kit.lists import Page, PageRequest, PageResult
from app.kit.sql import decode
from app.kit.transaction import Executor

R = TypeVar("R")


class _Found(NamedTuple):
    """The rows that a statement has found for a key, nearest first, and whether there are others around the page."""

    records: list[Any]
    has_previous: bool = False
    has_next: bool = False

    def page(self, request: PageRequest) -> PageResult[Any]:
        """The page in the order of the list, without the row that tells whether there are more."""
        records, more = self.records[: request.size], len(self.records) > request.size
        if request.is_backward:
            return PageResult(records[::-1], self.has_next, more or self.has_previous)
        return PageResult(records, more or self.has_next, self.has_previous)


async def fetch_pages(
    executor: Executor, loader: Page[R], keys: list[Any], request: PageRequest
) -> dict[Any, PageResult[R]]:
    """The page of the list of each key; a list without keys has the key None."""
    statement = page_statement(loader, request)
    # One more than the page tells whether it ends the list.
    arguments = statement.arguments(request.size + 1, request)
    rows = await executor.rows(statement.query, *([keys] if loader.is_keyed else []), *arguments)
    return {key: found.page(request) for key, found in _read(loader, statement, keys, rows).items()}


async def fetch_counts(
    executor: Executor, loader: Page[Any], keys: list[Any], limit: int, filters: tuple[tuple[str, Any], ...]
) -> Mapping[Any, int]:
    """How many rows the list of each key has, up to the limit."""
    statement = count_statement(loader, filters)
    arguments = statement.arguments(limit, PageRequest(0, loader.default_order, filters=filters))
    rows = await executor.rows(statement.query, *([keys] if loader.is_keyed else []), *arguments)
    if not loader.is_keyed:
        return {None: rows[0][0]}
    return dict.fromkeys(keys, 0) | {keys[ord - 1]: value for ord, value in rows}


async def fetch_page(executor: Executor, loader: Page[R], request: PageRequest) -> PageResult[R]:
    """A page of a list without keys."""
    return (await fetch_pages(executor, loader, [None], request))[None]


def _read(loader: Page[Any], statement: ListStatement, keys: Sequence[Any], rows: Sequence[Any]) -> dict[Any, _Found]:
    """What a page's statement has found for each key."""
    first = 1 if loader.is_keyed else 0
    found = [_Found([]) for _ in keys]
    if not statement.asks_around:
        records = decode(loader.record, (row[1:] for row in rows) if first else rows)
        for row, record in zip(rows, records, strict=True):
            found[row[0] - 1 if first else 0].records.append(record)
        return dict(zip(keys, found, strict=True))
    for row in rows:
        place = row[0] - 1 if first else 0
        has_previous, has_next, is_row, *columns = row[first:]
        found[place] = _Found(found[place].records, has_previous, has_next)
        if is_row:
            found[place].records.extend(decode(loader.record, [columns]))
    return dict(zip(keys, found, strict=True))
