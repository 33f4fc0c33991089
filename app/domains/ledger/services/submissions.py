"""Payments that their senders have signed."""

import base64
import binascii
from dataclasses import dataclass

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope
from app.domains.ledger.model import NotVerified, RecipientNotFound, Rejection, TransactionRejected, Wallet
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.spending import Utxo, check_payment
from app.domains.ledger.rules.timestamps import to_milliseconds
from app.domains.ledger.rules.transaction import (
    MalformedTransaction,
    OutPoint,
    SignedTransaction,
    Transaction,
    decode,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation
from app.domains.ledger.services.mempool import Mempool
from app.domains.ledger.services.payments import (
    MAX_AGE,
    MAX_FUTURE,
    Accepted,
    Payment,
    accept,
    check_fee,
    next_block_rules,
    pay_once,
    sentence,
    total_ancestors,
)
from app.domains.ledger.statements import PaymentSql, UnspentOutput
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound
from app.kit.events import EventLog
from app.kit.idempotency import KeyedRequest, check_key

_REJECTIONS = {
    Violation.MALFORMED_TRANSACTION: Rejection.MALFORMED,
    Violation.SECOND_COINBASE: Rejection.MALFORMED,
    Violation.WRONG_NETWORK: Rejection.WRONG_NETWORK,
    Violation.OUTPUT_NOT_AVAILABLE: Rejection.OUTPUT_NOT_AVAILABLE,
    Violation.IMMATURE_COINBASE: Rejection.IMMATURE_COINBASE,
    Violation.WRONG_OWNER: Rejection.NOT_YOURS,
    Violation.VALUE_NOT_CONSERVED: Rejection.VALUE_NOT_CONSERVED,
    Violation.UNKNOWN_PUBLIC_KEY: Rejection.BAD_SIGNATURE,
    Violation.BAD_SIGNATURE: Rejection.BAD_SIGNATURE,
}


@dataclass(frozen=True)
class Submissions:
    """Accepts transactions that the viewer has signed with their own key."""

    database: Database
    clock: Clock
    events: EventLog
    mempool: Mempool

    async def submit(
        self, viewer: Viewer, transaction: str, signature: str, idempotency_key: str, *, allow_high_fee: bool = False
    ) -> str:
        """Accepts the canonical encoding and its signature, both in base64. Returns the transaction's hash.

        Returns the hash also if the transaction exists already, even as a failed one. Raises InvalidInput,
        NotVerified, TransactionRejected, RecipientNotFound, FeeTooLow, FeeTooHigh, UnconfirmedChainTooLong,
        MempoolFull, IdempotencyKeyReused.
        """
        check_key(idempotency_key, lambda: _unbase64_both(transaction, signature))
        encoding = _encoding(transaction, signature)
        transaction_hash = sha256(encoding).hex()

        async def work(tx: Tx) -> Accepted:
            signed = SignedTransaction(_decoded(encoding), _unbase64(signature, "signature"))
            if not viewer.is_verified:
                raise NotVerified
            payment = await self._validate(tx, viewer, signed, transaction_hash, allow_high_fee=allow_high_fee)
            if payment is None:
                return {"hash": transaction_hash, "wallets": []}
            return await accept(tx, payment, self.clock.now())

        # Without the signature and `allow_high_fee`: once accepted, a transaction stays accepted.
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "submitTransaction", transaction_hash)
        return await self.database.write(
            system_scope(viewer.client, viewer.user_id), lambda tx: pay_once(tx, self.events, keyed, lambda: work(tx))
        )

    async def _validate(
        self, tx: Tx, viewer: Viewer, signed: SignedTransaction, transaction_hash: str, *, allow_high_fee: bool
    ) -> Payment | None:
        """Returns the payment if it passes every rule; None if it exists already."""
        transaction = signed.transaction
        recipient = _recipient(transaction)
        wallet_id = await tx.fetch_one(PaymentSql.lock_payer, viewer.user_id)
        if wallet_id is None:
            raise NotFound(Wallet, "The viewer has no wallet.")
        if transaction.sender_wallet_id.hex() != wallet_id:
            raise TransactionRejected(Rejection.NOT_YOURS, "The sender is not your wallet.")
        known = await tx.fetch_one(PaymentSql.submitter, wallet_id, transaction_hash, recipient)
        if known is None:
            raise NotFound(Wallet, "The viewer has no wallet.")
        if known.is_known:
            return None
        await self.mempool.require_room(tx)
        self._check_time(transaction)
        check_fee(transaction.fee_units, allow_high=allow_high_fee)
        rules, next_height = next_block_rules(known)
        inputs = await _inputs(tx, transaction)
        try:
            check_payment(
                transaction,
                signed.signature,
                utxo=_view(inputs, next_height).get,
                public_key={transaction.sender_wallet_id: known.public_key}.get,
                height=next_height,
                rules=rules,
            )
        except RuleBroken as broken:
            raise TransactionRejected(_REJECTIONS[broken.violation], sentence(broken.detail)) from None
        if not known.recipient_exists:
            raise RecipientNotFound(path=("transaction",))
        return Payment(signed=signed, recipient_wallet_id=recipient, ancestors=_ancestors(inputs))

    def _check_time(self, transaction: Transaction) -> None:
        now = self.clock.now()
        if not to_milliseconds(now - MAX_AGE) <= transaction.timestamp_ms <= to_milliseconds(now + MAX_FUTURE):
            raise TransactionRejected(
                Rejection.TIMESTAMP_OUT_OF_RANGE, "The timestamp must lie within the last 24 hours or the next 2."
            )


def _encoding(transaction: str, signature: str) -> bytes:
    """The bytes of a transaction in base64. If they are invalid, the signature is checked as well."""
    try:
        return _unbase64(transaction, "transaction")
    except InvalidInput:
        _unbase64_both(transaction, signature)
        raise


def _unbase64_both(transaction: str, signature: str) -> tuple[bytes, bytes]:
    with Faults() as faults:
        with faults.at():
            encoding = _unbase64(transaction, "transaction")
        signed = _unbase64(signature, "signature")
    return encoding, signed


def _unbase64(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(field, "This is not base64.") from None


def _decoded(encoding: bytes) -> Transaction:
    try:
        transaction = decode(encoding)
    except MalformedTransaction as fault:
        raise TransactionRejected(Rejection.MALFORMED, f"Not a transaction: {fault}.") from None
    if transaction.is_coinbase:
        raise TransactionRejected(Rejection.MALFORMED, "A coinbase is made by a miner only.")
    return transaction


def _recipient(transaction: Transaction) -> str:
    """Returns the only wallet that is paid besides the sender. The chain would allow several; the mempool does not."""
    recipients = {output.wallet_id for output in transaction.outputs} - {transaction.sender_wallet_id}
    if len(recipients) != 1:
        raise TransactionRejected(Rejection.NOT_ONE_RECIPIENT, "A payment has one recipient besides its sender.")
    return recipients.pop().hex()


async def _inputs(tx: Tx, transaction: Transaction) -> dict[OutPoint, UnspentOutput]:
    rows = await tx.fetch(
        PaymentSql.unspent_at,
        [spent.transaction_hash.hex() for spent in transaction.inputs],
        [spent.output_index for spent in transaction.inputs],
    )
    return {OutPoint(bytes.fromhex(row.transaction_hash), row.output_index): row for row in rows}


def _view(inputs: dict[OutPoint, UnspentOutput], next_height: int) -> dict[OutPoint, Utxo]:
    return {
        outpoint: Utxo(
            bytes.fromhex(row.wallet_id),
            row.units,
            next_height if row.block_height is None else row.block_height,
            row.is_coinbase,
        )
        for outpoint, row in inputs.items()
    }


def _ancestors(inputs: dict[OutPoint, UnspentOutput]) -> int:
    parents = {}
    for outpoint, row in inputs.items():
        if row.block_height is None:
            # Own change fails only with an own payment. Unconfirmed outputs of others may never be confirmed.
            if not row.is_change:
                raise TransactionRejected(
                    Rejection.UNCONFIRMED_INPUT, "Of unconfirmed outputs only your own change can be spent."
                )
            parents[outpoint.transaction_hash] = row.ancestors
    return total_ancestors(parents)
