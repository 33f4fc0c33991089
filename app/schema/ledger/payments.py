"""Payments: transfers from custodial wallets, and transactions that were signed elsewhere."""

import base64
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.services import LedgerServices
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import record_type
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, Problem, mutation, problem_type
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.ledger.transactions import Transaction
from app.schema.scalars import Hash

IDEMPOTENCY_KEY = "1 to 200 characters of the client's choice. The same key and input return the same result."
AMOUNT = "The amount to pay in coins, above 0, at most 8 decimals."
FEE = "The fee for the miner in coins. Null: the minimum, 0.00001."
ALLOW_HIGH_FEE = "Confirms a fee above 1 coin. Null: false."


def _bytes(root: model.UnsignedTransaction) -> str:
    return base64.b64encode(root.encoding).decode()


@record_type(model.UnsignedTransaction)
class UnsignedTransaction:
    """A payment to sign elsewhere and to send with `submitTransaction`.

    No coins are reserved: another payment may spend them in the meantime.
    """

    bytes: str = from_parent(
        _bytes,
        description="The canonical encoding in base64. Sign it with RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32"
        " bytes.",
    )
    hash: Hash = strawberry.field(description="The SHA-256 of the bytes, which is the hash of the transaction.")
    fee: Decimal = strawberry.field(
        description="The fee in coins. It is above the requested fee if the change was too small for an output."
    )
    change: Decimal = strawberry.field(description="The change that returns to the wallet, in coins.")


@strawberry.input
class TransferInput:
    """A payment from the viewer's custodial wallet."""

    recipient_wallet_id: Hash = strawberry.field(
        description="The `walletId` of the recipient, which cannot be the viewer's own."
    )
    amount: Decimal = strawberry.field(description=AMOUNT)
    fee: Decimal | None = strawberry.field(default=None, description=FEE)
    memo: str | None = strawberry.field(
        default=None,
        description="A public text of at most 256 bytes in UTF-8 after NFC normalization; no control characters. Null:"
        " none.",
    )
    allow_high_fee: bool | None = strawberry.field(default=None, description=ALLOW_HIGH_FEE)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class TransferPayload:
    """The payment was accepted, now or when the idempotency key was first used."""

    transaction: Transaction = strawberry.field(description="The transaction as it is now.")


@strawberry.input
class SubmitTransactionInput:
    """A payment from the viewer's wallet that was signed elsewhere."""

    transaction: str = strawberry.field(
        description="The canonical encoding in base64, as `unsignedTransaction` returns it."
    )
    signature: str = strawberry.field(
        description="The signature of the encoding in base64: RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32 bytes."
    )
    allow_high_fee: bool | None = strawberry.field(default=None, description=ALLOW_HIGH_FEE)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class SubmitTransactionPayload:
    """The transaction was accepted, now or before."""

    transaction: Transaction = strawberry.field(description="The transaction as it is now.")


@problem_type(model.NotVerified)
class NotVerified(Problem):
    """The viewer's e-mail address is not verified."""


@problem_type(model.WalletIsExternal)
class WalletIsExternal(Problem):
    """Moneta does not hold the private key of this wallet. Use `submitTransaction`."""


@problem_type(model.RecipientNotFound)
class RecipientNotFound(Problem):
    """No wallet has this ID."""


@problem_type(model.InsufficientFunds)
class InsufficientFunds(Problem):
    """The spendable coins do not cover the payment and its fee."""

    available: Decimal = strawberry.field(description="The wallet's balance in coins.")


@problem_type(model.TooManyCoins)
class TooManyCoins(Problem):
    """The coins cover the payment, but one transaction would need more than 256 of them."""

    payable: Decimal = strawberry.field(description="The most that one transaction can pay after the fee, in coins.")


@problem_type(model.UnconfirmedChainTooLong)
class UnconfirmedChainTooLong(Problem):
    """The payment would depend on more than 25 unconfirmed ones. Try again after the next block."""


@problem_type(model.MempoolFull)
class MempoolFull(Problem):
    """Too many transactions wait for a block."""


@problem_type(model.FeeTooLow)
class FeeTooLow(Problem):
    """The fee is below the minimum."""

    minimum: Decimal = strawberry.field(description="The minimum fee in coins.")


@problem_type(model.FeeTooHigh)
class FeeTooHigh(Problem):
    """The fee is unusually high and was not confirmed with `allowHighFee`."""

    maximum: Decimal = strawberry.field(description="The highest fee that needs no `allowHighFee`, in coins.")


declare_enum(
    model.Rejection,
    name="TransactionRejection",
    MALFORMED="The bytes are not the encoding of a payment.",
    WRONG_NETWORK="The transaction was created for another chain.",
    NOT_YOURS="The sender or an input does not belong to the viewer's wallet.",
    BAD_SIGNATURE="The bytes were not signed with the wallet's key.",
    OUTPUT_NOT_AVAILABLE="An input does not exist or is spent.",
    IMMATURE_COINBASE="An input is a reward that does not have enough confirmations.",
    UNCONFIRMED_INPUT="An input is an unconfirmed payment. Only the wallet's own change can be spent before"
    " confirmation.",
    VALUE_NOT_CONSERVED="The inputs differ from the outputs plus the fee.",
    NOT_ONE_RECIPIENT="The outputs pay no other wallet, or several.",
    TIMESTAMP_OUT_OF_RANGE="The timestamp is more than 24 hours old or more than 2 hours ahead.",
)


@problem_type(model.TransactionRejected)
class TransactionRejected(Problem):
    """The transaction is invalid."""

    reason: model.Rejection = strawberry.field(description="Why the transaction was rejected.")


async def _transaction(info: Info, transaction_hash: str) -> Any:
    return await info.context.reads.one(loaders.transaction_by_hash, transaction_hash)


@strawberry.type
class PaymentMutation:
    """Payments from the viewer's wallet."""

    @mutation(
        TransferPayload,
        InvalidInput,
        NotVerified,
        WalletIsExternal,
        RecipientNotFound,
        InsufficientFunds,
        TooManyCoins,
        UnconfirmedChainTooLong,
        MempoolFull,
        FeeTooLow,
        FeeTooHigh,
        IdempotencyKeyReused,
    )
    async def transfer(self, info: Info, input: TransferInput) -> Any:
        """Pays from the viewer's custodial wallet. The payment is pending until a block confirms it."""
        command = model.TransferCommand(
            recipient_wallet_id=input.recipient_wallet_id,
            amount=input.amount,
            fee=input.fee,
            memo=input.memo or "",
            allow_high_fee=bool(input.allow_high_fee),
        )
        transaction_hash = await info.context.services[LedgerServices].transfers.transfer(
            info.context.require_viewer(), command, input.idempotency_key
        )
        return TransferPayload(transaction=await _transaction(info, transaction_hash))

    @mutation(
        SubmitTransactionPayload,
        InvalidInput,
        NotVerified,
        TransactionRejected,
        RecipientNotFound,
        UnconfirmedChainTooLong,
        MempoolFull,
        FeeTooLow,
        FeeTooHigh,
        IdempotencyKeyReused,
    )
    async def submit_transaction(self, info: Info, input: SubmitTransactionInput) -> Any:
        """Sends a payment from the viewer's wallet that was signed elsewhere."""
        transaction_hash = await info.context.services[LedgerServices].submissions.submit(
            info.context.require_viewer(),
            input.transaction,
            input.signature,
            input.idempotency_key,
            allow_high_fee=bool(input.allow_high_fee),
        )
        return SubmitTransactionPayload(transaction=await _transaction(info, transaction_hash))
