"""Every list of every house is read page by page while its rows are inserted, deleted and moved at random: what stays
in its place is met exactly once, and nothing that was not moved is met twice."""

import itertools
import random
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.kit import list_statements
from app.kit.db import Database, Scope
from app.kit.lists import Page, PageRequest, PageResult, page_request
from app.kit.reads import Reads
from tests.databases import Owner, Template
from tests.graph.filling import FILLED
from tests.graph.list_edits import EDITS, Edits
from tests.graph.test_filters import values_of
from tests.graph.test_pages import CHOICES, LISTS, OWN_KEYS
from tests.graph.test_public_loads import KEYS
from tests.graph.world import World

COLUMNS = """SELECT attname FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
LONG = 14
"""At least so many rows are in a list when it is read."""


class Editor:
    """Edits the rows of a list at random."""

    def __init__(self, owner: Owner, edits: tuple[Edits, ...], chance: random.Random, reader: UUID | None) -> None:
        self._owner, self._edits, self._chance, self._reader = owner, edits, chance, reader
        self._numbers = itertools.count(1)
        self.deleted: set[Any] = set()
        self.moved: set[Any] = set()

    async def begin(self) -> None:
        """Edits come from nowhere: no trigger fires, and no foreign key is checked."""
        before = [edits.before for edits in self._edits if edits.before]
        await self._owner.execute("; ".join(["SET session_replication_role = replica", *before]))

    async def edit(self, records: list[Any], kind: str | None = None) -> None:
        """Copies, deletes or moves one of these."""
        edits = self._chance.choice([each for each in self._edits if each.fresh or kind != "insert"])
        # A user who is deleted would see nothing any more.
        record = self._chance.choice([each for each in records if getattr(each, "id", None) != self._reader])
        kinds = ["delete", *["insert"][: len(edits.fresh)], *["move"][: len(edits.place)]]
        kind = kind or self._chance.choice(kinds)
        if kind == "insert":
            new = edits.place | edits.fresh
            columns = [row[0] for row in await self._owner.fetch(COLUMNS, edits.table)]
            values = ", ".join(new.get(name, f'r."{name}"') for name in columns)
            names = ", ".join(f'"{name}"' for name in columns)
            sql = f"INSERT INTO {edits.table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {edits.table} r"
        elif kind == "move":
            sql = f"UPDATE {edits.table} r SET " + ", ".join(f"{name} = {new}" for name, new in edits.place.items())
        else:
            sql = f"DELETE FROM {edits.table} r"
        if kind != "insert":
            # Without what it is sorted by, a row that is still there is at another place.
            kept = kind == "move" or not edits.fresh
            (self.moved if kept else self.deleted).add(edits.identity(record))
        steps, fraction = self._chance.randint(-4, 4), self._chance.uniform(-1, 1)
        sql = sql.format(steps=steps, fraction=fraction, number=next(self._numbers))
        where = " AND ".join(f"r.{column} = ${place}" for place, column in enumerate(edits.key, 1))
        await self._owner.execute(f"{sql} WHERE {where}", *edits.identity(record))


class Reader:
    """Reads one list as its viewer does, each page as it is at that moment."""

    def __init__(self, database: Database, scope: Scope, loader: Page[Any], key: Any) -> None:
        self._database, self._key = database, key
        self.scope, self.loader = scope, loader

    async def page(self, request: PageRequest) -> PageResult[Any]:
        reads = Reads(self._database, self.scope)
        try:
            return await reads.page(self.loader, self._key, request)
        finally:
            await reads.aclose()

    async def whole(self, request: PageRequest) -> list[Any]:
        """All that pages of this kind show together."""
        return (await self.page(msgspec.structs.replace(request, size=1000))).records

    async def after(self, found: PageResult[Any], request: PageRequest) -> PageRequest | None:
        """The request of the page that follows this one, if one does."""
        if not (found.has_previous if request.is_backward else found.has_next):
            return None
        edge = found.records[0 if request.is_backward else -1]
        place = self.loader.orders[request.order].position(edge, descending=request.descending)
        return msgspec.structs.replace(request, **{"before" if request.is_backward else "after": place})


@pytest.fixture
def template(filled: World) -> Template:
    """Lists that are long enough to be edited."""
    return Template(FILLED, len(filled.viewers))


async def reader_of(name: str, filled: World, database: Database, owner: Owner) -> Reader:
    """Of the longest of the lists of this name."""
    loader, request = LISTS[name], page_request(LISTS[name], 1000, filters=CHOICES.get(name))
    keys = [row[0] for row in await owner.fetch((KEYS | OWN_KEYS)[name])] if loader.is_keyed else [None]
    scopes = [filled.scope_of(person) for person in ("admin", "alice")]
    readers = [Reader(database, scope, loader, key) for scope in scopes for key in dict.fromkeys(keys)]
    lengths = [len(await reader.whole(request)) for reader in readers]
    return readers[lengths.index(max(lengths))]


def test_the_edits_of_every_list_are_here() -> None:
    assert EDITS.keys() == LISTS.keys()


@pytest.mark.parametrize("name", LISTS)
async def test_rows_that_stay_in_place_are_met_exactly_once_while_others_come_and_go(
    name: str, filled: World, database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, edits, base = random.Random(name), EDITS[name], CHOICES.get(name, {})
    reader = await reader_of(name, filled, database, owner)
    # Without their own membership a reader sees no members.
    is_member = name == "tenancy.tenants.memberships_by_tenant"
    own = filled.tenancies["alice"].membership_id if is_member else reader.scope.user_id
    editor = Editor(owner, edits, chance, own)
    await editor.begin()
    walks = [(order, *each) for order in LISTS[name].orders for each in ((0, 0), (0, 1), (1, 0), (1, 1))]
    for order, is_backward, is_filtered in walks:
        monkeypatch.setattr(list_statements, "RARE", chance.choice([3, 2000]))
        # The statements of another list are composed anew.
        reader.loader = msgspec.structs.replace(LISTS[name])
        everything, filters = page_request(reader.loader, 1000, filters=base), dict(base)
        records = await reader.whole(everything)
        for number in range(-4, LONG - len(records)):
            await editor.edit(records, "insert" if number >= 0 else None)
        records = await reader.whole(everything)
        if is_filtered and (names := sorted(reader.loader.filters.keys() - base.keys())):
            given = chance.choice(names)
            # None where no row has a value.
            filters[given] = chance.choice(values_of(reader.loader, given, records) or [None])
        request: PageRequest | None = page_request(
            reader.loader,
            chance.randint(1, 3),
            order,
            descending=chance.random() < 0.5,
            filters=filters,
            is_backward=bool(is_backward),
        )
        assert request is not None
        stayed = set(map(edits[0].identity, await reader.whole(request)))
        editor.deleted, editor.moved, met = set(), set(), Counter[Any]()
        while request is not None:
            found = await reader.page(request)
            met.update(map(edits[0].identity, found.records))
            assert met.total() < 500, "it reads in a circle"
            request = await reader.after(found, request)
            for _ in range(chance.randrange(3)):
                await editor.edit(records)
        stayed -= editor.deleted | editor.moved
        assert {each: met[each] for each in stayed} == dict.fromkeys(stayed, 1), (order, is_backward, filters)
        assert {each for each, times in met.items() if times > 1} <= editor.moved, (order, is_backward, filters)
        assert stayed or is_filtered, "a test of nothing"
