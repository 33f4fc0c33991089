"""Every list of every house is read page by page while its rows are inserted, deleted and moved at random: what stays
in its place is met exactly once, and nothing that was not moved is met twice."""

import itertools
import random
from collections import Counter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

from app.kit import list_statements
from app.kit.db import Database, Scope
from app.kit.lists import Page, PageRequest, PageResult, page_request
from app.kit.reads import Reads
from tests.conftest import Owner
from tests.graph.test_filters import values_of
from tests.graph.test_pages import CHOICES, LISTS, OWN_KEYS, filled
from tests.graph.test_public_loads import KEYS
from tests.graph.world import World

__all__ = ["filled"]

RANDOM = "gen_random_uuid()"
HASH = "encode(sha256(gen_random_uuid()::text::bytea), 'hex')"
SHORT = f"upper(left({HASH}, 20))"
PREPARED = "md5('{number}')::uuid"
"""Of a row of another table that no row of this one has belonged to."""
NUMBERS = "generate_series(1, 200) n"


def near(column: str) -> dict[str, str]:
    """Another moment, often the same as that of others."""
    return {column: f"r.{column} + {{steps}} * interval '0.5 s'"}


def apart(column: str) -> dict[str, str]:
    """A moment of its own."""
    return {column: f"r.{column} + {{fraction}} * interval '2 min'"}


def unused(table: str, column: str, where: str = "true", most: int = 90) -> str:
    """A small number that no row has."""
    return (
        f"(SELECT n FROM generate_series(1, {most}) n WHERE NOT EXISTS (SELECT FROM {table} o WHERE o.{column} = n"
        f" AND {where}) ORDER BY md5(n || '{{fraction}}') LIMIT 1)"
    )


class Edits(NamedTuple):
    """How the rows of a list are edited."""

    table: str
    place: dict[str, str]
    """What is new where a row is moved: columns that the list is sorted by."""
    fresh: dict[str, str]
    """What else is new in a copy: columns of unique keys. Without any, no rows are inserted."""
    key: dict[str, str] = {"id": "id"}  # noqa: RUF012
    """The columns that tell a row from others, and what records call them."""

    before: str = ""
    """What is done before any edit."""

    def identity(self, record: Any) -> tuple[Any, ...]:
        """What tells a record from others."""
        return tuple(getattr(record, name) for name in self.key.values())


BLOCKS = Edits(
    "blocks",
    {"height": unused("blocks", "height"), "previous_hash": HASH},
    {"id": RANDOM, "block_hash": HASH},
)
IN_BLOCK = unused("transactions", "block_position", "o.block_height = r.block_height")
TRANSACTIONS = Edits(
    "transactions",
    {
        **near("timestamp"),
        "amount": "r.amount + abs({steps})",
        "block_position": f"CASE WHEN r.block_id IS NOT NULL THEN {IN_BLOCK} END",
    },
    {"id": RANDOM, "transaction_hash": HASH},
    {"transaction_hash": "transaction_hash"},
)
MENTIONS = Edits(
    "news_mentions",
    near("published_at"),
    {"article_id": PREPARED},
    {"article_id": "id"},
    f"""INSERT INTO news_articles (id, title, source, url, published_at, sentiment_score, impact)
    SELECT md5(n::text)::uuid, 'x', 'x', n, now(), 0, n % 100 FROM {NUMBERS}""",
)
ORDERS = Edits("orders", near("created_at"), {"id": RANDOM, "client_order_id": "NULL"})
FILLS = Edits("fills", near("created_at"), {"id": RANDOM})
EDITS: dict[str, tuple[Edits, ...]] = {
    "accounts.sessions_by_user": (Edits("sessions", near("created_at"), {"id": RANDOM, "token_hash": HASH}),),
    "accounts.auth_log_by_user": (Edits("auth_logs", near("created_at"), {"id": RANDOM}),),
    "accounts.access_codes": (Edits("access_codes", near("created_at"), {"id": RANDOM, "code": SHORT}),),
    "accounts.users": (
        Edits(
            "users",
            near("created_at"),
            {
                "id": PREPARED,
                "email": HASH,
                "verification_token_hash": "NULL",
                "verification_token_expires_at": "NULL",
            },
            before=f"INSERT INTO display_names (user_id, display_name) SELECT md5(n::text)::uuid, 'x' FROM {NUMBERS}",
        ),
    ),
    "ledger.utxos_by_wallet": (
        Edits("utxos", {"transaction_hash": HASH, "output_index": "abs({steps})"}, {"id": RANDOM}),
    ),
    "ledger.blocks": (BLOCKS,),
    "ledger.blocks_by_miner": (BLOCKS,),
    "ledger.transactions": (TRANSACTIONS,),
    "ledger.transactions_by_block": (TRANSACTIONS,),
    "ledger.transactions_by_wallet": (TRANSACTIONS,),
    # Postgres refuses to change the number of acceptance.
    "ledger.mempool": (
        TRANSACTIONS._replace(place={}, fresh=TRANSACTIONS.fresh | {"sequence": unused("transactions", "sequence")}),
    ),
    "ledger.beneficiaries_by_user": (
        Edits("beneficiaries", near("created_at"), {"id": RANDOM, "beneficiary_wallet_id": HASH}),
    ),
    "notifications.notifications_by_user": (Edits("notifications", near("created_at"), {"id": RANDOM}),),
    "market.alerts.alerts_by_user": (Edits("alerts", near("created_at"), {"id": RANDOM}),),
    "market.news.news": (
        Edits(
            "news_articles",
            {**near("published_at"), "impact": "10 * abs({steps})"},
            {"id": RANDOM, "url": HASH},
        ),
    ),
    "market.news.news_mentioning": (MENTIONS,),
    "market.news.news_by_symbol": (MENTIONS,),
    "market.prices.candles_by_token": (
        Edits(
            "candles",
            apart("opened_at"),
            {"exchange": "r.exchange"},
            {name: name for name in ("symbol", "exchange", "interval", "opened_at")},
        ),
    ),
    "market.prices.prices_by_token": (
        Edits(
            "price_history",
            apart("timestamp"),
            {"exchange": "r.exchange"},
            {name: name for name in ("symbol", "exchange", "timestamp")},
        ),
    ),
    "market.tokens.tokens": (
        Edits(
            "tokens",
            {"market_cap_rank": "nullif(abs({steps}), 0)", "name": "chr(100 + {steps}) || r.name"},
            {"id": RANDOM, "coingecko_id": HASH, "symbol": SHORT},
            {"symbol": "symbol"},
            before="DELETE FROM tokens WHERE market_cap_rank > 24",
        ),
        Edits(
            "market_data",
            {
                "price_usd": "r.price_usd * (1 + abs({steps}))",
                "market_cap_usd": "r.market_cap_usd * (1 + abs({steps}))",
                "volume_24h_usd": "nullif(abs({steps}), 0)",
                "change_percentage_24h": "nullif({steps}, 0)",
            },
            {},
            {"symbol": "symbol"},
        ),
    ),
    "trading.portfolios.portfolios_by_user": (
        Edits("portfolios", near("created_at"), {"id": RANDOM, "is_default": "false"}),
    ),
    "trading.portfolios.positions_by_portfolio": (
        Edits(
            "positions",
            {"quantity": "r.quantity + 1 + abs({steps})"},
            {"symbol": SHORT},
            {name: name for name in ("portfolio_id", "symbol")},
        ),
    ),
    "trading.portfolios.value_points": (
        Edits(
            "portfolio_value_history",
            apart("at"),
            {"life": "r.life"},
            {name: name for name in ("portfolio_id", "resolution", "at")},
        ),
    ),
    "trading.journal.entries_by_portfolio": (
        Edits("journal_entries", near("created_at"), {"id": "(SELECT max(id) + 1 FROM journal_entries)"}),
    ),
    "trading.journal.lines_by_entry": (
        Edits(
            "journal_lines",
            {"line_no": unused("journal_lines", "line_no", "o.entry_id = r.entry_id")},
            {"amount": "r.amount"},
            {name: name for name in ("entry_id", "line_no")},
        ),
    ),
    # Postgres refuses to change the numbers of lots and disposals.
    "trading.journal.lots_by_portfolio": (
        Edits("lots", {}, {"id": RANDOM, "number": "(SELECT max(number) + 1 FROM lots)"}),
    ),
    "trading.journal.disposals_by_portfolio": (Edits("disposals", {}, {"id": "(SELECT max(id) + 1 FROM disposals)"}),),
    "trading.orders.orders_by_portfolio": (ORDERS,),
    "trading.orders.open_orders_by_user": (ORDERS,),
    "trading.orders.fills_by_order": (FILLS,),
    "trading.orders.fills_by_portfolio": (FILLS,),
    "trading.orders.trades_by_portfolio": (FILLS,),
    "trading.performance.performance_by_portfolio": (
        Edits(
            "performance_metrics",
            apart("period_start"),
            {"life": "r.life"},
            {name: name for name in ("portfolio_id", "period", "period_start")},
            # A row of the list is all metrics of a period.
            "DELETE FROM performance_metrics WHERE metric_type <> 'gain'",
        ),
    ),
    "trading.analytics.analytics_events_by_user": (Edits("user_analytics", near("created_at"), {"id": RANDOM}),),
    "trading.analytics.analytics_counts": (
        Edits(
            "analytics_counts",
            {"events": "r.events + abs({steps})"},
            {"id": "(SELECT max(id) + 1 FROM analytics_counts)", "event_type": SHORT},
        ),
    ),
    "trading.orders.halts": (Edits("trading_halts", near("created_at"), {"id": RANDOM, "symbol": SHORT}),),
    "market.watchlist.watchlist_by_user": (
        Edits(
            "watchlist_items",
            {"rank": "r.rank + 3 * {fraction}"},
            {"id": RANDOM, "symbol": HASH, "position": unused("watchlist_items", "position", "o.user_id = r.user_id")},
        ),
    ),
}
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


async def reader_of(name: str, filled: World, database: Database, owner: Owner) -> Reader:
    """Of the longest of the lists of this name."""
    loader, request = LISTS[name], page_request(LISTS[name], 1000, filters=CHOICES.get(name))
    keys = [row[0] for row in await owner.fetch((KEYS | OWN_KEYS)[name])] if loader.is_keyed else [None]
    scopes = [filled.viewers[person].scope for person in ("admin", "alice")]
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
    editor = Editor(owner, edits, chance, reader.scope.user_id)
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
