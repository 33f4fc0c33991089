import struct
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.header import (
    HEADER_BYTES,
    MAX_NONCE,
    MAX_TIMESTAMP_S,
    BlockHeader,
    MalformedHeader,
    block_hash,
    decode_header,
    encode_header,
    leading_zero_bits,
    median_time_past,
    meets_difficulty,
    mine,
)

HEADER = BlockHeader(
    previous_hash=b"\x22" * 32,
    merkle_root=b"\x33" * 32,
    height=102,
    timestamp_s=1_733_571_300,
    difficulty_bits=12,
    nonce=0,
)
headers = st.builds(
    BlockHeader,
    previous_hash=st.binary(min_size=32, max_size=32),
    merkle_root=st.binary(min_size=32, max_size=32),
    height=st.integers(0, 2**31 - 1),
    timestamp_s=st.integers(0, MAX_TIMESTAMP_S),
    difficulty_bits=st.integers(0, 256),
    nonce=st.integers(0, MAX_NONCE),
)


@given(headers)
def test_what_is_encoded_is_decoded(header: BlockHeader) -> None:
    encoding = encode_header(header)
    assert len(encoding) == HEADER_BYTES
    assert decode_header(encoding) == header


@given(st.binary(min_size=88, max_size=96) | st.binary(min_size=88, max_size=88).map(lambda rest: b"\1\0\0\0" + rest))
def test_random_bytes_are_decoded_faithfully_or_refused(data: bytes) -> None:
    try:
        header = decode_header(data)
    except MalformedHeader:
        return
    assert encode_header(header) == data


def test_the_layout_is_the_documented_one() -> None:
    header = msgspec.structs.replace(HEADER, nonce=45_678_934)
    by_hand = (
        struct.pack("<I", 1) + b"\x22" * 32 + b"\x33" * 32 + struct.pack("<IQIQ", 102, 1_733_571_300, 12, 45_678_934)
    )
    assert encode_header(header) == by_hand
    assert block_hash(header) == sha256(sha256(by_hand).digest()).digest()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version 2 is not known"),
        ({"previous_hash": b"\1"}, "a hash is 32 bytes"),
        ({"merkle_root": bytes(33)}, "a hash is 32 bytes"),
        ({"height": -1}, "the height is out of range"),
        ({"height": 2**31}, "the height is out of range"),
        ({"timestamp_s": -1}, "the timestamp is out of range"),
        ({"timestamp_s": MAX_TIMESTAMP_S + 1}, "the timestamp is out of range"),
        ({"difficulty_bits": 257}, "the difficulty is out of range"),
        ({"nonce": MAX_NONCE + 1}, "the nonce is out of range"),
    ],
)
def test_a_header_that_breaks_the_grammar_has_no_encoding(change: dict[str, object], reason: str) -> None:
    with pytest.raises(MalformedHeader, match=reason):
        encode_header(msgspec.structs.replace(HEADER, **change))


@pytest.mark.parametrize(
    ("digest", "bits"),
    [("80", 0), ("7f", 1), ("01", 7), ("00ff", 8), ("0001", 15), ("0000", 16), ("000ab0", 12)],
)
def test_zero_bits_are_counted_from_the_front(digest: str, bits: int) -> None:
    assert leading_zero_bits(bytes.fromhex(digest)) == bits
    assert meets_difficulty(bytes.fromhex(digest), bits)
    assert not meets_difficulty(bytes.fromhex(digest), bits + 1)


def test_the_miner_finds_the_first_nonce_that_works() -> None:
    nonce = mine(HEADER, 0, 1_000_000)
    assert nonce is not None
    works = [
        meets_difficulty(block_hash(msgspec.structs.replace(HEADER, nonce=tried)), 12) for tried in range(nonce + 1)
    ]
    assert works == [False] * nonce + [True]
    assert block_hash(msgspec.structs.replace(HEADER, nonce=nonce)).hex().startswith("000")
    assert mine(HEADER, 0, nonce) is None
    assert mine(HEADER, nonce, 1) == nonce


@given(st.integers(0, 8), st.integers(0, MAX_NONCE))
def test_the_miner_and_the_judge_agree(bits: int, nonce: int) -> None:
    header = msgspec.structs.replace(HEADER, difficulty_bits=bits, nonce=nonce)
    assert (mine(header, nonce, 1) == nonce) == meets_difficulty(block_hash(header), bits)


def test_the_miner_stops_at_the_last_nonce() -> None:
    hard = msgspec.structs.replace(HEADER, difficulty_bits=256)
    assert mine(hard, MAX_NONCE - 3, 10**12) is None
    assert mine(hard, MAX_NONCE + 1, 10**12) is None


def test_the_median_is_of_the_last_eleven() -> None:
    assert median_time_past([7]) == 7
    assert median_time_past([5, 1, 3]) == 3
    assert median_time_past([1, 2, 3, 4]) == 3
    assert median_time_past([10**9] * 5 + list(range(11))) == 5
