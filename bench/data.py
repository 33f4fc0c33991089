"""The databases that are measured: kept in bench/.work between runs, made again when a table or the chain changes."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
from rich.progress import Progress

from app.domains.market.providers.rules.profiles import base_quotes
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.market.tokens.services.bundled import TOKENS_FILE, bundled_listings
from app.kit.migrate import MIGRATIONS, migrate
from bench import chain as chain_module
from bench.chain import BLOCKS, Chain, Row

TOKENS: Final = len(bundled_listings())
READ_DATABASE: Final = "bench_read"
_BATCH = 20_000
_SOURCES = (Path(__file__), Path(chain_module.__file__), TOKENS_FILE, *sorted((MIGRATIONS / "versions").glob("*.sql")))


def in_database(url: str, name: str) -> str:
    """The same server, another database."""
    return f"{url.rpartition('/')[0]}/{name}"


async def fresh_database(url: str, name: str) -> str:
    """An empty migrated database; one of that name is dropped first. `url` is the owner's."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {name}")
    finally:
        await owner.close()
    await migrate(in_database(url, name))
    return in_database(url, name)


async def read_database(url: str, progress: Progress) -> str:
    """The database with the synthetic chain; filled when it is absent or was filled by other code."""
    fingerprint = sha256(b"".join(source.read_bytes() for source in _SOURCES)).hexdigest()
    owner = await asyncpg.connect(url)
    try:
        known = await owner.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", READ_DATABASE
        )
        if known == fingerprint:
            return in_database(url, READ_DATABASE)
        address = await fresh_database(url, READ_DATABASE)
        await _fill(address, progress)
        # Written last: a fill that was interrupted leaves no mark.
        await owner.execute(f"COMMENT ON DATABASE {READ_DATABASE} IS '{fingerprint}'")
        return address
    finally:
        await owner.close()


async def _fill(url: str, progress: Progress) -> None:
    made = progress.add_task("Making the chain", total=BLOCKS)
    chain = Chain()
    blocks = []
    for block in chain.blocks():
        blocks.append(block)
        progress.advance(made)
    connection = await asyncpg.connect(url, command_timeout=300)
    try:
        copy = _copier(connection, progress)
        await copy("users", "id email full_name password_hash is_verified", _users(chain))
        await copy("display_names", "user_id display_name", _display_names(chain))
        await copy("wallets", "wallet_id user_id public_key custody created_at", chain.wallets)
        await copy("wallet_balances", "wallet_id user_id balance updated_at", list(chain.balances()))
        await copy(
            "blocks",
            "id height block_hash previous_hash version merkle_root timestamp difficulty nonce miner_wallet_id "
            "miner_reward fees transaction_count size_bytes",
            blocks,
        )
        await copy(
            "transactions",
            "transaction_hash sender_wallet_id recipient_wallet_id amount fee memo timestamp signature encoding "
            "size_bytes status block_id block_height block_position",
            chain.transactions,
        )
        await copy(
            "utxos",
            "transaction_hash output_index wallet_id amount is_coinbase is_change block_height spent_in_tx_hash "
            "spent_input_index",
            list(chain.output_rows()),
        )
        await copy(
            "blockchain_info",
            "network coinbase_maturity tip_hash tip_height circulating_coins total_transactions total_blocks "
            "current_difficulty average_block_time halving_height current_halving_number",
            [chain.info()],
        )
        await copy("tokens", "coingecko_id symbol name market_cap_rank", _tokens())
        await copy(
            "market_data",
            "symbol exchange price_usd price_aud volume_24h_usd volume_24h_aud change_24h change_percentage_24h "
            "market_cap_usd market_cap_aud high_24h low_24h last_updated",
            _quotes(),
        )
        await connection.execute("VACUUM (ANALYZE)")
        # So that the dirty pages of the fill are not written while measuring.
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _tokens() -> list[Row]:
    return [(each.coingecko_id, each.symbol, each.name, each.market_cap_rank) for each in bundled_listings()]


def _quotes() -> list[Row]:
    quotes = map(msgspec.structs.astuple, base_quotes(bundled_listings(), datetime(2026, 11, 21, tzinfo=UTC)))
    return [(symbol, SIMULATED, *rest, at) for symbol, at, *rest in quotes]


def _copier(connection: "asyncpg.Connection[asyncpg.Record]", progress: Progress) -> Callable[..., Any]:
    async def copy(table: str, columns: str, rows: list[Row]) -> None:
        task = progress.add_task(f"Filling {table}", total=len(rows))
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            await connection.copy_records_to_table(table, records=batch, columns=columns.split())
            progress.advance(task, len(batch))

    return copy


def _users(chain: Chain) -> list[Row]:
    return [
        (user_id, f"user{number}@example.com", f"User {number}", "-", True)
        for number, user_id in enumerate(chain.user_ids)
    ]


def _display_names(chain: Chain) -> list[Row]:
    return [(user_id, f"User {number}") for number, user_id in enumerate(chain.user_ids)]
