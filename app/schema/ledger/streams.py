"""What can be watched on the chain."""

import base64
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Annotated

import strawberry

from app.domains.ledger import loaders
from app.domains.ledger.services.connect import CHAIN_STREAM, wallet_stream
from app.engine.cursors import Cursor
from app.engine.relations import related
from app.kit.errors import NotFound
from app.kit.events import Event
from app.schema.context import Info
from app.schema.ledger.types import Block, Transaction, Wallet
from app.schema.scalars import Hash

WalletId = Annotated[
    Hash | None, strawberry.argument(description="The viewer's own `walletId`; null stands for it as well.")
]
TRANSACTION_KINDS = {"transaction.pending", "transaction.confirmed", "transaction.failed"}
BALANCE_KINDS = {"transaction.pending", "transaction.failed", "balance.changed"}


def cursor_of(event: Event) -> Cursor:
    """The place of a fact in its stream, opaque."""
    return Cursor(base64.urlsafe_b64encode(f"{event.stream}:{event.seq}".encode()).rstrip(b"=").decode())


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


async def _own_wallet_id(info: Info, wallet_id: str | None) -> str:
    viewer = info.context.require_viewer()
    wallet = await info.context.reads.one(loaders.wallet_by_user, viewer.user_id)
    if wallet is None or wallet_id not in (None, wallet.wallet_id):
        raise NotFound
    return wallet.wallet_id


@strawberry.type(description="What can be watched on the chain.")
class LedgerSubscription:
    """What can be watched on the chain."""

    @strawberry.subscription(description="Each block as it is connected, in order. Public.")
    async def new_block(self, info: Info) -> AsyncGenerator[BlockEvent, None]:
        """Each block as it is connected."""
        async with info.context.hub.listen(CHAIN_STREAM) as listener:
            async for event in listener:
                if event.kind == "block.connected":
                    yield BlockEvent(cursor=cursor_of(event), block_hash=event.payload["hash"])

    @strawberry.subscription(
        description="Transactions from or to the viewer's wallet, as they are accepted, confirmed, or fail."
    )
    async def transaction_updates(
        self, info: Info, wallet_id: WalletId = None
    ) -> AsyncGenerator[TransactionEvent, None]:
        """Transactions from or to the viewer's wallet."""
        stream = wallet_stream(await _own_wallet_id(info, wallet_id))
        async with info.context.hub.listen(stream) as listener:
            async for event in listener:
                if event.kind in TRANSACTION_KINDS:
                    yield TransactionEvent(cursor=cursor_of(event), transaction_hash=event.payload["hash"])

    @strawberry.subscription(
        description="The balance of the viewer's wallet whenever it, or what is on the way, may have changed."
    )
    async def wallet_balance(self, info: Info, wallet_id: WalletId = None) -> AsyncGenerator[WalletBalanceEvent, None]:
        """The balance of the viewer's wallet."""
        own_wallet_id = await _own_wallet_id(info, wallet_id)
        async with info.context.hub.listen(wallet_stream(own_wallet_id)) as listener:
            async for event in listener:
                if event.kind in BALANCE_KINDS:
                    yield WalletBalanceEvent(cursor=cursor_of(event), wallet_id=own_wallet_id)
