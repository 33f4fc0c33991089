"""One hash for a whole set of unspent outputs: two copies of the ledger agree when theirs are equal."""

import hashlib
from collections.abc import Iterable

from app.domains.ledger.rules.spending import Utxo
from app.domains.ledger.rules.transaction import OutPoint


def utxo_set_hash(entries: Iterable[tuple[OutPoint, Utxo]]) -> bytes:
    """Hash of the set, in whatever order it comes; raises ValueError when an outpoint comes twice."""
    return sorted_utxo_set_hash(sorted(entries, key=lambda entry: entry[0]))


def sorted_utxo_set_hash(entries: Iterable[tuple[OutPoint, Utxo]]) -> bytes:
    """The same hash from a stream that is too long to hold.

    The outpoints must rise strictly, by the bytes of the transaction hash and then by index; raises ValueError.
    """
    hasher = hashlib.sha256()
    previous: OutPoint | None = None
    for outpoint, utxo in entries:
        if previous is not None and outpoint <= previous:
            raise ValueError("outpoints must rise strictly")
        previous = outpoint
        # Fixed widths, so that no two sets can run together into the same bytes.
        hasher.update(outpoint.transaction_hash)
        hasher.update(outpoint.output_index.to_bytes(4, "little"))
        hasher.update(utxo.wallet_id)
        hasher.update(utxo.amount_units.to_bytes(8, "little"))
        hasher.update(utxo.height.to_bytes(4, "little"))
        hasher.update(utxo.is_coinbase.to_bytes(1, "little"))
    return hasher.digest()
