"""Payments from custodial wallets, and unsigned payments for owners who sign themselves."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope
from app.domains.ledger.model import (
    MAX_INPUTS,
    NotVerified,
    RecipientNotFound,
    TransferCommand,
    UnsignedTransaction,
    Wallet,
    WalletIsExternal,
)
from app.domains.ledger.rules.amounts import to_coins
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.memo import memo_fault, normalise_memo
from app.domains.ledger.rules.selection import Selection
from app.domains.ledger.rules.spending import Utxo, check_payment
from app.domains.ledger.rules.timestamps import to_milliseconds
from app.domains.ledger.rules.transaction import SignedTransaction, Transaction, TransactionOutput, encode
from app.domains.ledger.services.keys import Keys
from app.domains.ledger.services.mempool import Mempool
from app.domains.ledger.services.payer import SMALLEST_COINS, Payer, choose_coins, payer_of
from app.domains.ledger.services.payments import (
    MIN_FEE_UNITS,
    Accepted,
    Payment,
    accept,
    amount_units,
    check_fee,
    pay_once,
    sentence,
)
from app.domains.ledger.statements import PaymentSql
from app.kit.clock import Clock
from app.kit.crypto.rsa import sign
from app.kit.db import Database, Executor, Tx
from app.kit.errors import Faults, InvalidInput, NotFound
from app.kit.events import EventLog
from app.kit.idempotency import KeyedRequest, check_key


class _PaymentRequest(msgspec.Struct, frozen=True):
    """A transfer command in base units."""

    recipient_wallet_id: str
    amount_units: int
    fee_units: int
    memo: str


@dataclass(frozen=True)
class Transfers:
    """Builds, signs and accepts payments."""

    database: Database
    clock: Clock
    events: EventLog
    keys: Keys
    mempool: Mempool

    async def transfer(self, viewer: Viewer, command: TransferCommand, idempotency_key: str) -> str:
        """Pays from the viewer's custodial wallet. Returns the hash of the pending transaction.

        Raises InvalidInput, FeeTooLow, FeeTooHigh, NotVerified, WalletIsExternal, RecipientNotFound, InsufficientFunds,
        TooManyCoins, UnconfirmedChainTooLong, MempoolFull, IdempotencyKeyReused.
        """

        async def work(tx: Tx) -> Accepted:
            request = _checked(command)
            if not viewer.is_verified:
                raise NotVerified
            await self.mempool.require_room(tx)
            payment = await self._sign(await _lock(tx, viewer.user_id, request), request)
            return await accept(tx, payment, self.clock.now())

        check_key(idempotency_key, lambda: _checked(command))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "transfer", _request_of(command))
        # Only the system writes to the chain; the audit log still names the viewer.
        return await self.database.write(
            system_scope(viewer.client, viewer.user_id), lambda tx: pay_once(tx, self.events, keyed, lambda: work(tx))
        )

    async def draft(self, executor: Executor, viewer: Viewer, command: TransferCommand) -> UnsignedTransaction:
        """Returns a payment from the viewer's wallet for them to sign. No coin is reserved; it reads as the viewer.

        Raises what `transfer` does, except NotVerified, WalletIsExternal and MempoolFull.
        """
        request = _checked(command)
        payer = await _payer(executor, viewer.user_id, request)
        chosen, _ = await asyncio.to_thread(choose_coins, payer, request.amount_units, request.fee_units)
        transaction = _build(payer, request, chosen, to_milliseconds(self.clock.now()))
        encoding = encode(transaction)
        return UnsignedTransaction(
            encoding=encoding,
            hash=sha256(encoding).hex(),
            fee=to_coins(chosen.fee_units),
            change=to_coins(chosen.change_units),
        )

    async def _sign(self, payer: Payer, request: _PaymentRequest) -> Payment:
        if payer.key is None:
            raise WalletIsExternal
        private_der = self.keys.open(payer.key)
        # Coin selection and signature take some milliseconds, so they run in a thread.
        return await asyncio.to_thread(_pay, payer, request, private_der, to_milliseconds(self.clock.now()))


def _request_of(command: TransferCommand) -> _PaymentRequest:
    """Raises InvalidInput for amounts that are not base units; those can never have been accepted."""
    memo = normalise_memo(command.memo)
    with Faults() as faults:
        with faults.at():
            amount = amount_units(command.amount, "amount")
        with faults.at():
            fee = MIN_FEE_UNITS if command.fee is None else amount_units(command.fee, "fee")
        if faults:
            with faults.at():
                _check_positive(command.amount)
            _check_memo(memo)
    return _PaymentRequest(command.recipient_wallet_id, amount, fee, memo)


def _checked(command: TransferCommand) -> _PaymentRequest:
    request = _request_of(command)
    with Faults() as faults:
        with faults.at():
            _check_positive(command.amount)
        _check_memo(request.memo)
    check_fee(request.fee_units, allow_high=command.allow_high_fee)
    return request


def _check_positive(amount: Decimal) -> None:
    if amount.is_zero():
        raise InvalidInput("amount", "An amount must be positive.")


def _check_memo(memo: str) -> None:
    if fault := memo_fault(memo):
        raise InvalidInput("memo", sentence(fault))


async def _lock(tx: Tx, user_id: UUID, request: _PaymentRequest) -> Payer:
    # Two statements: the second must see what was committed while the first waited for the lock.
    if await tx.fetch_one(PaymentSql.lock_payer, user_id) is None:
        raise NotFound(Wallet, "The viewer has no wallet.")
    return await _payer(tx, user_id, request)


async def _payer(executor: Executor, user_id: UUID, request: _PaymentRequest) -> Payer:
    row = await executor.fetch_one(PaymentSql.payer, user_id, request.recipient_wallet_id, MAX_INPUTS, SMALLEST_COINS)
    if row is None:
        raise NotFound(Wallet, "The viewer has no wallet.")
    payer = payer_of(row, user_id)
    if payer.wallet_id == request.recipient_wallet_id:
        raise InvalidInput("recipient_wallet_id", "A wallet does not pay itself.")
    if not payer.recipient_exists:
        raise RecipientNotFound(path=("recipient_wallet_id",))
    return payer


def _build(payer: Payer, request: _PaymentRequest, chosen: Selection, at_ms: int) -> Transaction:
    sender = bytes.fromhex(payer.wallet_id)
    outputs = [TransactionOutput(bytes.fromhex(request.recipient_wallet_id), request.amount_units)]
    if chosen.change_units:
        outputs.append(TransactionOutput(sender, chosen.change_units))
    return Transaction(
        network=payer.rules.network,
        sender_wallet_id=sender,
        inputs=tuple(coin.outpoint for coin in chosen.chosen),
        outputs=tuple(outputs),
        fee_units=chosen.fee_units,
        timestamp_ms=at_ms,
        memo=request.memo,
    )


def _pay(payer: Payer, request: _PaymentRequest, private_der: bytes, at_ms: int) -> Payment:
    chosen, ancestors = choose_coins(payer, request.amount_units, request.fee_units)
    transaction = _build(payer, request, chosen, at_ms)
    signature = sign(private_der, encode(transaction))
    sender = transaction.sender_wallet_id
    unspent = {
        coin.outpoint: Utxo(
            sender, coin.units, payer.next_height if coin.height is None else coin.height, coin.is_coinbase
        )
        for coin in payer.coins
    }
    # Our own payments are checked like submitted ones: a bug above must not reach the mempool.
    check_payment(
        transaction,
        signature,
        utxo=unspent.get,
        public_key={sender: payer.public_key}.get,
        height=payer.next_height,
        rules=payer.rules,
    )
    return Payment(
        signed=SignedTransaction(transaction, signature),
        recipient_wallet_id=request.recipient_wallet_id,
        ancestors=ancestors,
    )
