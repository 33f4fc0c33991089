"""Public data is the same for all callers; a user's own data is read as that user."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domains.market.prices.model import Interval
from app.kit.db import PUBLIC, Database, Scope
from app.kit.events import positions_by_stream
from app.kit.lists import page_request
from app.kit.loaders import Audience, Many, One, Page
from app.kit.reads import Reads
from app.kit.snapshots import SnapshotMode
from tests.databases import Owner
from tests.graph.world import World
from tests.statements import loaders_of_houses

USERS = "SELECT id FROM users"
WALLETS = "SELECT wallet_id FROM wallets"
HEIGHTS = "SELECT height FROM blocks"
TRANSACTIONS = "SELECT transaction_hash FROM transactions"
SYMBOLS = "SELECT symbol FROM tokens WHERE market_cap_rank <= 20"
ARTICLES = "SELECT id FROM news_articles"

KEYS: dict[str, str] = {
    "accounts.user_by_id": USERS,
    "ledger.wallet_by_id": WALLETS,
    "ledger.wallet_by_user": USERS,
    "ledger.block_by_id": "SELECT id FROM blocks",
    "ledger.block_by_hash": "SELECT block_hash FROM blocks",
    "ledger.block_by_previous_hash": "SELECT previous_hash FROM blocks",
    "ledger.block_by_height": HEIGHTS,
    "ledger.blocks_by_miner": WALLETS,
    "ledger.transaction_by_hash": TRANSACTIONS,
    "ledger.transactions_by_block": HEIGHTS,
    "ledger.leaves_by_height": HEIGHTS,
    "ledger.transactions_by_wallet": WALLETS,
    "ledger.outputs_by_transaction": TRANSACTIONS,
    "ledger.inputs_by_transaction": TRANSACTIONS,
    "ledger.chain_states": "SELECT true",
    "market.tokens.token_by_symbol": SYMBOLS,
    "market.tokens.token_by_coingecko_id": "SELECT coingecko_id FROM tokens WHERE market_cap_rank <= 20",
    "market.prices.candles_by_token": "SELECT DISTINCT symbol FROM candles",
    "market.prices.prices_by_token": "SELECT DISTINCT symbol FROM price_history",
    "market.news.article_by_id": ARTICLES,
    "market.news.content_by_article": ARTICLES,
    "market.news.tokens_by_article": ARTICLES,
    "market.news.news_by_symbol": SYMBOLS,
    "system.system_settings": "SELECT true",
    "events.positions_by_stream": "SELECT stream FROM event_streams",
}
"""Where the keys of each public loader that has some are."""

PARAMETERS: dict[str, dict[str, Any]] = {"market.prices.candles_by_token": {"interval": Interval.ONE_MINUTE}}
"""What the statements of public lists need."""

LOADERS: dict[str, Any] = {"events.positions_by_stream": positions_by_stream[Audience.PUBLIC]} | {
    name: loader for name, loader in loaders_of_houses().items() if loader.audience is Audience.PUBLIC
}


def test_every_loader_that_has_keys_is_here() -> None:
    keyed = {name for name, loader in LOADERS.items() if not isinstance(loader, Page) or loader.is_keyed}
    assert keyed == set(KEYS)


@pytest.mark.parametrize("name", LOADERS)
async def test_a_public_loader_gives_everybody_the_same(
    name: str, world: World, database: Database, owner: Owner
) -> None:
    loader = LOADERS[name]
    keys = [row[0] for row in await owner.fetch(KEYS[name])] if name in KEYS else [None]
    assert keys

    async def loaded(scope: Scope, mode: SnapshotMode) -> list[Any]:
        reads = Reads(database, scope)
        reads.snapshot_mode = mode
        load: Callable[[Any], Any]
        match loader:
            case One():
                load = lambda key: reads.one(loader, key)  # noqa: E731
            case Many():
                load = lambda key: reads.many(loader, key)  # noqa: E731
            case _:
                request = page_request(loader, 50, filters=PARAMETERS.get(name))
                load = lambda key: reads.page(loader, key, request)  # noqa: E731
        try:
            return [await each for each in [load(key) for key in keys]]
        finally:
            await reads.aclose()

    as_nobody = await loaded(PUBLIC, SnapshotMode.AS_DECLARED)
    # A test of nothing would pass as well.
    assert any(getattr(each, "records", each) for each in as_nobody)
    for person in ("alice", "admin"):
        for mode in SnapshotMode:
            assert await loaded(world.viewers[person].scope, mode) == as_nobody, (person, mode)
