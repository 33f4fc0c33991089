"""What transfers and submissions share: the mempool's rules, and accepting a payment."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

import msgspec

from app.domains.ledger.model import FeeTooHigh, FeeTooLow, UnconfirmedChainTooLong
from app.domains.ledger.rules.amounts import COIN, InvalidAmount, to_coins, to_units
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.spending import ChainRules
from app.domains.ledger.rules.timestamps import to_datetime
from app.domains.ledger.rules.transaction import SignedTransaction, encode, signed_size
from app.domains.ledger.statements import PayerRow, PaymentSql, SubmitterRow
from app.domains.ledger.streams import MEMPOOL_STREAM, MempoolChange, wallet_stream
from app.kit.crypto.rsa import verify
from app.kit.db import Tx
from app.kit.errors import InvalidInput, Unavailable
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, once

MIN_FEE_UNITS = 1_000
"""0.00001 coins. Flat, because a signature costs more than any number of inputs."""
HIGH_FEE_UNITS = COIN
"""A fee above one coin must be confirmed."""
MAX_ANCESTORS = 25
"""How many unconfirmed transactions one may build on. It bounds what must fail or be mined together."""
MAX_FUTURE = timedelta(hours=2)
MAX_AGE = timedelta(hours=24)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that passed all rules. `ancestors` bounds how many unconfirmed transactions it builds on."""

    signed: SignedTransaction
    recipient_wallet_id: str
    ancestors: int


class DoubleSpend(Exception):
    """An input was spent after it was read, which the sender's lock should have prevented."""


def wallet_facts(kind: str, transaction_hash: str, wallet_ids: Sequence[str]) -> list[Fact]:
    """Returns the same fact for each wallet."""
    return [Fact(wallet_stream(wallet_id), kind, {"hash": transaction_hash}) for wallet_id in sorted(set(wallet_ids))]


def next_block_rules(row: PayerRow | SubmitterRow) -> tuple[ChainRules, int]:
    """Returns the chain's rules and the height of its next block. Raises Unavailable before genesis."""
    if row.network is None or row.coinbase_maturity is None or row.tip_height is None:
        raise Unavailable("The chain has no first block yet. Try again shortly.")
    rules = ChainRules(network=row.network, verify=verify, coinbase_maturity_blocks=row.coinbase_maturity)
    return rules, row.tip_height + 1


def sentence(fault: str) -> str:
    """Returns a rule's message as a sentence."""
    return f"{fault[0].upper()}{fault[1:]}."


def amount_units(coins: Decimal, field: str) -> int:
    """Returns the base units of an input field. Raises InvalidInput."""
    try:
        return to_units(coins)
    except InvalidAmount as fault:
        raise InvalidInput(field, sentence(str(fault))) from None


def check_fee(fee_units: int, *, allow_high: bool) -> None:
    """Raises FeeTooLow, and FeeTooHigh for a fee that looks like a mistake and was not confirmed."""
    if fee_units < MIN_FEE_UNITS:
        raise FeeTooLow(to_coins(MIN_FEE_UNITS))
    if fee_units > HIGH_FEE_UNITS and not allow_high:
        raise FeeTooHigh(to_coins(HIGH_FEE_UNITS))


def total_ancestors(parents: dict[bytes, int]) -> int:
    """Returns a bound on the ancestors of a transaction from the bounds of its unconfirmed parents.

    Raises UnconfirmedChainTooLong.
    """
    total = sum(ancestors + 1 for ancestors in parents.values())
    if total > MAX_ANCESTORS:
        raise UnconfirmedChainTooLong
    return total


class Accepted(TypedDict):
    """The stored result of an accepted payment. `wallets` are notified of it."""

    hash: str
    wallets: list[str]


async def pay_once(tx: Tx, events: EventLog, keyed: KeyedRequest, work: Callable[[], Awaitable[Accepted]]) -> str:
    """Accepts a payment unless its idempotency key was used before, and publishes it. Returns its hash."""
    outcome = await once(tx, keyed, work, Accepted)
    payment = outcome.result
    if payment["wallets"] and not outcome.replayed:
        accepted = Fact(MEMPOOL_STREAM, MempoolChange.ACCEPTED, {"hash": payment["hash"]})
        await events.append(tx, [*wallet_facts("transaction.pending", payment["hash"], payment["wallets"]), accepted])
    return payment["hash"]


async def accept(tx: Tx, payment: Payment, now: datetime) -> Accepted:
    """Adds a payment to the mempool. The caller holds the lock on the sender's balance."""
    transaction, signature = payment.signed.transaction, payment.signed.signature
    encoding = encode(transaction)
    transaction_hash = sha256(encoding).hex()
    sender = transaction.sender_wallet_id
    paid_units = sum(output.amount_units for output in transaction.outputs if output.wallet_id != sender)
    spent = await tx.fetch_one(
        PaymentSql.accept_payment,
        transaction_hash,
        sender.hex(),
        payment.recipient_wallet_id,
        to_coins(paid_units),
        to_coins(transaction.fee_units),
        transaction.memo,
        to_datetime(transaction.timestamp_ms),
        signature,
        encoding,
        signed_size(len(encoding), len(signature)),
        payment.ancestors,
        now,
        [output.wallet_id.hex() for output in transaction.outputs],
        [to_coins(output.amount_units) for output in transaction.outputs],
        [spent.transaction_hash.hex() for spent in transaction.inputs],
        [spent.output_index for spent in transaction.inputs],
    )
    if spent != len(transaction.inputs):
        raise DoubleSpend(transaction_hash)
    return {"hash": transaction_hash, "wallets": [sender.hex(), payment.recipient_wallet_id]}
