"""Transactions, what they spend and what they make."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.proof import InclusionProof as InclusionProofRecord
from app.domains.ledger.proof import inclusion_proof
from app.domains.ledger.rules.merkle import MAX_BRANCH_NODES
from app.domains.ledger.rules.transaction import MAX_INPUTS, MAX_OUTPUTS
from app.engine.audience import computed_for
from app.engine.limits.extra import holds
from app.engine.nodes import Node, node_type, record_type
from app.engine.relations import listed, related
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.ledger.blocks import Block, tip_height
from app.schema.ledger.enums import TransactionStatus
from app.schema.ledger.ids import parse_hash
from app.schema.scalars import Hash

if TYPE_CHECKING:
    from app.schema.ledger.wallets import Wallet


@record_type(
    model.Output,
    description="An amount that a transaction gives to a wallet, until another transaction spends it as an input.",
)
class Output:
    """An amount that a transaction gives to a wallet."""

    output_index: int = strawberry.field(description="Its place among the transaction's outputs, from 0 to 255.")
    amount: Decimal = strawberry.field(description="In coins.")
    is_coinbase: bool = strawberry.field(description="Whether it is a miner's reward, spendable once mature.")
    is_change: bool = strawberry.field(description="Whether it returns to the sender.")
    block_height: int | None = strawberry.field(description="Height of its block; null while unconfirmed.")
    spent_input_index: int | None = strawberry.field(
        description="Its place among the inputs of `spentBy`, from 0; null while unspent."
    )
    transaction: "Transaction" = related(
        loaders.transaction_by_hash, key="transaction_hash", description="The transaction that made it."
    )
    wallet: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="wallet_id", description="Who may spend it."
    )
    spent_by: "Transaction | None" = related(
        loaders.transaction_by_hash,
        key="spent_in_tx_hash",
        description="The transaction that spends it, pending ones included; null while unspent.",
    )


@record_type(
    InclusionProofRecord,
    description="Proof that a transaction is in a block, which `python -m app verify-proof` checks offline.",
)
class InclusionProof:
    """Proof that a transaction is in a block."""

    transaction_hash: Hash = strawberry.field(description="Hash of the transaction: the leaf.")
    block_hash: Hash = strawberry.field(description="Hash of the block.")
    block_height: int = strawberry.field(description="Height of the block.")
    merkle_root: Hash = strawberry.field(description="Root of the block's merkle tree; part of the header.")
    header: str = strawberry.field(description="The block's header, 92 bytes in hex: its double SHA-256 is the hash.")
    index: int = strawberry.field(description="Place of the transaction in the block, from 0.")
    branch: list[Hash] = strawberry.field(
        metadata=holds(MAX_BRANCH_NODES),
        description="Hashes to combine with the transaction's own, from the leaves up. Bit k of `index` says on which"
        f" side the k-th stands: 0 right, 1 left. At most {MAX_BRANCH_NODES}.",
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


@node_type(
    by=loaders.transaction_by_hash,
    parse=parse_hash,
    description="A payment, or the coinbase of a block. Public. Amounts are in coins.",
)
class Transaction(Node):
    """A payment, or the coinbase of a block."""

    transaction_hash: Hash = strawberry.field(
        name="hash", description="SHA-256 of the canonical encoding, without the signature."
    )
    amount: Decimal = strawberry.field(description="What the recipient gets: the sum of the outputs but the change.")
    fee: Decimal = strawberry.field(description="What the miner gets; 0 for a coinbase.")
    memo: str = strawberry.field(description="Public text, at most 256 bytes of UTF-8; empty: none.")
    timestamp: datetime = strawberry.field(description="When it was made, by the sender's clock, in milliseconds.")
    status: TransactionStatus = strawberry.field(description="Where it stands.")
    failure_reason: str | None = strawberry.field(description="Why it failed; null unless it did.")
    size_bytes: int = strawberry.field(description="What it takes in a block, signature included, in bytes.")
    block_height: int | None = strawberry.field(description="Height of its block; null unless confirmed.")
    block_position: int | None = strawberry.field(
        description="Place in its block, from 0, the coinbase's; null unless confirmed."
    )
    confirmations: int = strawberry.field(
        resolver=_confirmations,
        metadata=computed_for(Audience.PUBLIC),
        description="Blocks from its own to the tip, both counted; 0 unless confirmed.",
    )
    sender: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] | None = related(
        loaders.wallet_by_id, key="sender_wallet_id", description="The wallet that pays; null for a coinbase."
    )
    recipient: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="recipient_wallet_id", description="The wallet that is paid."
    )
    block: Block | None = related(
        loaders.block_by_height, key="block_height", description="Its block; null unless confirmed."
    )
    inputs: list[Output] = listed(
        loaders.inputs_by_transaction,
        key="transaction_hash",
        most=MAX_INPUTS,
        description=f"The outputs that it spends, at most {MAX_INPUTS}; none for a coinbase, and released by a failed"
        " one.",
    )
    outputs: list[Output] = listed(
        loaders.outputs_by_transaction,
        key="transaction_hash",
        most=MAX_OUTPUTS,
        description=f"The outputs that it makes, at most {MAX_OUTPUTS}; a failed one has none.",
    )
    inclusion_proof: InclusionProof | None = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_inclusion_proof,
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=InclusionProof | None,
        description="Proof that it is in its block; null unless confirmed.",
    )
