"""What can be watched on the chain."""

from decimal import Decimal
from typing import Annotated

import strawberry

from app.domains.ledger import loaders
from app.domains.ledger.services.connect import CHAIN_STREAM, wallet_of, wallet_stream
from app.domains.ledger.services.miner import MINING_TOPIC, SLICE_S
from app.engine.cursors import Cursor
from app.engine.relations import related
from app.engine.streams.declaring import durable, volatile
from app.kit.errors import NotFound
from app.kit.events import Event
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.schema.context import Info
from app.schema.ledger.types import Block, Transaction, Wallet
from app.schema.scalars import BigInt, Hash

WalletId = Annotated[
    Hash | None, strawberry.argument(description="The viewer's own `walletId`; null stands for it as well.")
]
BLOCK_KIND = "block.connected"
TRANSACTION_KINDS = {"transaction.pending", "transaction.confirmed", "transaction.failed"}
BALANCE_KINDS = {"transaction.pending", "transaction.failed", "balance.changed"}


@strawberry.type(description="A block was connected.")
class BlockEvent:
    """A block was connected."""

    cursor: Cursor = strawberry.field(description="Place in the stream of blocks.")
    block_hash: strawberry.Private[str]
    block: Block = related(loaders.block_by_hash, key="block_hash", description="The new tip.")


@strawberry.type(description="A transaction from or to the wallet was accepted, confirmed, or failed.")
class TransactionEvent:
    """A transaction was accepted, confirmed, or failed."""

    cursor: Cursor = strawberry.field(description="Place in the wallet's stream.")
    transaction_hash: strawberry.Private[str]
    transaction: Transaction = related(
        loaders.transaction_by_hash, key="transaction_hash", description="The transaction as it stands now."
    )


async def _balance(root: "WalletBalanceEvent", info: Info) -> Decimal:
    row = await info.context.reads.one(loaders.balance_by_wallet, root.wallet_id)
    if row is None:
        raise NotFound
    return row.balance


@strawberry.type(description="The wallet's balance, or its coins on the way, may have changed.")
class WalletBalanceEvent:
    """The wallet's balance, or its coins on the way, may have changed."""

    cursor: Cursor = strawberry.field(description="Place in the wallet's stream.")
    wallet_id: strawberry.Private[str]
    balance: Decimal = strawberry.field(resolver=_balance, description="Coins that can be spent now.")
    wallet: Wallet = related(loaders.wallet_by_id, key="wallet_id", description="The wallet.")


@strawberry.type(description="A search for the next block, as it stands. Volatile: only the newest state is told.")
class MiningProgress:
    """A search for the next block."""

    height: int = strawberry.field(description="Height that the block will have.")
    difficulty: int = strawberry.field(description="Leading zero bits that its hash must have, 1 to 255.")
    transaction_count: int = strawberry.field(description="Transactions that it will hold, the coinbase among them.")
    hashes: BigInt = strawberry.field(description="Hashes tried on this template; 2^difficulty are needed on average.")
    hashes_per_second: int = strawberry.field(description="Hashes a second that the miner tries.")
    miner_wallet_id: strawberry.Private[str]
    miner: Wallet = related(loaders.wallet_by_id, key="miner_wallet_id", description="The wallet that mines.")


async def _own_wallet_id(info: Info, wallet_id: str | None) -> str:
    viewer = info.context.require_viewer()
    wallet = await info.context.reads.one(loaders.wallet_by_user, viewer.user_id)
    if wallet is None or wallet_id not in (None, wallet.wallet_id):
        raise NotFound
    return wallet.wallet_id


def _block_event(event: Event, cursor: Cursor) -> BlockEvent | None:
    if event.kind != BLOCK_KIND:
        return None
    return BlockEvent(cursor=cursor, block_hash=event.payload["hash"])


def _transaction_event(event: Event, cursor: Cursor) -> TransactionEvent | None:
    if event.kind not in TRANSACTION_KINDS:
        return None
    return TransactionEvent(cursor=cursor, transaction_hash=event.payload["hash"])


def _balance_event(event: Event, cursor: Cursor) -> WalletBalanceEvent | None:
    if event.kind not in BALANCE_KINDS:
        return None
    return WalletBalanceEvent(cursor=cursor, wallet_id=wallet_of(event.stream))


def _mining_progress(latest: Latest, _: object) -> MiningProgress:
    search = latest.payload
    return MiningProgress(
        height=search["height"],
        difficulty=search["difficulty"],
        transaction_count=search["transactions"],
        hashes=search["hashes"],
        hashes_per_second=search["hashes_per_s"],
        miner_wallet_id=latest.key,
    )


@strawberry.type(description="What can be watched on the chain.")
class LedgerSubscription:
    """What can be watched on the chain."""

    @durable(
        BlockEvent,
        payload=_block_event,
        audience=Audience.PUBLIC,
        per_s=0.5,
        description="Each block as it is connected, in order. Public.",
    )
    async def new_block(self) -> str:
        """Each block as it is connected."""
        return CHAIN_STREAM

    @durable(
        TransactionEvent,
        payload=_transaction_event,
        per_s=1.0,
        description="Transactions from or to the viewer's wallet, as they are accepted, confirmed, or fail.",
    )
    async def transaction_updates(self, info: Info, wallet_id: WalletId = None) -> str:
        """Transactions from or to the viewer's wallet."""
        return wallet_stream(await _own_wallet_id(info, wallet_id))

    @durable(
        WalletBalanceEvent,
        payload=_balance_event,
        per_s=1.0,
        description="The balance of the viewer's wallet whenever it, or what is on the way, may have changed.",
    )
    async def wallet_balance(self, info: Info, wallet_id: WalletId = None) -> str:
        """The balance of the viewer's wallet."""
        return wallet_stream(await _own_wallet_id(info, wallet_id))

    @volatile(
        MiningProgress,
        payload=_mining_progress,
        audience=Audience.PUBLIC,
        per_s=1 / SLICE_S,
        description="The miners' searches for the next block: the latest state of each at once, then whenever it has "
        "changed, as often as you can read. A state that was passed over is not told later. Public.",
    )
    async def mining_progress(self) -> str:
        """The miners' searches for the next block."""
        return MINING_TOPIC
