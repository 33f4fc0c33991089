"""What can be asked of the ledger, and done."""

from typing import Annotated, Any

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.services.connect import CHAIN_STREAM
from app.engine.audience import computed_for
from app.engine.nodes import key_of
from app.engine.pages import Connection
from app.engine.problems import mutation
from app.engine.relations import paged
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.ledger import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.ledger.ids import wallet_id_of
from app.schema.ledger.inputs import (
    AddBeneficiaryInput,
    BlockBy,
    RemoveBeneficiaryInput,
    SubmitTransactionInput,
    TransferInput,
    UpdateBeneficiaryInput,
)
from app.schema.ledger.types import Beneficiary, Block, Chain, Transaction, Wallet
from app.schema.scalars import Hash


@strawberry.type(description="What can be read of the ledger.")
class LedgerQuery:
    """What can be read of the ledger."""

    blocks: Connection[Block] = paged(
        loaders.blocks, stream=lambda _: CHAIN_STREAM, description="The blocks of the chain, the newest first."
    )
    mempool: Connection[Transaction] = paged(
        loaders.mempool, description="Transactions that wait for a block, in the order of acceptance."
    )

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Chain | None,
        description="The chain as a whole; null before its first block.",
    )
    async def chain(self, info: Info) -> model.ChainState | None:
        """The chain as a whole."""
        states = await info.context.reads.many(loaders.chain_states, True)
        return states[0] if states else None

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Block | None,
        description="One block; null if there is none.",
    )
    async def block(
        self, info: Info, by: Annotated[BlockBy, strawberry.argument(description="Which one.")]
    ) -> model.Block | None:
        """One block."""
        reads = info.context.reads
        if isinstance(by.height, int):
            return await reads.one(loaders.block_by_height, by.height)
        if isinstance(by.hash, str):
            return await reads.one(loaders.block_by_hash, by.hash)
        try:
            return await reads.one(loaders.block_by_id, key_of(str(by.id), "Block"))
        except NotFound:
            return None

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Transaction | None,
        description="One transaction, in a block, waiting or failed; null if unknown.",
    )
    async def transaction(
        self, info: Info, hash: Annotated[Hash, strawberry.argument(description="Its hash.")]
    ) -> model.Transaction | None:
        """One transaction."""
        return await info.context.reads.one(loaders.transaction_by_hash, hash)

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Wallet | None,
        description="One wallet; null if there is none.",
    )
    async def wallet(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its `walletId`, or its global id.")],
    ) -> model.Wallet | None:
        """One wallet."""
        wallet_id = wallet_id_of(id)
        return None if wallet_id is None else await info.context.reads.one(loaders.wallet_by_id, wallet_id)


@strawberry.type(description="The payment was accepted, now or when the idempotency key was first used.")
class TransferPayload:
    """The payment was accepted."""

    transaction: Transaction = strawberry.field(description="The transaction as it stands now.")


@strawberry.type(description="The transaction was accepted, or was known already.")
class SubmitTransactionPayload:
    """The transaction was accepted, or was known already."""

    transaction: Transaction = strawberry.field(description="The transaction as it stands now.")


@strawberry.type(description="The recipient was saved.")
class AddBeneficiaryPayload:
    """The recipient was saved."""

    beneficiary: Beneficiary = strawberry.field(description="The new beneficiary.")


@strawberry.type(description="The beneficiary was renamed.")
class UpdateBeneficiaryPayload:
    """The beneficiary was renamed."""

    beneficiary: Beneficiary = strawberry.field(description="The beneficiary with its new names.")


@strawberry.type(description="The beneficiary was forgotten.")
class RemoveBeneficiaryPayload:
    """The beneficiary was forgotten."""

    removed_id: strawberry.ID = strawberry.field(description="Its global id, which now leads nowhere.")


async def _transaction(info: Info, transaction_hash: str) -> Any:
    return await info.context.reads.one(loaders.transaction_by_hash, transaction_hash)


@strawberry.type(description="What can be done in the ledger.")
class LedgerMutation:
    """What can be done in the ledger."""

    @mutation(
        TransferPayload,
        InvalidInput,
        model.NotVerified,
        model.WalletIsExternal,
        model.RecipientNotFound,
        model.InsufficientFunds,
        model.TooManyCoins,
        model.UnconfirmedChainTooLong,
        model.MempoolFull,
        model.FeeTooLow,
        model.FeeTooHigh,
        IdempotencyKeyReused,
        description="Pays from the viewer's custodial wallet. The payment is pending until a block confirms it.",
    )
    async def transfer(self, info: Info, input: TransferInput) -> Any:
        """Pays from the viewer's custodial wallet."""
        command = model.TransferCommand(
            recipient_wallet_id=input.to_wallet_id,
            amount=input.amount,
            fee=input.fee,
            memo=input.memo,
            allow_high_fee=input.allow_high_fee,
        )
        transaction_hash = await info.context.services.ledger.transfers.transfer(
            info.context.require_viewer(), command, input.idempotency_key
        )
        return TransferPayload(transaction=await _transaction(info, transaction_hash))

    @mutation(
        SubmitTransactionPayload,
        InvalidInput,
        model.NotVerified,
        model.TransactionRejected,
        model.RecipientNotFound,
        model.UnconfirmedChainTooLong,
        model.MempoolFull,
        model.FeeTooLow,
        model.FeeTooHigh,
        IdempotencyKeyReused,
        description="Sends a payment from the viewer's wallet that was signed elsewhere.",
    )
    async def submit_transaction(self, info: Info, input: SubmitTransactionInput) -> Any:
        """Sends a payment that was signed elsewhere."""
        transaction_hash = await info.context.services.ledger.submissions.submit(
            info.context.require_viewer(),
            input.transaction,
            input.signature,
            input.idempotency_key,
            allow_high_fee=input.allow_high_fee,
        )
        return SubmitTransactionPayload(transaction=await _transaction(info, transaction_hash))

    @mutation(
        AddBeneficiaryPayload,
        InvalidInput,
        NotFound,
        model.RecipientNotFound,
        model.BeneficiaryExists,
        IdempotencyKeyReused,
        description="Saves a recipient.",
    )
    async def add_beneficiary(self, info: Info, input: AddBeneficiaryInput) -> Any:
        """Saves a recipient."""
        beneficiary: Any = await info.context.services.ledger.beneficiaries.add(
            info.context.require_viewer(), input.wallet_id, input.name, input.nickname, input.idempotency_key
        )
        return AddBeneficiaryPayload(beneficiary=beneficiary)

    @mutation(UpdateBeneficiaryPayload, InvalidInput, NotFound, description="Renames a beneficiary.")
    async def update_beneficiary(self, info: Info, input: UpdateBeneficiaryInput) -> Any:
        """Renames a beneficiary."""
        beneficiary: Any = await info.context.services.ledger.beneficiaries.update(
            info.context.require_viewer(), key_of(input.id, "Beneficiary"), input.name, input.nickname
        )
        return UpdateBeneficiaryPayload(beneficiary=beneficiary)

    @mutation(RemoveBeneficiaryPayload, NotFound, description="Forgets a beneficiary.")
    async def remove_beneficiary(self, info: Info, input: RemoveBeneficiaryInput) -> Any:
        """Forgets a beneficiary."""
        await info.context.services.ledger.beneficiaries.remove(
            info.context.require_viewer(), key_of(input.id, "Beneficiary")
        )
        return RemoveBeneficiaryPayload(removed_id=input.id)
