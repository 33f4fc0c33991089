import random
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.spending import Utxo
from app.domains.ledger.rules.transaction import OutPoint
from app.domains.ledger.rules.utxo_hash import sorted_utxo_set_hash, utxo_set_hash
from tests.domains.ledger.rules.chain import wallet

hashes = st.binary(min_size=32, max_size=32)
utxo_sets = st.dictionaries(
    st.builds(OutPoint, hashes, st.integers(0, 255)),
    st.builds(Utxo, hashes, st.integers(1, 10**15), st.integers(0, 10**6), st.booleans()),
    max_size=8,
)


@given(utxo_sets, st.randoms(use_true_random=False))
def test_order_does_not_matter(utxos: dict[OutPoint, Utxo], shuffler: random.Random) -> None:
    entries = list(utxos.items())
    shuffled = entries.copy()
    shuffler.shuffle(shuffled)
    assert utxo_set_hash(shuffled) == utxo_set_hash(entries)
    assert sorted_utxo_set_hash(sorted(entries)) == utxo_set_hash(entries)


@given(utxo_sets, utxo_sets)
def test_different_sets_differ(one: dict[OutPoint, Utxo], other: dict[OutPoint, Utxo]) -> None:
    assert (utxo_set_hash(one.items()) == utxo_set_hash(other.items())) == (one == other)


def test_every_field_counts() -> None:
    outpoint, utxo = OutPoint(bytes(32), 1), Utxo(wallet("alice"), 5, 7, False)
    changed = [
        (msgspec.structs.replace(outpoint, transaction_hash=bytes(31) + b"\1"), utxo),
        (msgspec.structs.replace(outpoint, output_index=2), utxo),
        (outpoint, msgspec.structs.replace(utxo, wallet_id=wallet("bob"))),
        (outpoint, msgspec.structs.replace(utxo, amount_units=6)),
        (outpoint, msgspec.structs.replace(utxo, height=8)),
        (outpoint, msgspec.structs.replace(utxo, is_coinbase=True)),
    ]
    assert len({utxo_set_hash([entry]) for entry in [(outpoint, utxo), *changed]}) == 7


def test_the_empty_set_has_the_hash_of_nothing() -> None:
    assert utxo_set_hash([]) == sha256(b"").digest()


def test_a_stream_out_of_order_or_with_a_copy_is_refused() -> None:
    utxo = Utxo(wallet("alice"), 5, 7, False)
    first, second = (OutPoint(bytes(32), 0), utxo), (OutPoint(bytes(32), 1), utxo)
    for entries in ([second, first], [first, first]):
        with pytest.raises(ValueError, match="rise strictly"):
            sorted_utxo_set_hash(entries)
    with pytest.raises(ValueError, match="rise strictly"):
        utxo_set_hash([first, first])
