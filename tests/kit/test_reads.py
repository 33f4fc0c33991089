import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from app.kit.db import Database, Scope
from app.kit.errors import Unavailable
from app.kit.lists import by, equals, page_request
from app.kit.loaders import Audience, many, one, page
from app.kit.reads import Reads
from app.kit.sql import Keyed, Query, Rows
from app.kit.work import Work, working
from tests.databases import Owner
from tests.waiting import HANG_S, until


class Book(msgspec.Struct, frozen=True):
    id: int
    shelf: str
    owner_id: UUID


ALICE, BOB = UUID(int=1), UUID(int=2)
COLUMNS = "b.id, b.shelf, b.owner_id"
BY_IDS: Query[Book] = Query("by_ids", ".", f"SELECT {COLUMNS} FROM books b WHERE b.id = ANY($1::integer[])", Book)
BY_SHELVES: Keyed[Book] = Keyed(
    "by_shelves",
    ".",
    f"SELECT k.ord::integer, {COLUMNS} FROM unnest($1::text[]) WITH ORDINALITY AS k (shelf, ord)"
    " JOIN books b USING (shelf) ORDER BY k.ord, b.id",
    Book,
)
SHELVES: Rows[Book] = Rows(
    "shelf", ".", f"SELECT {COLUMNS}, b.id % 2 AS parity FROM books b WHERE b.shelf = {{key::text}}", Book
)
ALL: Rows[Book] = Rows("all", ".", f"SELECT {COLUMNS} FROM books b", Book)

book_by_id = one(BY_IDS, key="id", audience=Audience.PUBLIC)
books_by_shelf = many(BY_SHELVES, audience=Audience.PUBLIC)
own_book_by_id = one(BY_IDS, key="id")
own_books_by_shelf = many(BY_SHELVES)
shelf_page = page(SHELVES, orders={"ID": by("id")}, filters={"parity": equals("parity")}, audience=Audience.PUBLIC)
all_page = page(ALL, orders={"ID": by("id")}, audience=Audience.PUBLIC)
broken = one(
    Query[Book]("broken", ".", "SELECT 1 / (id - id) FROM unnest($1::integer[]) id", Book),
    key="id",
    audience=Audience.PUBLIC,
)
slow = one(Query[Book]("slow", ".", "SELECT pg_sleep(30) WHERE $1::integer[] IS NOT NULL", Book), key="id")


@pytest_asyncio.fixture(autouse=True)
async def books(owner: Owner) -> None:
    await owner.execute(
        """
        CREATE TABLE books (id integer PRIMARY KEY, shelf text NOT NULL, owner_id uuid NOT NULL);
        INSERT INTO books SELECT i, CASE WHEN i <= 7 THEN 'a' ELSE 'b' END, ('00000000-0000-0000-0000-00000000000'
            || 1 + i % 2)::uuid FROM generate_series(1, 10) i;
        """
    )


@pytest_asyncio.fixture
async def private(owner: Owner) -> None:
    await owner.execute(
        """
        ALTER TABLE books ENABLE ROW LEVEL SECURITY;
        ALTER TABLE books FORCE ROW LEVEL SECURITY;
        CREATE POLICY books_owner ON books USING (owner_id = app_user_id());
        """
    )


@pytest_asyncio.fixture
async def reads(database: Database) -> AsyncIterator[Reads]:
    reads = Reads(database, Scope(user_id=ALICE))
    yield reads
    await reads.aclose()


@pytest.fixture
def work() -> Iterator[Work]:
    with working(Work()) as begun:
        yield begun


async def test_one_gathers_the_keys_of_a_turn(reads: Reads, work: Work) -> None:
    found = await asyncio.gather(*(reads.one(book_by_id, key) for key in (3, 1, 99, 3)))
    assert [book and book.id for book in found] == [3, 1, None, 3]
    assert found[0] is found[3]
    assert work.statements == 1

    assert await reads.one(book_by_id, 3) is found[0]
    assert await reads.one(book_by_id, 99) is None
    assert work.statements == 1


async def test_resolvers_that_resume_together_share_a_statement(reads: Reads, work: Work) -> None:
    async def resolver(key: int) -> Book | None:
        first = await reads.one(book_by_id, key)
        assert first is not None
        return await reads.one(book_by_id, first.id + 1)

    found = await asyncio.gather(*(resolver(key) for key in (1, 3, 5, 7)))

    assert [book and book.id for book in found] == [2, 4, 6, 8]
    assert work.statements == 2


async def test_many_keeps_each_list_apart_and_in_order(reads: Reads, work: Work) -> None:
    b, none, a = await asyncio.gather(*(reads.many(books_by_shelf, shelf) for shelf in ("b", "none", "a")))
    assert [[book.id for book in books] for books in (a, b, none)] == [[1, 2, 3, 4, 5, 6, 7], [8, 9, 10], []]
    assert work.statements == 1


async def test_pages_say_whether_more_follow(reads: Reads, work: Work) -> None:
    a, b = await asyncio.gather(
        reads.page(shelf_page, "a", page_request(shelf_page, 3)),
        reads.page(shelf_page, "b", page_request(shelf_page, 3)),
    )
    assert ([book.id for book in a.records], a.has_next) == ([1, 2, 3], True)
    assert ([book.id for book in b.records], b.has_next) == ([8, 9, 10], False)
    assert work.statements == 1

    even = page_request(shelf_page, 5, filters={"parity": 0}, after=(3,))
    rest = await reads.page(shelf_page, "a", even)
    assert ([book.id for book in rest.records], rest.has_next) == ([4, 6], False)
    assert work.statements == 2


async def test_counts_are_batched_and_absent_keys_count_nothing(reads: Reads, work: Work) -> None:
    counts = await asyncio.gather(*(reads.count(shelf_page, shelf, (("parity", 0),)) for shelf in ("a", "b", "none")))
    assert counts == [3, 2, 0]
    assert work.statements == 1


async def test_a_list_without_a_key(reads: Reads) -> None:
    first = await reads.page(all_page, None, page_request(all_page, 4, after=(5,)))
    assert ([book.id for book in first.records], first.has_next) == ([6, 7, 8, 9], True)
    assert await reads.count(all_page, None, ()) == 10


@pytest.mark.usefixtures("private")
async def test_scoped_loads_share_one_snapshot(reads: Reads, database: Database, owner: Owner, work: Work) -> None:
    own, foreign = await asyncio.gather(reads.one(own_book_by_id, 2), reads.one(own_book_by_id, 1))
    await owner.execute("DELETE FROM books")
    shelf = await reads.many(own_books_by_shelf, "a")

    assert own is not None
    assert own.owner_id == ALICE
    assert foreign is None
    assert [book.id for book in shelf] == [2, 4, 6]
    assert work.statements == 2
    assert database.pool.get_size() - database.pool.get_idle_size() == 1

    await reads.aclose()
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_public_loads_open_no_snapshot(reads: Reads, database: Database) -> None:
    await reads.one(book_by_id, 1)
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_a_failure_reaches_every_caller_and_nobody_else(reads: Reads, caplog: pytest.LogCaptureFixture) -> None:
    found = await asyncio.gather(
        reads.one(broken, 1),
        reads.one(broken, 2),
        reads.one(broken, 1),
        reads.one(book_by_id, 1),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in found] == [asyncpg.DivisionByZeroError] * 3 + [Book]
    with pytest.raises(asyncpg.DivisionByZeroError):
        await reads.one(broken, 1)
    # Nobody looks at this one.
    reads.one(broken, 3)
    await until(lambda: not reads._tasks and not reads._batches)
    await reads.aclose()
    assert "never retrieved" not in caplog.text


async def test_a_cancelled_caller_takes_nobody_along(reads: Reads, work: Work) -> None:
    async def resolver(key: int) -> Book | None:
        return await reads.one(book_by_id, key)

    doomed, other, sibling = (asyncio.create_task(resolver(key)) for key in (1, 1, 2))
    await asyncio.sleep(0)
    doomed.cancel()

    found = await asyncio.gather(doomed, other, sibling, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert [book.id for book in found[1:] if isinstance(book, Book)] == [1, 2]
    again = await reads.one(book_by_id, 1)
    assert again is found[1]
    assert work.statements == 1


async def test_closing_cancels_what_is_under_way(
    database: Database, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    reads = Reads(database, Scope(user_id=ALICE))
    under_way = asyncio.ensure_future(reads.one(slow, 1))

    async def sleeps() -> bool:
        return bool(await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))

    await until(sleeps)
    not_begun = asyncio.ensure_future(reads.one(slow, 2))
    await reads.aclose()
    await until(not_begun.done)

    assert under_way.cancelled()
    assert not_begun.cancelled()
    assert not await sleeps()
    assert database.pool.get_size() == database.pool.get_idle_size()
    with pytest.raises(RuntimeError, match="have ended"):
        await reads.one(own_book_by_id, 1)
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize("audience", Audience)
async def test_a_resolver_that_is_late_opens_nothing(database: Database, audience: Audience) -> None:
    """A field that failed ends the operation while resolvers beside it have yet to begin: nobody would end theirs."""
    reads = Reads(database, Scope(user_id=ALICE))
    await reads.aclose()
    with pytest.raises(RuntimeError, match="have ended"):
        await reads.executor(audience)
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_closing_at_any_moment_gives_the_connection_back(database: Database) -> None:
    for turns in range(30):
        reads = Reads(database, Scope(user_id=uuid4()))
        load = asyncio.ensure_future(reads.one(own_book_by_id, 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        closing = asyncio.create_task(reads.aclose())
        await asyncio.sleep(0)
        if turns % 2:
            closing.cancel()
        await asyncio.gather(closing, load, return_exceptions=True)
    await until(lambda: database.pool.get_size() == database.pool.get_idle_size())


async def test_a_snapshot_that_cannot_open_fails_its_loads(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    pool = await Database.open(database_url, role="moneta_app", size=2, timeout_s=HANG_S)
    await pool.close()
    reads = Reads(pool, Scope(user_id=BOB))
    found = await asyncio.gather(
        reads.one(own_book_by_id, 1), reads.many(own_books_by_shelf, "a"), return_exceptions=True
    )
    assert [type(outcome) for outcome in found] == [Unavailable, Unavailable]
    await reads.aclose()
    assert "never retrieved" not in caplog.text
