"""What a payment must satisfy, alike in the mempool, in a block and in a replay."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.transaction import (
    MAX_SIGNATURE_BYTES,
    MalformedTransaction,
    OutPoint,
    SignatureCheck,
    Transaction,
    encode,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation

COINBASE_MATURITY_BLOCKS = 10


class Utxo(msgspec.Struct, frozen=True):
    """An unspent output."""

    wallet_id: bytes
    amount_units: int
    height: int
    """Height of its block."""
    is_coinbase: bool


UtxoView: TypeAlias = Callable[[OutPoint], Utxo | None]
"""Returns the unspent output at an outpoint, or None; for example a dict's `get`."""

PublicKeyView: TypeAlias = Callable[[bytes], bytes | None]
"""Returns the public key (DER) of a wallet id, or None if it is unknown."""


class ChainRules(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between Moneta chains, and how a signature is verified."""

    network: bytes
    verify: SignatureCheck
    coinbase_maturity_blocks: int = COINBASE_MATURITY_BLOCKS


def encode_for(network: bytes, transaction: Transaction) -> bytes:
    """The encoding of a transaction made for `network`; raises RuleBroken."""
    try:
        encoding = encode(transaction)
    except MalformedTransaction as fault:
        raise RuleBroken(Violation.MALFORMED_TRANSACTION, str(fault)) from None
    if transaction.network != network:
        raise RuleBroken(Violation.WRONG_NETWORK, f"made for network {transaction.network.hex()}")
    return encoding


def check_inputs(transaction: Transaction, utxo: UtxoView, height: int, rules: ChainRules) -> tuple[Utxo, ...]:
    """The outputs that a payment spends in the block at `height`, in the order of its inputs; raises RuleBroken.

    They exist, are mature, belong to the sender, and hold exactly what the payment gives away.
    """
    spent = []
    for outpoint in transaction.inputs:
        output = utxo(outpoint)
        if output is None:
            raise RuleBroken(Violation.OUTPUT_NOT_AVAILABLE, f"{_name(outpoint)} is not there to spend")
        if output.is_coinbase and height - output.height < rules.coinbase_maturity_blocks:
            raise RuleBroken(Violation.IMMATURE_COINBASE, f"{_name(outpoint)} was mined at height {output.height}")
        if output.wallet_id != transaction.sender_wallet_id:
            raise RuleBroken(Violation.WRONG_OWNER, f"{_name(outpoint)} belongs to another wallet")
        spent.append(output)
    input_units = sum(output.amount_units for output in spent)
    given_units = transaction.output_units + transaction.fee_units
    if input_units != given_units:
        raise RuleBroken(Violation.VALUE_NOT_CONSERVED, f"spends {input_units} units and gives {given_units}")
    return tuple(spent)


def check_signature(
    transaction: Transaction,
    encoding: bytes,
    signature: bytes,
    public_key: PublicKeyView,
    verify: SignatureCheck,
) -> None:
    """The sender's key, which must hash to the sender's wallet id, signed the encoding; raises RuleBroken."""
    key = public_key(transaction.sender_wallet_id)
    if key is None or sha256(key) != transaction.sender_wallet_id:
        raise RuleBroken(Violation.UNKNOWN_PUBLIC_KEY, "no key hashes to the sender's wallet id")
    if not 0 < len(signature) <= MAX_SIGNATURE_BYTES or not verify(key, encoding, signature):
        raise RuleBroken(Violation.BAD_SIGNATURE, "the sender's key did not sign this")


def check_payment(
    transaction: Transaction,
    signature: bytes,
    *,
    utxo: UtxoView,
    public_key: PublicKeyView,
    height: int,
    rules: ChainRules,
) -> tuple[Utxo, ...]:
    """The outputs that a payment on its own would spend in the block at `height`; raises RuleBroken."""
    encoding = encode_for(rules.network, transaction)
    if transaction.is_coinbase:
        raise RuleBroken(Violation.SECOND_COINBASE, "a coinbase exists only at the head of a block")
    spent = check_inputs(transaction, utxo, height, rules)
    check_signature(transaction, encoding, signature, public_key, rules.verify)
    return spent


def _name(outpoint: OutPoint) -> str:
    return f"output {outpoint.output_index} of {outpoint.transaction_hash.hex()}"
