"""Compares the result of a replay with the current tables: the mempool, the unspent outputs, the balances."""

from collections import defaultdict

import msgspec

from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.spending import Utxo
from app.domains.ledger.rules.transaction import MalformedTransaction, OutPoint, Transaction, decode
from app.domains.ledger.rules.utxo_hash import UtxoSetHasher
from app.domains.ledger.services.replay.replayed_chain import ReplayedChain
from app.domains.ledger.services.replay.stored_block import Inconsistency
from app.domains.ledger.statements import ConfirmedOutput, ReplaySql
from app.kit.db import Tx

PAGE_ROWS = 5_000


class MempoolEffect(msgspec.Struct, frozen=True):
    """The effect of the mempool on the unspent outputs."""

    spenders: dict[OutPoint, str]
    """Which pending transaction spends each output, of the chain or of another pending transaction."""
    change: dict[OutPoint, tuple[bytes, int]]
    """Owner and units of the outputs that pending transactions return to their senders."""


async def read_mempool(tx: Tx, chain: ReplayedChain) -> MempoolEffect:
    """Reads the mempool. Raises Inconsistency (at the tip) if a transaction spends an output that does not exist."""
    mempool = MempoolEffect({}, {})
    created: set[OutPoint] = set()
    sequence = 0
    while rows := await tx.fetch(ReplaySql.replay_mempool, sequence, PAGE_ROWS):
        sequence = rows[-1][0]
        for _, transaction_hash, encoding in rows:
            transaction = _decoded(chain, transaction_hash, encoding)
            for outpoint in transaction.inputs:
                if outpoint in mempool.spenders or not (outpoint in chain.unspent or outpoint in created):
                    raise _inconsistency(chain, f"waiting transaction {transaction_hash} spends what is not there")
                mempool.spenders[outpoint] = transaction_hash
            for index, output in enumerate(transaction.outputs):
                outpoint = OutPoint(bytes.fromhex(transaction_hash), index)
                created.add(outpoint)
                if output.wallet_id == transaction.sender_wallet_id:
                    mempool.change[outpoint] = (output.wallet_id, output.amount_units)
    return mempool


async def check_unspent(tx: Tx, chain: ReplayedChain, mempool: MempoolEffect) -> None:
    """Raises Inconsistency unless the stored unspent outputs and their spenders are those of the replay."""
    hasher = UtxoSetHasher()
    stray: str | None = None
    after = ("", -1)
    while rows := await tx.fetch(ReplaySql.replay_confirmed_outputs, *after, PAGE_ROWS):
        after = (rows[-1].transaction_hash, rows[-1].output_index)
        for row in rows:
            if row.is_spent:
                continue
            outpoint = OutPoint(bytes.fromhex(row.transaction_hash), row.output_index)
            utxo = Utxo(bytes.fromhex(row.wallet_id), row.amount_units, row.block_height, row.is_coinbase)
            hasher.add(outpoint, utxo)
            if stray is None and chain.unspent.get(outpoint) != utxo:
                stray = _name(row)
            if mempool.spenders.get(outpoint) != row.spent_in_tx_hash:
                raise _inconsistency(chain, f"{_name(row)} is set aside for {row.spent_in_tx_hash}")
    if hasher.digest() != chain.utxo_set_hash():
        where = "an output is missing" if stray is None else f"{stray} differs"
        raise _inconsistency(
            chain, f"the unspent outputs hash to {hasher.digest().hex()}, the replayed ones do not: {where}"
        )


def _name(output: ConfirmedOutput) -> str:
    return f"output {output.output_index} of {output.transaction_hash}"


async def check_balances(tx: Tx, chain: ReplayedChain, mempool: MempoolEffect) -> None:
    """Raises Inconsistency unless each balance is the sum of what the wallet can spend in the next block."""
    sums: defaultdict[bytes, int] = defaultdict(int)
    next_height = chain.progress.height + 1
    for outpoint, utxo in chain.unspent.items():
        is_immature = utxo.is_coinbase and next_height - utxo.height < chain.rules.coinbase_maturity_blocks
        if outpoint not in mempool.spenders and not is_immature:
            sums[utxo.wallet_id] += utxo.amount_units
    for outpoint, (wallet_id, amount_units) in mempool.change.items():
        if outpoint not in mempool.spenders:
            sums[wallet_id] += amount_units
    after = ""
    while rows := await tx.fetch(ReplaySql.replay_balances, after, PAGE_ROWS):
        for after, balance_units in rows:
            expected_units = sums.pop(bytes.fromhex(after), 0)
            if balance_units != expected_units:
                raise _inconsistency(
                    chain, f"wallet {after} has a balance of {balance_units} units, its outputs are {expected_units}"
                )
    if sums:
        raise _inconsistency(chain, f"wallet {min(sums).hex()} has outputs and no balance")


def _decoded(chain: ReplayedChain, transaction_hash: str, encoding: bytes) -> Transaction:
    if sha256(encoding).hex() != transaction_hash:
        raise _inconsistency(chain, f"waiting transaction {transaction_hash} has other bytes")
    try:
        return decode(encoding)
    except MalformedTransaction as fault:
        raise _inconsistency(chain, f"waiting transaction {transaction_hash}: {fault}") from None


def _inconsistency(chain: ReplayedChain, reason: str) -> Inconsistency:
    return Inconsistency(chain.progress.height, reason)
