"""Transactions, with the outputs that they spend and create."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.model import MAX_BRANCH_NODES, MAX_INPUTS, MAX_OUTPUTS
from app.domains.ledger.proof import InclusionProof as InclusionProofRecord
from app.domains.ledger.proof import inclusion_proof
from app.domains.ledger.streams import wallet_stream
from app.engine.declarations.audience import computed_for
from app.engine.declarations.costs import holds
from app.engine.declarations.cursors import Cursor
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.relations import listed, related
from app.engine.declarations.subscriptions import durable
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.ledger.blocks import Block, tip_height
from app.schema.ledger.ids import OwnWalletId, own_wallet_id, parse_hash
from app.schema.scalars import Hash

if TYPE_CHECKING:
    from app.schema.ledger.wallets import Wallet

TRANSACTION_KINDS = {"transaction.pending", "transaction.confirmed", "transaction.failed"}

declare_enum(
    model.TransactionStatus,
    PENDING="The transaction was accepted and waits in the mempool for a block.",
    CONFIRMED="The transaction is in a block.",
    FAILED="The transaction did not get into a block. The outputs that it meant to spend can be spent again.",
)


@record_type(model.Output)
class TransactionOutput:
    """An amount that a transaction pays to a wallet, until another transaction spends it as an input."""

    output_index: int = strawberry.field(description="The position among the transaction's outputs, from 0 to 255.")
    amount: Decimal = strawberry.field(description="The amount in coins.")
    is_coinbase: bool = strawberry.field(
        description="Whether the output is a miner's reward, which can be spent once mature."
    )
    is_change: bool = strawberry.field(description="Whether the output returns to the sender.")
    block_height: int | None = strawberry.field(description="The height of the block. Null while unconfirmed.")
    spent_input_index: int | None = strawberry.field(
        description="The position among the inputs of `spentBy`, from 0. Null while unspent."
    )
    transaction: "Transaction" = related(
        loaders.transaction_by_hash, key="transaction_hash", description="The transaction that created the output."
    )
    wallet: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="wallet_id", description="The wallet that can spend the output."
    )
    spent_by: "Transaction | None" = related(
        loaders.transaction_by_hash,
        key="spent_in_tx_hash",
        description="The transaction, possibly still pending, that spends the output. Null while unspent.",
    )


@record_type(InclusionProofRecord)
class InclusionProof:
    """A proof that a transaction is in a block. `python -m app verify-proof` checks it offline."""

    transaction_hash: Hash = strawberry.field(description="The hash of the transaction: the leaf.")
    block_hash: Hash = strawberry.field(description="The hash of the block.")
    block_height: int = strawberry.field(description="The height of the block.")
    merkle_root: Hash = strawberry.field(description="The root of the block's merkle tree, which the header contains.")
    header: str = strawberry.field(
        description="The block's header, 92 bytes in hex. Its double SHA-256 is the block's hash."
    )
    index: int = strawberry.field(description="The position of the transaction in the block, from 0.")
    branch: list[Hash] = strawberry.field(
        metadata=holds(MAX_BRANCH_NODES),
        description="The hashes to combine with the transaction's own, from the leaves up. Bit k of `index` is the side"
        f" of the k-th hash: 0 is right, 1 is left. At most {MAX_BRANCH_NODES}.",
    )


async def _confirmations(root: model.Transaction, info: Info) -> int:
    if root.block_height is None:
        return 0
    tip = await tip_height(info)
    # The tip is read apart from the transaction, so its block may be newer.
    return max((tip or 0) - root.block_height, 0) + 1


async def _inclusion_proof(root: model.Transaction, info: Info) -> InclusionProofRecord | None:
    if root.block_height is None or root.block_position is None:
        return None
    reads = info.context.reads
    block, leaves = await asyncio.gather(
        reads.one(loaders.block_by_height, root.block_height), reads.one(loaders.leaves_by_height, root.block_height)
    )
    return None if block is None or leaves is None else inclusion_proof(block, leaves, root.block_position)


@node_type(by=loaders.transaction_by_hash, parse=parse_hash)
class Transaction(Node):
    """A payment, or the coinbase of a block. Public. Amounts are in coins."""

    transaction_hash: Hash = strawberry.field(
        name="hash", description="The SHA-256 of the canonical encoding without the signature."
    )
    amount: Decimal = strawberry.field(
        description="The amount that the recipient receives, in coins: the sum of the outputs without the change."
    )
    fee: Decimal = strawberry.field(description="The fee that the miner receives, in coins; 0 for a coinbase.")
    memo: str = strawberry.field(description="A public text of at most 256 bytes in UTF-8; empty if there is none.")
    timestamp: datetime = strawberry.field(
        name="createdAt", description="When the transaction was created, by the sender's clock, in milliseconds."
    )
    status: model.TransactionStatus = strawberry.field(description="The status of the transaction.")
    failure_reason: str | None = strawberry.field(
        description="Why the transaction failed. Null unless the status is FAILED."
    )
    size_bytes: int = strawberry.field(description="The size in a block in bytes, including the signature.")
    block_height: int | None = strawberry.field(description="The height of the block. Null unless confirmed.")
    block_position: int | None = strawberry.field(
        description="The position in the block; 0 is the coinbase. Null unless confirmed."
    )
    confirmations: int = strawberry.field(
        resolver=_confirmations,
        metadata=computed_for(Audience.PUBLIC),
        description="The number of blocks from the transaction's own to the tip, including both; 0 unless confirmed.",
    )
    sender: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] | None = related(
        loaders.wallet_by_id, key="sender_wallet_id", description="The wallet that pays. Null for a coinbase."
    )
    recipient: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="recipient_wallet_id", description="The wallet that is paid."
    )
    block: Block | None = related(
        loaders.block_by_height,
        key="block_height",
        description="The block of the transaction. Null unless confirmed.",
    )
    inputs: list[TransactionOutput] = listed(
        loaders.inputs_by_transaction,
        key="transaction_hash",
        most=MAX_INPUTS,
        description=f"The outputs that the transaction spends, at most {MAX_INPUTS}. Empty for a coinbase, and for a"
        " failed transaction.",
    )
    outputs: list[TransactionOutput] = listed(
        loaders.outputs_by_transaction,
        key="transaction_hash",
        most=MAX_OUTPUTS,
        description=f"The outputs that the transaction creates, at most {MAX_OUTPUTS}. Empty for a failed transaction.",
    )
    inclusion_proof: InclusionProof | None = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_inclusion_proof,
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=InclusionProof | None,
        description="A proof that the transaction is in its block. Null unless confirmed.",
    )


@strawberry.type
class TransactionEvent:
    """A transaction from or to the wallet was accepted, was confirmed, or failed."""

    cursor: Cursor = strawberry.field(description="The position in the wallet's stream.")
    transaction_hash: strawberry.Private[str]
    transaction: Transaction = related(
        loaders.transaction_by_hash, key="transaction_hash", description="The transaction as it is now."
    )


def _transaction_event(event: Event, cursor: Cursor) -> TransactionEvent | None:
    if event.kind not in TRANSACTION_KINDS:
        return None
    return TransactionEvent(cursor=cursor, transaction_hash=event.payload["hash"])


@strawberry.type
class TransactionQuery:
    """A single transaction."""

    @strawberry.field(metadata=computed_for(Audience.PUBLIC), graphql_type=Transaction | None)
    async def transaction(
        self, info: Info, hash: Annotated[Hash, strawberry.argument(description="The hash of the transaction.")]
    ) -> model.Transaction | None:
        """A transaction, whether confirmed, pending or failed. Null if there is none."""
        return await info.context.reads.one(loaders.transaction_by_hash, hash)


@strawberry.type
class TransactionSubscription:
    """The stream of a wallet's transactions."""

    @durable(TransactionEvent, payload=_transaction_event, per_s=1.0)
    async def transaction_updates(self, info: Info, wallet_id: OwnWalletId = None) -> str:
        """Transactions from or to the viewer's wallet, each time one is accepted, is confirmed, or fails."""
        return wallet_stream(await own_wallet_id(info, wallet_id))
