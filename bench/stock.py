"""The comparison with Moneta: the same graph on stock Strawberry, as its documentation recommends.

Types are dataclasses, relations are methods that ask a `DataLoader` of the request's context, the view is Strawberry's
own for ASGI, the database is asyncpg's pool with its defaults. Names and shapes are Moneta's, so that one document
runs on both. Run by `python -m bench.stock`; `BENCH_STOCK_CACHES=1` adds Strawberry's parser and validation caches,
which are optional extensions.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import asyncpg
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

TRANSACTION_COLUMNS = "transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status"
BLOCK_COLUMNS = (
    "height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id, "
    "miner_reward, fees, transaction_count, size_bytes"
)

TOKEN_COLUMNS = (
    "t.symbol, t.name, t.coingecko_id, t.market_cap_rank, m.price_usd, m.market_cap_usd, m.volume_24h_usd, "
    "m.change_percentage_24h::float8, m.high_24h AS high_24h_usd, m.last_updated AS quoted_at"
)


class Context:
    """What one request's resolvers share: the pool, and a loader for each relation."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.pool = pool
        self.wallets: DataLoader[str, Wallet] = DataLoader(load_fn=self._load_wallets)
        self.users: DataLoader[UUID, User] = DataLoader(load_fn=self._load_users)
        self.transactions: DataLoader[tuple[int, int], list[Transaction]] = DataLoader(load_fn=self._load_transactions)

    async def _load_wallets(self, ids: list[str]) -> list[Wallet]:
        rows = await self.pool.fetch("SELECT wallet_id, user_id FROM wallets WHERE wallet_id = ANY($1::text[])", ids)
        found = {row["wallet_id"]: Wallet(wallet_id=row["wallet_id"], user_id=row["user_id"]) for row in rows}
        return [found[id] for id in ids]

    async def _load_users(self, ids: list[UUID]) -> list[User]:
        rows = await self.pool.fetch(
            "SELECT user_id, display_name FROM display_names WHERE user_id = ANY($1::uuid[])", ids
        )
        found = {
            row["user_id"]: User(id=strawberry.ID(str(row["user_id"])), display_name=row["display_name"])
            for row in rows
        }
        return [found[id] for id in ids]

    async def _load_transactions(self, keys: list[tuple[int, int]]) -> list[list[Transaction]]:
        rows = await self.pool.fetch(
            f"""
            SELECT k.height, {TRANSACTION_COLUMNS}
            FROM unnest($1::integer[], $2::integer[]) AS k (height, first)
            CROSS JOIN LATERAL (
                SELECT {TRANSACTION_COLUMNS} FROM transactions t
                WHERE t.block_height = k.height ORDER BY t.block_position LIMIT k.first
            ) t
            """,
            [height for height, _ in keys],
            [first for _, first in keys],
        )
        found: defaultdict[int, list[Transaction]] = defaultdict(list)
        for row in rows:
            found[row["height"]].append(transaction_from_row(row))
        return [found[height] for height, _ in keys]


Info: TypeAlias = strawberry.Info[Context, None]


@strawberry.type
class User:
    id: strawberry.ID
    display_name: str


@strawberry.type
class Wallet:
    wallet_id: str
    user_id: strawberry.Private[UUID]

    @strawberry.field
    async def owner(self, info: Info) -> User:
        return await info.context.users.load(self.user_id)


@strawberry.type
class Transaction:
    hash: str
    sender_wallet_id: strawberry.Private[str | None]
    recipient_wallet_id: strawberry.Private[str]
    amount: Decimal
    fee: Decimal
    memo: str
    timestamp: datetime
    status: str

    @strawberry.field
    async def sender(self, info: Info) -> Wallet | None:
        if self.sender_wallet_id is None:
            return None
        return await info.context.wallets.load(self.sender_wallet_id)

    @strawberry.field
    async def recipient(self, info: Info) -> Wallet:
        return await info.context.wallets.load(self.recipient_wallet_id)


@strawberry.type
class TransactionConnection:
    nodes: list[Transaction]


@strawberry.type
class Block:
    height: int
    hash: str
    previous_hash: str
    version: int
    merkle_root: str
    mined_at: datetime
    difficulty: int
    nonce: str
    miner_wallet_id: strawberry.Private[str]
    miner_reward: Decimal
    fees: Decimal
    transaction_count: int
    size_bytes: int

    @strawberry.field
    async def miner(self, info: Info) -> Wallet:
        return await info.context.wallets.load(self.miner_wallet_id)

    @strawberry.field
    async def transactions(self, info: Info, first: int = 20) -> TransactionConnection:
        return TransactionConnection(nodes=await info.context.transactions.load((self.height, first)))


@strawberry.type
class BlockConnection:
    nodes: list[Block]


@strawberry.input
class BlockBy:
    height: int


@strawberry.type
class Token:
    symbol: str
    name: str
    coingecko_id: str
    market_cap_rank: int | None
    price_usd: Decimal | None
    market_cap_usd: Decimal | None
    volume_24h_usd: Decimal | None
    change_percentage_24h: float | None
    high_24h_usd: Decimal | None
    quoted_at: datetime | None


@strawberry.input
class TokenBy:
    symbol: str


def block_from_row(row: asyncpg.Record) -> Block:
    return Block(
        height=row["height"],
        hash=row["block_hash"],
        previous_hash=row["previous_hash"],
        version=row["version"],
        merkle_root=row["merkle_root"],
        mined_at=row["timestamp"],
        difficulty=row["difficulty"],
        nonce=str(row["nonce"]),
        miner_wallet_id=row["miner_wallet_id"],
        miner_reward=row["miner_reward"],
        fees=row["fees"],
        transaction_count=row["transaction_count"],
        size_bytes=row["size_bytes"],
    )


def transaction_from_row(row: asyncpg.Record) -> Transaction:
    return Transaction(
        hash=row["transaction_hash"],
        sender_wallet_id=row["sender_wallet_id"],
        recipient_wallet_id=row["recipient_wallet_id"],
        amount=row["amount"],
        fee=row["fee"],
        memo=row["memo"],
        timestamp=row["timestamp"],
        status=row["status"].upper(),
    )


@strawberry.type
class Query:
    @strawberry.field
    async def token(self, info: Info, by: TokenBy) -> Token | None:
        row = await info.context.pool.fetchrow(
            f"SELECT {TOKEN_COLUMNS} FROM tokens t LEFT JOIN market_data m ON m.symbol = t.symbol WHERE t.symbol = $1",
            by.symbol.upper(),
        )
        return None if row is None else Token(**row)

    @strawberry.field
    async def block(self, info: Info, by: BlockBy) -> Block | None:
        row = await info.context.pool.fetchrow(f"SELECT {BLOCK_COLUMNS} FROM blocks WHERE height = $1", by.height)
        return None if row is None else block_from_row(row)

    @strawberry.field
    async def blocks(self, info: Info, first: int = 20) -> BlockConnection:
        rows = await info.context.pool.fetch(f"SELECT {BLOCK_COLUMNS} FROM blocks ORDER BY height DESC LIMIT $1", first)
        return BlockConnection(nodes=[block_from_row(row) for row in rows])


class App(GraphQL[Context, None]):
    """Strawberry's view, with loaders for each request."""

    pool: asyncpg.Pool[asyncpg.Record]

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return Context(self.pool)


def build_app(database_url: str, *, caches: bool) -> Starlette:
    """The stock application."""
    extensions: list[type[SchemaExtension]] = [ParserCache, ValidationCache] if caches else []
    graphql = App(strawberry.Schema(query=Query, extensions=extensions))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=2, max_size=16) as pool:
            graphql.pool = pool
            yield

    return Starlette(routes=[Route("/graphql", graphql)], lifespan=lifespan)


def main() -> None:
    """Serves it in the usual way: uvicorn, uvloop, httptools, no access log."""
    uvicorn.run(
        build_app(os.environ["BENCH_DATABASE_URL"], caches=os.environ.get("BENCH_STOCK_CACHES") == "1"),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
