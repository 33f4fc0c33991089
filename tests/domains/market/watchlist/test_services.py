"""Watchlists: whose they are, how many fit, and that positions have no gaps under concurrent moves."""

import asyncio
import random
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.market.services import MarketServices
from app.domains.market.tokens.model import TokenNotFound
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.market.watchlist.model import AlreadyWatched, WatchlistChanges, WatchlistFull, WatchlistItem
from app.domains.market.watchlist.services import Watchlist
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, Database
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from app.kit.house import Services
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens
from tests.factories import register


@pytest_asyncio.fixture
async def alice(services: Services, owner: Owner) -> Viewer:
    await list_tokens(owner)
    return await register(services)


@pytest.fixture
def watchlist(services: Services) -> Watchlist:
    return services[MarketServices].watchlist


async def positions(owner: Owner, viewer: Viewer) -> list[tuple[int, str]]:
    """What is stored: the symbols by their ranks, and where each stands."""
    rows = await owner.fetch("SELECT symbol FROM watchlist_items WHERE user_id = $1 ORDER BY rank", viewer.user_id)
    return list(enumerate(row["symbol"] for row in rows))


async def watch(watchlist: Watchlist, viewer: Viewer, *symbols: str) -> list[WatchlistItem]:
    return [await watchlist.add(viewer, symbol, None, f"watch {symbol}") for symbol in symbols]


async def test_a_token_is_added_at_the_end_by_its_symbol_in_any_case(
    watchlist: Watchlist, alice: Viewer, clock: FixedClock
) -> None:
    first = await watchlist.add(alice, "ETH", None, "one")
    second = await watchlist.add(alice, " btc ", " Digital gold\n ", "two")
    assert first == WatchlistItem(first.id, alice.user_id, "ETH", None, 0, clock.now(), None, first.rank)
    assert second == WatchlistItem(second.id, alice.user_id, "BTC", "Digital gold", 1, clock.now(), None, second.rank)
    assert first.rank < second.rank


async def test_an_unknown_token_is_refused_with_suggestions(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    with pytest.raises(TokenNotFound, match=r"There is no token BITCON\.") as caught:
        await watchlist.add(alice, "bitcon", None, "key")
    assert [token.symbol for token in caught.value.suggestions] == ["BTC", "BCH"]
    assert await positions(owner, alice) == []


@pytest.mark.parametrize("symbol", ["", "  ", "%", "_", "\0", "\ud800", "B\0TC", "x" * 10_000, "💰"])
async def test_what_can_be_no_symbol_is_not_found(watchlist: Watchlist, alice: Viewer, symbol: str) -> None:
    with pytest.raises(TokenNotFound) as caught:
        await watchlist.add(alice, symbol, None, "key")
    assert caught.value.suggestions == []


async def test_a_token_is_watched_once(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    await watch(watchlist, alice, "BTC")
    with pytest.raises(AlreadyWatched):
        await watchlist.add(alice, "BTC", None, "again")
    assert await positions(owner, alice) == [(0, "BTC")]


async def test_a_replay_is_answered_as_the_first_time(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    item = await watchlist.add(alice, "BTC", "mine", "key")
    assert await watchlist.add(alice, "btc", "mine ", "key") == item
    with pytest.raises(IdempotencyKeyReused):
        await watchlist.add(alice, "BTC", "other", "key")
    with pytest.raises(IdempotencyKeyReused):
        await watchlist.add(alice, "ETH", "mine", "key")
    assert await positions(owner, alice) == [(0, "BTC")]
    await watchlist.remove(alice, item.id)
    with pytest.raises(ResultDeleted):
        await watchlist.add(alice, "BTC", "mine", "key")
    assert await positions(owner, alice) == []


@pytest.mark.usefixtures("warm")
async def test_the_limit_holds_however_many_add_at_once(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    tight = replace(watchlist, limit=3)
    outcomes = await asyncio.gather(
        *(tight.add(alice, symbol, None, symbol) for symbol in ("BTC", "ETH", "USDT", "DOGE", "BCH", "SOL")),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, WatchlistFull)]
    assert len(refused) == 3
    assert {problem.message for problem in refused} == {"A watchlist has at most 3 tokens."}
    assert [position for position, _ in await positions(owner, alice)] == [0, 1, 2]


async def test_changes_are_those_that_were_named(
    watchlist: Watchlist, alice: Viewer, owner: Owner, clock: FixedClock
) -> None:
    item = await watchlist.add(alice, "BTC", "kept", "key")
    assert await watchlist.update(alice, item.id, WatchlistChanges()) == item
    viewed = await watchlist.update(alice, item.id, WatchlistChanges(viewed=True))
    assert (viewed.notes, viewed.last_viewed_at) == ("kept", clock.now())
    cleared = await watchlist.update(alice, item.id, WatchlistChanges(notes=None))
    assert (cleared.notes, cleared.last_viewed_at) == (None, clock.now())
    noted = await watchlist.update(alice, item.id, WatchlistChanges(notes="Line 1\n\tLine 2 ✓"))
    assert noted.notes == "Line 1\n\tLine 2 ✓"
    assert (await watchlist.update(alice, item.id, WatchlistChanges(notes="  "))).notes is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (WatchlistChanges(notes="x" * 2001), "notes"),
        (WatchlistChanges(notes="a\0b"), "notes"),
        (WatchlistChanges(notes="\ud800"), "notes"),
        (WatchlistChanges(position=-1), "position"),
    ],
)
async def test_changes_that_cannot_be_accepted(
    watchlist: Watchlist, alice: Viewer, changes: WatchlistChanges, field: str
) -> None:
    item = await watchlist.add(alice, "BTC", None, "key")
    with pytest.raises(InvalidInput) as caught:
        await watchlist.update(alice, item.id, changes)
    assert caught.value.path == (field,)


@pytest.mark.parametrize(
    ("moved", "to", "expected"),
    [
        (0, 0, "BTC ETH USDT DOGE"),
        (0, 1, "ETH BTC USDT DOGE"),
        (0, 3, "ETH USDT DOGE BTC"),
        (3, 0, "DOGE BTC ETH USDT"),
        (2, 1, "BTC USDT ETH DOGE"),
        (1, 4, "BTC USDT DOGE ETH"),
        (1, 10**30, "BTC USDT DOGE ETH"),
    ],
)
async def test_an_item_is_moved_and_the_others_close_up(  # noqa: PLR0917
    watchlist: Watchlist, alice: Viewer, owner: Owner, moved: int, to: int, expected: str
) -> None:
    items = await watch(watchlist, alice, "BTC", "ETH", "USDT", "DOGE")
    item = await watchlist.update(alice, items[moved].id, WatchlistChanges(position=to))
    assert item.position == min(to, 3)
    assert await positions(owner, alice) == list(enumerate(expected.split()))
    ranks = {row["id"]: row["rank"] for row in await owner.fetch("SELECT id, rank FROM watchlist_items")}
    changed = {each.id for each in items if ranks[each.id] != each.rank}
    assert changed == (set() if moved == min(to, 3) else {item.id}), "of the others nothing is written"


async def test_a_removed_item_leaves_no_gap(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    items = await watch(watchlist, alice, "BTC", "ETH", "USDT")
    await watchlist.remove(alice, items[0].id)
    assert await positions(owner, alice) == [(0, "ETH"), (1, "USDT")]
    with pytest.raises(NotFound):
        await watchlist.remove(alice, items[0].id)


async def test_a_token_that_is_gone_leaves_no_gap(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    await watch(watchlist, alice, "BTC", "ETH", "USDT")
    await owner.execute("DELETE FROM tokens WHERE symbol = 'BTC'")
    item = await watchlist.add(alice, "SOL", None, "sol")
    assert item.position == 2
    await watchlist.update(alice, item.id, WatchlistChanges(position=0))
    assert await positions(owner, alice) == [(0, "SOL"), (1, "ETH"), (2, "USDT")]


@pytest.mark.usefixtures("warm")
async def test_moves_to_one_place_at_once_take_turns(watchlist: Watchlist, alice: Viewer, owner: Owner) -> None:
    items = await watch(watchlist, alice, "BTC", "ETH", "USDT", "DOGE", "BCH", "SOL")
    for _ in range(4):
        await asyncio.gather(*(watchlist.update(alice, item.id, WatchlistChanges(position=1)) for item in items))
        ranks = {row["rank"] for row in await owner.fetch("SELECT rank FROM watchlist_items")}
        assert len(ranks) == len(items)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("warm")
async def test_places_are_right_after_any_changes_at_once(
    watchlist: Watchlist, alice: Viewer, owner: Owner, database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    items = await watch(watchlist, alice, "BTC", "ETH", "USDT", "DOGE")

    async def change(number: int) -> None:
        try:
            match chance.choice(["move", "move", "move", "remove", "add"]):
                case "move":
                    where = WatchlistChanges(position=chance.randrange(6))
                    await watchlist.update(alice, chance.choice(items).id, where)
                case "remove":
                    await watchlist.remove(alice, chance.choice(items).id)
                case _:
                    items.append(await watchlist.add(alice, chance.choice(("BTC", "SOL", "BCH")), None, str(number)))
        except (NotFound, AlreadyWatched):
            pass

    await asyncio.gather(*(change(number) for number in range(30)))
    reads = Reads(database, alice.scope)
    loader = watchlist_loaders.watchlist_by_user
    page = await reads.page(loader, alice.user_id, page_request(loader, 100))
    await reads.aclose()
    assert [(item.position, item.symbol) for item in page.records] == await positions(owner, alice)


async def test_nobody_reaches_what_is_anothers(
    services: Services, watchlist: Watchlist, alice: Viewer, owner: Owner, database: Database
) -> None:
    bob = await register(services, "bob@example.com")
    (item,) = await watch(watchlist, alice, "BTC")
    (bobs,) = await watch(watchlist, bob, "BTC")
    for id in (item.id, uuid4()):
        with pytest.raises(NotFound):
            await watchlist.update(bob, id, WatchlistChanges(notes="mine now"))
        with pytest.raises(NotFound):
            await watchlist.remove(bob, id)
    assert await seen(database, alice, alice) == ([item], ["BTC"], 1)
    assert await seen(database, bob, alice) == ([], [], 0)
    assert await seen(database, None, alice) == ([], [], 0)
    assert await seen(database, bob, bob) == ([bobs], ["BTC"], 1)


async def seen(database: Database, reader: Viewer | None, of: Viewer) -> tuple[list[WatchlistItem], list[str], int]:
    """What somebody reads of a watchlist: its items, its symbols, their number."""
    reads = Reads(database, PUBLIC if reader is None else reader.scope)
    loader = watchlist_loaders.watchlist_by_user
    page = await reads.page(loader, of.user_id, page_request(loader, 10))
    symbols = await reads.many(watchlist_loaders.watched_symbols, of.user_id)
    by_id: list[UUID] = [item.id for item in page.records]
    assert [await reads.one(watchlist_loaders.watchlist_item_by_id, id) for id in by_id] == page.records
    count = await reads.count(watchlist_loaders.watchlist_by_user, of.user_id, ())
    await reads.aclose()
    return page.records, [row.symbol for row in symbols], count
