"""Which pending transactions a block takes: parents first, then by fee rate, within the size limit."""

from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.assembly import MempoolEntry, choose_transactions


def waiting(name: str, fee_units: int, sequence: int, size_bytes: int = 100) -> MempoolEntry:
    return MempoolEntry(name.encode(), fee_units, size_bytes, sequence)


def test_the_higher_fee_rate_goes_first_then_the_older() -> None:
    entries = [waiting("a", 10, 1), waiting("b", 30, 2), waiting("c", 30, 3), waiting("d", 31, 4, size_bytes=200)]
    assert choose_transactions(entries, [], 1000) == [b"b", b"c", b"d", b"a"]


def test_a_child_waits_for_all_its_parents() -> None:
    entries = [waiting("a", 1, 1), waiting("b", 5, 2), waiting("c", 9, 3), waiting("d", 3, 4)]
    pairs = [(b"a", b"c"), (b"b", b"c"), (b"a", b"c")]
    assert choose_transactions(entries, pairs, 1000) == [b"b", b"d", b"a", b"c"]


def test_what_does_not_fit_is_left_out_with_its_descendants() -> None:
    entries = [waiting("a", 90, 1, 500), waiting("b", 50, 2), waiting("c", 10, 3), waiting("d", 5, 4)]
    pairs = [(b"a", b"b"), (b"b", b"d")]
    assert choose_transactions(entries, pairs, 499) == [b"c"]
    assert choose_transactions(entries, pairs, 599) == [b"a"]
    assert choose_transactions(entries, pairs, 600) == [b"a", b"b"]


def test_a_child_of_an_unknown_parent_is_left_out() -> None:
    assert choose_transactions([waiting("a", 1, 1), waiting("b", 1, 2)], [(b"gone", b"b")], 1000) == [b"a"]


@st.composite
def families(draw: st.DrawFn) -> tuple[list[MempoolEntry], list[tuple[bytes, bytes]]]:
    count = draw(st.integers(0, 12))
    entries = [
        MempoolEntry(bytes([place]), draw(st.integers(0, 50)), draw(st.integers(1, 50)), place)
        for place in range(count)
    ]
    pairs = [
        (bytes([parent]), bytes([child])) for child in range(count) for parent in range(child) if draw(st.booleans())
    ]
    return entries, pairs


@given(families(), st.integers(0, 400))
def test_every_choice_fits_and_is_closed_under_parents(
    family: tuple[list[MempoolEntry], list[tuple[bytes, bytes]]], room_bytes: int
) -> None:
    entries, pairs = family
    chosen = choose_transactions(entries, pairs, room_bytes)
    places = {name: place for place, name in enumerate(chosen)}
    assert len(places) == len(chosen)
    assert sum(entry.size_bytes for entry in entries if entry.transaction_hash in places) <= room_bytes
    for parent, child in pairs:
        assert child not in places or places[parent] < places[child]
    if sum(entry.size_bytes for entry in entries) <= room_bytes:
        assert len(chosen) == len(entries)
