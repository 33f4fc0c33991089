"""Lists are what a naive reader of the table gets: in every order, in both directions, under every filter."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from app.kit import list_statements
from app.kit.db import PUBLIC, Database
from app.kit.lists import (
    Page,
    PageRequest,
    any_of,
    at_least,
    at_most,
    before,
    by,
    constant,
    contains,
    equals,
    matches,
    nulls_last,
    overlaps,
    page_request,
    starts_with,
)
from app.kit.loaders import Audience, page
from app.kit.reads import Reads
from app.kit.sql import Rows
from tests.databases import Owner

COLUMNS = "id, shelf, title, pages, price, tags, lent"


class Book(msgspec.Struct, frozen=True):
    id: int
    shelf: str
    title: str
    pages: int
    price: Decimal | None
    tags: list[str]
    lent: bool


ORDERS = {
    "PAGES": by("pages", "id"),
    "PRICE": by(nulls_last("price", -1, 1000), "id", descending=True),
    "TITLE": by("title", "id"),
}
FILTERS = {
    "min_pages": at_least("pages", gated=True),
    "max_pages": at_most("pages", gated=True),
    "below": before("id"),
    "shelf": any_of("shelf", "text"),
    "tags": overlaps("tags", "text"),
    "beginning": starts_with("title"),
    "part": contains("title"),
    "title": equals("title"),
    "lent": constant("lent"),
    "search": matches("search"),
}
MATCHES: dict[str, Callable[[Book, Any], bool]] = {
    "min_pages": lambda book, value: book.pages >= value,
    "max_pages": lambda book, value: book.pages <= value,
    "below": lambda book, value: book.id < value,
    "shelf": lambda book, value: book.shelf in value,
    "tags": lambda book, value: bool(set(book.tags) & set(value)),
    "beginning": lambda book, value: book.title.startswith(value),
    "part": lambda book, value: value.lower() in book.title.lower(),
    "title": lambda book, value: book.title == value,
    "lent": lambda book, value: book.lent is value,
    "search": lambda book, value: value in book.title,
}
VALUES: dict[str, tuple[Any, ...]] = {
    "min_pages": (3, 9, 99),
    "max_pages": (0, 5),
    "below": (20,),
    "shelf": (("a",), ("b", "c", "none"), ()),
    "tags": (("x",), ("y", "z"), ("none",)),
    "beginning": ("whale", "w%", ""),
    "part": ("HAL", "_"),
    "title": ("whale 3", "\U0010ffff"),
    "lent": (True, False),
    "search": ("whale", "ship", "nothing"),
}
FROM = "books b, to_tsvector('english', b.title) search"
ALL = Rows[Book]("all_books", ".", f"SELECT {COLUMNS}, search FROM {FROM}", Book)
LENT = Rows[Book]("lent_books", ".", f"SELECT {COLUMNS}, search FROM {FROM} WHERE lent", Book)
REST = Rows[Book]("other_books", ".", f"SELECT {COLUMNS}, search FROM {FROM} WHERE NOT lent", Book)
SHELF = Rows[Book]("shelf_books", ".", f"SELECT {COLUMNS}, search FROM {FROM} WHERE shelf = {{key::text}}", Book)


def lists() -> dict[str, Page[Book]]:
    """New declarations, of which no statement was composed yet."""
    return {
        "all": page(ALL, orders=ORDERS, filters=FILTERS, audience=Audience.PUBLIC),
        "merged": page(LENT, REST, orders=ORDERS, filters=FILTERS, audience=Audience.PUBLIC),
        "keyed": page(SHELF, orders=ORDERS, filters=FILTERS, audience=Audience.PUBLIC),
    }


@pytest_asyncio.fixture(autouse=True)
async def books(owner: Owner) -> list[Book]:
    chance = random.Random(7)
    await owner.execute(
        'CREATE TABLE books (id integer PRIMARY KEY, shelf text NOT NULL, title text COLLATE "C" NOT NULL,'
        " pages integer NOT NULL, price numeric, tags text[] NOT NULL, lent boolean NOT NULL);"
        "GRANT ALL ON books TO moneta_app"
    )
    for id in range(40):
        await insert(owner, id, chance)
    return await stored(owner)


async def insert(owner: Owner, id: int, chance: random.Random) -> None:
    await owner.execute(
        "INSERT INTO books VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id,
        chance.choice("abc"),
        f"{chance.choice(('whale', 'ship', 'sea'))} {chance.randrange(6)}",
        chance.randrange(12),
        chance.choice((None, Decimal(1), Decimal("2.5"))),
        chance.sample(["x", "y", "z"], chance.randrange(3)),
        chance.random() < 0.4,
    )


async def stored(owner: Owner) -> list[Book]:
    return [Book(*row) for row in await owner.fetch(f"SELECT {COLUMNS} FROM books ORDER BY id")]


def naive(books: list[Book], order: str, filters: dict[str, Any], *, descending: bool) -> list[Book]:
    found = [book for book in books if all(MATCHES[name](book, value) for name, value in filters.items())]
    found.sort(key=lambda book: ORDERS[order].position(book, descending=descending), reverse=descending)
    return found


def choices_of_filters() -> Iterator[dict[str, Any]]:
    yield {}
    for size in (1, 2):
        for names in combinations(FILTERS, size):
            for values in product(*(VALUES[name] for name in names)):
                yield dict(zip(names, values, strict=True))


async def walk(reads: Reads, loader: Page[Book], key: str | None, first: PageRequest) -> list[list[Book]]:
    """All pages from one end to the other, in the order of the list."""
    pages: list[list[Book]] = []
    request = msgspec.structs.replace(first, asks_previous=True, asks_next=True)
    while True:
        found = await reads.page(loader, key, request)
        behind, ahead = found.has_previous, found.has_next
        if first.is_backward:
            behind, ahead = ahead, behind
        assert behind is bool(pages)
        pages.append(found.records)
        assert len(pages) < 99, "it reads in a circle"
        if not ahead:
            return pages[::-1] if first.is_backward else pages
        edge = found.records[0 if first.is_backward else -1]
        place = loader.orders[first.order].position(edge, descending=first.descending)
        request = msgspec.structs.replace(request, **{"before" if first.is_backward else "after": place})


@pytest.mark.parametrize("rare", [3, 2000])
@pytest.mark.parametrize("kind", ["all", "merged", "keyed"])
async def test_both_ways_are_the_naive_list_under_every_filter(
    database: Database, books: list[Book], kind: str, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_statements, "RARE", rare)
    loader, chance = lists()[kind], random.Random(rare)
    key = "a" if kind == "keyed" else None
    listed = [book for book in books if key in (None, book.shelf)]
    reads = Reads(database, PUBLIC)
    for filters in choices_of_filters():
        order, descending = chance.choice(list(ORDERS)), chance.random() < 0.5
        expected = naive(listed, order, filters, descending=descending)
        request = page_request(loader, chance.randint(1, 9), order, descending=descending, filters=filters)
        asked = (filters, order, descending)
        assert await reads.count(loader, key, request.filters) == len(expected), asked
        for is_backward in (False, True):
            pages = await walk(reads, loader, key, msgspec.structs.replace(request, is_backward=is_backward))
            assert [book for one in pages for book in one] == expected, (asked, is_backward)


@pytest.mark.parametrize("kind", ["all", "merged", "keyed"])
async def test_what_is_around_a_page_is_true_wherever_it_begins_and_ends(
    database: Database, books: list[Book], kind: str
) -> None:
    loader, chance = lists()[kind], random.Random(kind)
    key = "a" if kind == "keyed" else None
    listed = [book for book in books if key in (None, book.shelf)]
    reads = Reads(database, PUBLIC)
    for _ in range(200):
        order, descending = chance.choice(list(ORDERS)), chance.random() < 0.5
        filters = {} if chance.random() < 0.5 else {"lent": chance.random() < 0.5}
        whole = naive(listed, order, {}, descending=descending)
        expected = naive(listed, order, filters, descending=descending)
        place = [ORDERS[order].position(book, descending=descending) for book in whole]
        # Positions of rows that the filter leaves out are positions between those that it does not.
        start, end = sorted(chance.choices(range(-1, len(whole) + 1), k=2))
        request = PageRequest(
            chance.randint(1, 6),
            order,
            descending,
            None if start == -1 else place[min(start, len(whole) - 1)],
            None if end == len(whole) else place[end] if end >= 0 else None,
            chance.random() < 0.5,
            tuple(filters.items()),
            asks_previous=True,
            asks_next=True,
        )
        within = [
            book
            for book in expected
            if (request.after is None or whole.index(book) > place.index(request.after))
            and (request.before is None or whole.index(book) < place.index(request.before))
        ]
        shown = within[-request.size :] if request.is_backward else within[: request.size]
        found = await reads.page(loader, key, request)
        assert found.records == shown
        if shown:
            assert found.has_previous is (shown[0] != expected[0])
            assert found.has_next is (shown[-1] != expected[-1])
        else:
            # An empty page has what is up to its beginning before it, and what is from its end on after it.
            after, ahead = request.after, request.before
            assert found.has_previous is any(
                after is not None and whole.index(book) <= place.index(after) for book in expected
            )
            assert found.has_next is any(
                ahead is not None and whole.index(book) >= place.index(ahead) for book in expected
            )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("is_backward", [False, True])
async def test_rows_that_stay_are_met_exactly_once_while_others_come_and_go(
    owner: Owner, database: Database, books: list[Book], seed: int, is_backward: bool
) -> None:
    chance = random.Random(seed)
    loader = lists()[chance.choice(["all", "merged"])]
    order, descending = chance.choice(list(ORDERS)), chance.random() < 0.5
    stayed, number = {book.id for book in books}, 1000
    request = page_request(
        loader, 3, order, descending=descending, is_backward=is_backward, asks_previous=True, asks_next=True
    )
    met: list[Book] = []
    while True:
        reads = Reads(database, PUBLIC)
        found = await reads.page(loader, None, request)
        await reads.aclose()
        met += found.records
        assert len(met) < 999, "it reads in a circle"
        if not (found.has_previous if is_backward else found.has_next):
            break
        if found.records:
            edge = found.records[0 if is_backward else -1]
            place = loader.orders[order].position(edge, descending=descending)
            request = msgspec.structs.replace(request, **{"before" if is_backward else "after": place})
        for _ in range(chance.randrange(4)):
            now = await stored(owner)
            victim = chance.choice(now).id
            match chance.choice(["insert", "delete", "move"]):
                case "insert":
                    number += 1
                    await insert(owner, number, chance)
                case "delete":
                    await owner.execute("DELETE FROM books WHERE id = $1", victim)
                    stayed.discard(victim)
                case "move":
                    await owner.execute(
                        "UPDATE books SET pages = $2, title = $3, price = $4 WHERE id = $1",
                        victim,
                        chance.randrange(12),
                        f"whale {chance.randrange(6)}",
                        chance.choice((None, Decimal(3))),
                    )
                    stayed.discard(victim)
    counted = Counter(book.id for book in met)
    assert {id: counted[id] for id in stayed} == dict.fromkeys(stayed, 1)


async def test_nothing_of_a_client_becomes_part_of_a_statement(database: Database) -> None:
    reads = Reads(database, PUBLIC)
    for loader in lists().values():
        statements = set()
        for text in ("x", "'; DROP TABLE books; --", "{key::text}", "$1", "%s"):
            filters = {
                "title": text,
                "part": text,
                "beginning": text,
                "shelf": (text,),
                "tags": (text,),
                "search": text,
            }
            request = page_request(loader, 2, filters=filters, after=(1, 2))
            statements.add(list_statements.page_statement(loader, request).query.sql)
            assert (await reads.page(loader, "a" if loader.is_keyed else None, request)).records == []
        assert len(statements) == 1


async def test_a_constant_that_is_not_declared_is_refused() -> None:
    loader = lists()["all"]
    for value in ("true", "' OR true --", None):
        with pytest.raises(AssertionError):
            list_statements.page_statement(loader, PageRequest(1, "PAGES", filters=(("lent", value),)))


async def test_a_list_refuses_filters_that_it_does_not_have() -> None:
    with pytest.raises(AssertionError, match=r"all_books has no filter \['author'\]"):
        page_request(lists()["all"], 1, filters={"author": "x"})
