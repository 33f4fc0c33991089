"""A watchlist is read page by page while its owner adds, moves and removes: who stays in place is met exactly once."""

import random
from collections import Counter

import asyncpg
import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.market.services import MarketServices
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.market.watchlist.model import WatchlistChanges, WatchlistItem
from app.domains.market.watchlist.services import Watchlist
from app.engine.declarations.cursors import MAX_CURSOR
from app.kit.db import Database
from app.kit.house import Services
from app.kit.lists import page_request
from app.kit.migrate import migrate
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens
from tests.factories import register
from tests.lists import decode, encode


class Reader:
    """Reads a list page by page, with cursors as clients hold them."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        self._database, self._viewer = database, viewer
        self._cursor: str | None = None
        self.met: list[WatchlistItem] = []

    async def turn(self, size: int) -> bool:
        """Reads a page; whether more follow."""
        loader = watchlist_loaders.watchlist_by_user
        after = None if self._cursor is None else decode(loader, self._cursor)
        reads = Reads(self._database, self._viewer.scope)
        page = await reads.page(loader, self._viewer.user_id, page_request(loader, size, after=after))
        await reads.aclose()
        self.met += page.records
        assert len(self.met) < 500, "it reads in a circle"
        if page.records:
            self._cursor = encode(loader, page.records[-1])
            assert len(self._cursor) <= MAX_CURSOR
        return page.has_next


class Shuffle:
    """Changes a list at random, and knows who has stayed where they were."""

    def __init__(self, watchlist: Watchlist, viewer: Viewer, symbols: list[str], chance: random.Random) -> None:
        self._watchlist, self._viewer, self._chance = watchlist, viewer, chance
        self._unused = symbols
        self._number = 0
        self.items: list[WatchlistItem] = []
        self.stayed: set[str] = set()

    async def add(self) -> None:
        self._number += 1
        symbol = self._unused.pop(self._chance.randrange(len(self._unused)))
        self.items.append(await self._watchlist.add(self._viewer, symbol, None, f"add {self._number}"))

    async def change(self) -> None:
        kind = self._chance.choice(["move", "move", "move", "remove", "add"])
        if kind == "add" and self._unused:
            await self.add()
            return
        item = self._chance.choice(self.items)
        if kind == "remove" and len(self.items) > 4:
            self.items.remove(item)
            self._unused.append(item.symbol)
            await self._watchlist.remove(self._viewer, item.id)
            self.stayed.discard(item.symbol)
            return
        # Often into the same gap, so that ranks get long.
        to = self._chance.choice([1, 1, 1, self._chance.randrange(len(self.items))])
        moved = await self._watchlist.update(self._viewer, item.id, WatchlistChanges(position=to))
        if moved.rank != item.rank:
            self.stayed.discard(item.symbol)
        self.items[self.items.index(item)] = moved


@pytest_asyncio.fixture
async def alice(services: Services, owner: Owner) -> Viewer:
    await list_tokens(owner)
    return await register(services)


async def read_while_it_is_changed(
    services: Services, owner: Owner, database: Database, viewer: Viewer, seed: int
) -> tuple[set[str], Counter[str], list[str]]:
    """Who stayed in place throughout, how often each was met, and the order in which they stand."""
    chance = random.Random(seed)
    symbols = [row["symbol"] for row in await owner.fetch("SELECT symbol FROM tokens ORDER BY symbol LIMIT 30")]
    shuffle = Shuffle(services[MarketServices].watchlist, viewer, symbols, chance)
    for _ in range(min(16, len(symbols) - 2)):
        await shuffle.add()
    shuffle.stayed = {item.symbol for item in shuffle.items}
    reader = Reader(database, viewer)
    while await reader.turn(chance.randint(1, 3)):
        for _ in range(chance.randrange(3)):
            await shuffle.change()
    stands = await owner.fetch("SELECT symbol FROM watchlist_items WHERE user_id = $1 ORDER BY rank", viewer.user_id)
    kept = [row["symbol"] for row in stands if row["symbol"] in shuffle.stayed]
    met = Counter(item.symbol for item in reader.met)
    assert [item.symbol for item in reader.met if item.symbol in shuffle.stayed][: len(kept)] == kept
    return shuffle.stayed, met, kept


@pytest.mark.parametrize("seed", range(12))
async def test_an_item_that_stays_in_place_is_met_exactly_once(
    services: Services, owner: Owner, database: Database, alice: Viewer, seed: int
) -> None:
    stayed, met, _ = await read_while_it_is_changed(services, owner, database, alice, seed)
    assert {symbol: met[symbol] for symbol in stayed} == dict.fromkeys(stayed, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_new_ranks_let_nobody_be_passed_over(  # noqa: PLR0917
    services: Services,
    owner: Owner,
    database: Database,
    alice: Viewer,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.domains.market.watchlist.services.MAX_DECIMALS", 1)
    watchlist = services[MarketServices].watchlist
    items = [await watchlist.add(alice, symbol, None, symbol) for symbol in ("BTC", "ETH", "USDT", "DOGE", "BCH")]
    reader, chance = Reader(database, alice), random.Random(seed)
    await reader.turn(2)
    order = [item.symbol for item in items]
    for _ in range(60):
        # Into the second or third place: each halves a gap.
        item, to = chance.choice(items[:3]), chance.choice([1, 2])
        await watchlist.update(alice, item.id, WatchlistChanges(position=to))
        order.remove(item.symbol)
        order.insert(to, item.symbol)
    while await reader.turn(2):
        pass
    met = Counter(item.symbol for item in reader.met)
    rows = await owner.fetch("SELECT symbol, rank FROM watchlist_items ORDER BY rank")
    assert [row["symbol"] for row in rows] == order
    ranks = [row["rank"] for row in rows]
    assert all(met[symbol] >= 1 for symbol in ("DOGE", "BCH"))
    assert max(ranks) > max(item.rank for item in items), "new ranks were given"
    assert all(-rank.as_tuple().exponent <= 1 for rank in ranks)


FORMER_LIST = """
    SET session_replication_role = replica;
    INSERT INTO watchlist_items (user_id, symbol, position)
    VALUES (gen_random_uuid(), 'BTC', 2), (gen_random_uuid(), 'ETH', 0);
    UPDATE watchlist_items SET user_id = '00000000-0000-0000-0000-000000000001';
    RESET session_replication_role;
"""


async def test_lists_keep_their_order_when_they_get_ranks(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0007")
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute(FORMER_LIST)
        await migrate(empty_database_url)
        # As the release before adds one, which may still be running.
        await connection.execute(
            "SET session_replication_role = replica; INSERT INTO watchlist_items (user_id, symbol, position)"
            " SELECT user_id, 'USDT', max(position) + 1 FROM watchlist_items GROUP BY user_id"
        )
        rows = await connection.fetch("SELECT symbol FROM watchlist_items ORDER BY rank")
        assert [row["symbol"] for row in rows] == ["ETH", "BTC", "USDT"]
    finally:
        await connection.close()


async def test_the_release_before_finds_a_new_item_at_the_end(services: Services, owner: Owner, alice: Viewer) -> None:
    for symbol in ("BTC", "ETH"):
        await services[MarketServices].watchlist.add(alice, symbol, None, symbol)
    rows = await owner.fetch("SELECT symbol FROM watchlist_items ORDER BY position")
    assert [row["symbol"] for row in rows] == ["BTC", "ETH"]
