"""What a block must satisfy, and what it does to the set of unspent outputs.

`check_block` is the only check: the connector runs it over the database, the replay over the chain from genesis.

The coinbase pays exactly the subsidy and the fees, so a block issues its subsidy and loses no coins by accident.
Coins are burned only on purpose, by paying the wallet of 32 zero bytes: such an output is never unspent. Therefore,
after every block: sum of the unspent outputs = issued subsidies - burned coins.
"""

from collections.abc import Sequence

import msgspec

from app.domains.ledger.rules.encoding import compact_size_length
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.header import (
    HEADER_BYTES,
    BlockHeader,
    MalformedHeader,
    block_hash,
    median_time_past,
    meets_difficulty,
)
from app.domains.ledger.rules.merkle import MutatedMerkleTree, merkle_root
from app.domains.ledger.rules.spending import (
    ChainRules,
    PublicKeyView,
    Utxo,
    UtxoView,
    check_inputs,
    check_signature,
    encode_for,
)
from app.domains.ledger.rules.subsidy import subsidy_units
from app.domains.ledger.rules.transaction import (
    ZERO_WALLET_ID,
    OutPoint,
    SignedTransaction,
    Transaction,
    signed_size,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation

# Room for 2,000 payments of 498 bytes: RSA-2048, two inputs, payment and change, a memo of 28 bytes.
MAX_BLOCK_BYTES = 1_000_000
MAX_FUTURE_SECONDS = 60
# How old a block's time may be if the median of the blocks below is in the future and cannot bound it.
MAX_PAST_SECONDS = 10 * 60


class Block(msgspec.Struct, frozen=True):
    """A header and the transactions under its merkle root, the coinbase first."""

    header: BlockHeader
    transactions: tuple[SignedTransaction, ...]


class ChainTip(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain requires of the next block."""

    next_height: int
    hash: bytes
    """32 zero bytes below the genesis block."""
    difficulty_bits: int
    """What the next block must state. `difficulty.next_difficulty_bits` changes it at each retarget."""
    recent_timestamps_s: tuple[int, ...]
    """Times of the last eleven blocks, oldest first; fewer near genesis."""


class BlockDelta(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid block changes. An output created and spent inside the block is in both `created` and `spent`."""

    block_hash: bytes
    transaction_hashes: tuple[bytes, ...]
    created: dict[OutPoint, Utxo]
    spent: dict[OutPoint, Utxo]
    spenders: dict[OutPoint, bytes]
    """Hash of the transaction that spends each outpoint of `spent`."""
    fee_units: int
    subsidy_units: int
    burned_units: int


def check_block(
    block: Block, tip: ChainTip, *, now_s: int, utxo: UtxoView, public_key: PublicKeyView, rules: ChainRules
) -> BlockDelta:
    """Returns the effect of `block` on top of `tip`. Raises RuleBroken with the first rule that it breaks.

    `now_s` is when it is connected, by the database's clock. `utxo` shows the outputs unspent at `tip`. Cheap rules
    come first, signatures last.
    """
    digest = check_header(block.header, tip, now_s)
    encodings = _check_shape(block, rules.network)
    hashes = tuple(map(sha256, encodings))
    _check_tree(block.header, hashes)
    ledger = _UtxoChanges(hashes, utxo, tip.next_height, rules)
    for index, signed in enumerate(block.transactions):
        if index:
            ledger.spend(index, signed.transaction)
        ledger.create(hashes[index], signed.transaction)
    reward = subsidy_units(tip.next_height)
    _check_coinbase(block.transactions[0], tip.next_height, reward + ledger.fee_units)
    for index, signed in enumerate(block.transactions[1:], start=1):
        try:
            check_signature(signed.transaction, encodings[index], signed.signature, public_key, rules.verify)
        except RuleBroken as broken:
            raise RuleBroken(broken.violation, broken.detail, index) from None
    return BlockDelta(
        block_hash=digest,
        transaction_hashes=hashes,
        created=ledger.created,
        spent=ledger.spent,
        spenders=ledger.spenders,
        fee_units=ledger.fee_units,
        subsidy_units=reward,
        burned_units=ledger.burned_units,
    )


def check_header(header: BlockHeader, tip: ChainTip, now_s: int) -> bytes:
    """Returns the block's hash if the header fits on `tip` and has its work. Raises RuleBroken."""
    try:
        digest = block_hash(header)
    except MalformedHeader as fault:
        raise RuleBroken(Violation.MALFORMED_HEADER, str(fault)) from None
    if header.height != tip.next_height:
        raise RuleBroken(Violation.WRONG_HEIGHT, f"height {header.height}, expected {tip.next_height}")
    if header.previous_hash != tip.hash:
        raise RuleBroken(Violation.WRONG_PREVIOUS_HASH, f"does not stand on {tip.hash.hex()}")
    if header.difficulty_bits != tip.difficulty_bits:
        raise RuleBroken(Violation.WRONG_DIFFICULTY, f"{header.difficulty_bits} bits, expected {tip.difficulty_bits}")
    if not meets_difficulty(digest, header.difficulty_bits):
        raise RuleBroken(Violation.TOO_LITTLE_WORK, f"hash {digest.hex()} lacks zeros")
    if header.timestamp_s <= latest_past(tip, now_s):
        raise RuleBroken(Violation.TIME_TOO_OLD, "not after the median of the last eleven blocks")
    if header.timestamp_s > now_s + MAX_FUTURE_SECONDS:
        raise RuleBroken(Violation.TIME_TOO_NEW, f"more than {MAX_FUTURE_SECONDS} seconds ahead")
    return digest


def latest_past(tip: ChainTip, now_s: int) -> int:
    """Returns what the next block's time must be after: the median of the last eleven blocks' times.

    A median in the future comes from a wrong clock and is ignored. Waiting for it would stop the chain, and following
    it second by second would make the retarget measure blocks that take no time.
    """
    if not tip.recent_timestamps_s:
        return -1
    median_s = median_time_past(tip.recent_timestamps_s)
    return median_s if median_s <= now_s else now_s - MAX_PAST_SECONDS


def block_size(encodings: Sequence[bytes], transactions: Sequence[SignedTransaction]) -> int:
    """Returns the bytes of a block: header, CompactSize count, and each transaction's encoding and signature."""
    size = HEADER_BYTES + compact_size_length(len(transactions))
    for encoding, signed in zip(encodings, transactions, strict=True):
        size += signed_size(len(encoding), len(signed.signature))
    return size


def _check_shape(block: Block, network: bytes) -> list[bytes]:
    """Returns the transactions' encodings, if one coinbase comes first and the block is not too large."""
    if not block.transactions:
        raise RuleBroken(Violation.EMPTY_BLOCK, "not even a coinbase")
    encodings = []
    for index, signed in enumerate(block.transactions):
        try:
            encodings.append(encode_for(network, signed.transaction))
        except RuleBroken as broken:
            raise RuleBroken(broken.violation, broken.detail, index) from None
        if index == 0 and not signed.transaction.is_coinbase:
            raise RuleBroken(Violation.FIRST_NOT_COINBASE, "a coinbase leads a block", index)
        if index and signed.transaction.is_coinbase:
            raise RuleBroken(Violation.SECOND_COINBASE, "a block has one coinbase", index)
    size = block_size(encodings, block.transactions)
    if size > MAX_BLOCK_BYTES:
        raise RuleBroken(Violation.BLOCK_TOO_LARGE, f"{size} bytes, more than {MAX_BLOCK_BYTES}")
    return encodings


def _check_tree(header: BlockHeader, hashes: Sequence[bytes]) -> None:
    try:
        root = merkle_root(hashes)
    except MutatedMerkleTree as mutated:
        raise RuleBroken(Violation.MUTATED_MERKLE_TREE, str(mutated)) from None
    if root != header.merkle_root:
        raise RuleBroken(Violation.MERKLE_ROOT_MISMATCH, f"the transactions' root is {root.hex()}")


def _check_coinbase(signed: SignedTransaction, height: int, reward_units: int) -> None:
    coinbase = signed.transaction
    if signed.signature:
        raise RuleBroken(Violation.SIGNED_COINBASE, "bytes outside the hash that anybody could change", 0)
    if coinbase.height != height:
        raise RuleBroken(Violation.WRONG_COINBASE_HEIGHT, f"height {coinbase.height}, expected {height}", 0)
    if coinbase.output_units != reward_units:
        raise RuleBroken(
            Violation.WRONG_COINBASE_AMOUNT,
            f"pays {coinbase.output_units} units, subsidy and fees are {reward_units}",
            0,
        )


class _UtxoChanges:
    """The changes to the unspent outputs, applied transaction by transaction."""

    def __init__(self, hashes: Sequence[bytes], utxo: UtxoView, height: int, rules: ChainRules) -> None:
        self._positions = {transaction_hash: index for index, transaction_hash in enumerate(hashes)}
        if len(self._positions) < len(hashes):
            raise RuleBroken(Violation.DUPLICATE_TRANSACTION, "the block holds a transaction twice")
        self._hashes = hashes
        self._utxo = utxo
        self._height = height
        self._rules = rules
        self.created: dict[OutPoint, Utxo] = {}
        self.spent: dict[OutPoint, Utxo] = {}
        self.spenders: dict[OutPoint, bytes] = {}
        self.fee_units = 0
        self.burned_units = 0

    def spend(self, index: int, transaction: Transaction) -> None:
        for outpoint in transaction.inputs:
            if outpoint in self.spent:
                raise RuleBroken(Violation.SPENT_TWICE_IN_BLOCK, "an earlier one spends the same output", index)
            if self._positions.get(outpoint.transaction_hash, -1) > index:
                raise RuleBroken(Violation.PARENT_AFTER_CHILD, "spends a later one's output", index)
        try:
            outputs = check_inputs(transaction, self._unspent, self._height, self._rules)
        except RuleBroken as broken:
            raise RuleBroken(broken.violation, broken.detail, index) from None
        for outpoint, output in zip(transaction.inputs, outputs, strict=True):
            self.spent[outpoint] = output
            self.spenders[outpoint] = self._hashes[index]
        self.fee_units += transaction.fee_units

    def create(self, transaction_hash: bytes, transaction: Transaction) -> None:
        for output_index, output in enumerate(transaction.outputs):
            if output.wallet_id == ZERO_WALLET_ID:
                self.burned_units += output.amount_units
                continue
            self.created[OutPoint(transaction_hash, output_index)] = Utxo(
                output.wallet_id, output.amount_units, self._height, transaction.is_coinbase
            )

    def _unspent(self, outpoint: OutPoint) -> Utxo | None:
        return self.created.get(outpoint) or self._utxo(outpoint)
