"""One hash for a whole set of unspent outputs: two copies of the ledger agree when theirs are equal."""

import hashlib
from collections.abc import Iterable

from app.domains.ledger.rules.spending import Utxo
from app.domains.ledger.rules.transaction import OutPoint


def utxo_set_hash(entries: Iterable[tuple[OutPoint, Utxo]]) -> bytes:
    """Hash of the set, in whatever order it comes; raises ValueError when an outpoint comes twice."""
    return sorted_utxo_set_hash(sorted(entries, key=lambda entry: entry[0]))


def sorted_utxo_set_hash(entries: Iterable[tuple[OutPoint, Utxo]]) -> bytes:
    """The same hash from a stream that is too long to hold; the outpoints must rise as for `UtxoSetHasher`."""
    hasher = UtxoSetHasher()
    for outpoint, utxo in entries:
        hasher.add(outpoint, utxo)
    return hasher.digest()


class UtxoSetHasher:
    """The same hash from entries that come one by one."""

    def __init__(self) -> None:
        self._hasher = hashlib.sha256()
        self._previous: OutPoint | None = None

    def add(self, outpoint: OutPoint, utxo: Utxo) -> None:
        """The next entry. Outpoints must rise strictly, by the bytes of the hash, then by index; raises ValueError."""
        if self._previous is not None and outpoint <= self._previous:
            raise ValueError("outpoints must rise strictly")
        self._previous = outpoint
        # Fixed widths, so that no two sets can run together into the same bytes.
        self._hasher.update(
            b"".join(
                (
                    outpoint.transaction_hash,
                    outpoint.output_index.to_bytes(4, "little"),
                    utxo.wallet_id,
                    utxo.amount_units.to_bytes(8, "little"),
                    utxo.height.to_bytes(4, "little"),
                    utxo.is_coinbase.to_bytes(1, "little"),
                )
            )
        )

    def digest(self) -> bytes:
        """The hash of what was added so far."""
        return self._hasher.digest()
