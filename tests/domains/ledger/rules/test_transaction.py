import struct
import unicodedata
from hashlib import sha256

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domains.ledger.model import MAX_INPUTS, MAX_OUTPUTS
from app.domains.ledger.rules.amounts import MAX_MONEY_UNITS
from app.domains.ledger.rules.encoding import MalformedEncoding, Reader, compact_size, compact_size_length
from app.domains.ledger.rules.memo import MAX_MEMO_BYTES, normalise_memo
from app.domains.ledger.rules.transaction import (
    MAX_HEIGHT,
    MAX_TIMESTAMP_MS,
    ZERO_WALLET_ID,
    MalformedTransaction,
    OutPoint,
    Transaction,
    TransactionOutput,
    decode,
    encode,
    signed_size,
    transaction_hash,
)
from tests.domains.ledger.rules.chain import coinbase, payment, wallet

ids = st.binary(min_size=32, max_size=32)
memos = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=64).map(normalise_memo)
outputs = st.lists(st.builds(TransactionOutput, ids, st.integers(1, 10**12)), min_size=1, max_size=5).map(tuple)
payments = st.builds(
    Transaction,
    network=st.binary(min_size=4, max_size=4),
    sender_wallet_id=ids.filter(any),
    inputs=st.lists(st.builds(OutPoint, ids, st.integers(0, 255)), min_size=1, max_size=5, unique=True).map(tuple),
    outputs=outputs,
    fee_units=st.integers(0, 10**12),
    timestamp_ms=st.integers(0, MAX_TIMESTAMP_MS),
    memo=memos,
)
coinbases = st.builds(
    Transaction,
    network=st.binary(min_size=4, max_size=4),
    sender_wallet_id=st.just(ZERO_WALLET_ID),
    inputs=st.just(()),
    outputs=st.just(()) | outputs,
    fee_units=st.just(0),
    timestamp_ms=st.integers(0, MAX_TIMESTAMP_MS),
    memo=memos,
    height=st.integers(0, MAX_HEIGHT),
)
transactions = payments | coinbases

PAYMENT = payment("alice", [OutPoint(b"\x11" * 32, 7)], [("bob", 250), ("alice", 700)], fee_units=50, memo="Grüße")


@given(transactions)
def test_what_is_encoded_is_decoded(transaction: Transaction) -> None:
    encoding = encode(transaction)
    assert decode(encoding) == transaction
    assert transaction_hash(transaction) == sha256(encoding).digest()


@given(transactions, transactions)
def test_different_transactions_have_different_encodings(one: Transaction, other: Transaction) -> None:
    assert (encode(one) == encode(other)) == (one == other)


@given(st.binary(max_size=400))
def test_random_bytes_are_decoded_faithfully_or_refused(data: bytes) -> None:
    check_faithful(data)


@settings(max_examples=400)
@given(transactions, st.data())
def test_mutated_encodings_are_decoded_faithfully_or_refused(transaction: Transaction, data: st.DataObject) -> None:
    encoding = bytearray(encode(transaction))
    start = data.draw(st.integers(0, len(encoding)))
    length = data.draw(st.integers(0, 3))
    encoding[start : start + length] = data.draw(st.binary(max_size=3))
    check_faithful(bytes(encoding))


def check_faithful(data: bytes) -> None:
    try:
        transaction = decode(data)
    except MalformedTransaction:
        return
    assert encode(transaction) == data


@given(transactions, st.data())
def test_every_truncation_and_every_tail_is_refused(transaction: Transaction, data: st.DataObject) -> None:
    encoding = encode(transaction)
    with pytest.raises(MalformedTransaction):
        decode(encoding[: data.draw(st.integers(0, len(encoding) - 1))])
    with pytest.raises(MalformedTransaction, match="bytes too many"):
        decode(encoding + data.draw(st.binary(min_size=1, max_size=9)))


def test_the_layout_is_the_documented_one() -> None:
    by_hand = (
        struct.pack("<I", 1)
        + b"MNTA"
        + wallet("alice")
        + b"\x01"
        + (b"\x11" * 32 + struct.pack("<I", 7))
        + b"\x02"
        + (wallet("bob") + struct.pack("<Q", 250))
        + (wallet("alice") + struct.pack("<Q", 700))
        + struct.pack("<Q", 50)
        + struct.pack("<Q", 1_700_000_000_000)
        + (b"\x07" + "Grüße".encode())
    )
    assert encode(PAYMENT) == by_hand
    reward = coinbase("bob", 258, 42)
    assert encode(reward).startswith(struct.pack("<I", 1) + b"MNTA" + bytes(32) + b"\x00\x01" + wallet("bob"))
    assert encode(reward).endswith(b"\x00" + struct.pack("<I", 258))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version 2 is not known"),
        ({"network": b"MNT"}, "the network is 4 bytes"),
        ({"sender_wallet_id": b"\1" * 31}, "a wallet id is 32 bytes"),
        ({"inputs": ()}, "nothing is spent"),
        ({"inputs": (OutPoint(b"\1" * 33, 0),)}, "a transaction hash is 32 bytes"),
        ({"inputs": (OutPoint(b"\1" * 32, MAX_OUTPUTS),)}, "output index 256 is out of range"),
        ({"inputs": (OutPoint(b"\1" * 32, -1),)}, "output index -1 is out of range"),
        ({"inputs": 2 * (OutPoint(b"\1" * 32, 0),)}, "an output is spent twice"),
        ({"inputs": (MAX_INPUTS + 1) * (OutPoint(b"\1" * 32, 0),)}, "more than 256 inputs"),
        ({"outputs": ()}, "nobody is paid"),
        ({"outputs": (MAX_OUTPUTS + 1) * (TransactionOutput(b"\1" * 32, 1),)}, "more than 256 outputs"),
        ({"outputs": (TransactionOutput(b"\1" * 32, 0),)}, "an output pays nothing"),
        ({"outputs": (TransactionOutput(b"\1" * 32, -1),)}, "an output pays nothing"),
        ({"outputs": (TransactionOutput(b"\1", 1),)}, "a wallet id is 32 bytes"),
        ({"outputs": (TransactionOutput(b"\1" * 32, MAX_MONEY_UNITS),)}, "exceed all the money"),
        ({"outputs": 2 * (TransactionOutput(b"\1" * 32, MAX_MONEY_UNITS),)}, "exceed all the money"),
        ({"fee_units": -1}, "the fee is negative"),
        ({"timestamp_ms": -1}, "the timestamp is out of range"),
        ({"timestamp_ms": MAX_TIMESTAMP_MS + 1}, "the timestamp is out of range"),
        ({"height": 1}, "only a coinbase has a height"),
        ({"memo": "a\0b"}, "control character"),
        ({"memo": "a\nb"}, "control character"),
        ({"memo": "\x7f"}, "control character"),
        ({"memo": "e\u0301"}, "normal form C"),
        ({"memo": "\ud800"}, "lone surrogate"),
        ({"memo": "é" * 128 + "e"}, "takes 257 bytes"),
    ],
)
def test_a_payment_that_breaks_the_grammar_has_no_encoding(change: dict[str, object], reason: str) -> None:
    with pytest.raises(MalformedTransaction, match=reason):
        encode(msgspec.structs.replace(PAYMENT, **change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"inputs": (OutPoint(b"\1" * 32, 0),)}, "a coinbase spends nothing"),
        ({"fee_units": 1}, "a coinbase pays no fee"),
        ({"height": None}, "a coinbase names its height"),
        ({"height": -1}, "the height is out of range"),
        ({"height": MAX_HEIGHT + 1}, "the height is out of range"),
    ],
)
def test_a_coinbase_that_breaks_the_grammar_has_no_encoding(change: dict[str, object], reason: str) -> None:
    with pytest.raises(MalformedTransaction, match=reason):
        encode(msgspec.structs.replace(coinbase("alice", 5, 100), **change))


def test_the_limits_themselves_are_allowed() -> None:
    widest = msgspec.structs.replace(
        PAYMENT,
        inputs=tuple(OutPoint(number.to_bytes(32, "big"), MAX_OUTPUTS - 1) for number in range(MAX_INPUTS)),
        outputs=MAX_OUTPUTS * (TransactionOutput(wallet("bob"), 1),),
        fee_units=MAX_MONEY_UNITS - MAX_OUTPUTS,
        timestamp_ms=MAX_TIMESTAMP_MS,
        memo="é" * (MAX_MEMO_BYTES // 2),
    )
    assert decode(encode(widest)) == widest


@pytest.mark.parametrize("place", [40, 77])
def test_a_count_has_one_encoding(place: int) -> None:
    # The two counts of PAYMENT: one input behind version, network and sender; two outputs behind the input.
    encoding = encode(PAYMENT)
    count = encoding[place : place + 1]
    for padded in (b"\xfd" + count + bytes(1), b"\xfe" + count + bytes(3), b"\xff" + count + bytes(7)):
        with pytest.raises(MalformedTransaction, match="not minimally encoded"):
            decode(encoding[:place] + padded + encoding[place + 1 :])


@pytest.mark.parametrize(
    ("memo", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"\xc0\x80", "not UTF-8"),
        (b"\xed\xa0\x80", "not UTF-8"),
        (b"e\xcc\x81", "normal form C"),
    ],
)
def test_a_memo_has_one_encoding(memo: bytes, reason: str) -> None:
    plain = encode(msgspec.structs.replace(PAYMENT, memo=""))
    with pytest.raises(MalformedTransaction, match=reason):
        decode(plain[:-1] + compact_size(len(memo)) + memo)


@given(st.text(max_size=40))
def test_the_frozen_normal_form_agrees_with_todays_on_all_that_was_assigned_then(text: str) -> None:
    assume(all(unicodedata.ucd_3_2_0.category(character) != "Cn" for character in text))
    assert normalise_memo(text) == unicodedata.normalize("NFC", text)


@given(st.integers(0, 2**64 - 1))
def test_compact_size_is_read_back(value: int) -> None:
    encoding = compact_size(value)
    assert len(encoding) == compact_size_length(value)
    reader = Reader(encoding, MalformedEncoding)
    assert reader.count(2**64 - 1, "a count") == value
    reader.finish()


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (0, "00"),
        (252, "fc"),
        (253, "fdfd00"),
        (0xFFFF, "fdffff"),
        (0x1_0000, "fe00000100"),
        (0xFFFF_FFFF, "feffffffff"),
        (0x1_0000_0000, "ff0000000001000000"),
    ],
)
def test_compact_size_is_bitcoins(value: int, encoding: str) -> None:
    assert compact_size(value).hex() == encoding


def test_a_signature_costs_its_bytes_and_their_length() -> None:
    assert signed_size(100, 0) == 101
    assert signed_size(100, 256) == 359
