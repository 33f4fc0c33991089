import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.hashing import double_sha256
from app.domains.ledger.rules.merkle import MutatedMerkleTree, merkle_branch, merkle_levels, merkle_root, verify_branch

BITCOIN_BLOCKS = json.loads((Path(__file__).parent / "data" / "bitcoin_blocks.json").read_text())


def leaves_of(count: int) -> list[bytes]:
    return [sha256(bytes([number])).digest() for number in range(count)]


@pytest.mark.parametrize("block", BITCOIN_BLOCKS, ids=lambda block: str(block["height"]))
def test_bitcoin_blocks_have_the_root_that_their_work_proves(block: dict[str, object]) -> None:
    header = bytes.fromhex(str(block["header"]))
    assert double_sha256(header)[::-1].hex() == block["hash"]
    exponent, mantissa = header[75], int.from_bytes(header[72:75], "little")
    assert int(str(block["hash"]), 16) <= mantissa << 8 * (exponent - 3)
    ids = block["transaction_ids"]
    assert isinstance(ids, list)
    leaves = [bytes.fromhex(transaction_id)[::-1] for transaction_id in ids]
    root = header[36:68]
    assert merkle_root(leaves) == root
    for index, leaf in enumerate(leaves):
        assert verify_branch(leaf, merkle_branch(merkle_levels(leaves), index), index, root)


@pytest.mark.parametrize("count", range(1, 71))
def test_each_leaf_is_proven_at_its_index_and_nowhere_else(count: int) -> None:
    leaves = leaves_of(count)
    root = merkle_root(leaves)
    for index, leaf in enumerate(leaves):
        branch = merkle_branch(merkle_levels(leaves), index)
        assert len(branch) == (count - 1).bit_length()
        proven = [claimed for claimed in range(2 * 2 ** len(branch)) if verify_branch(leaf, branch, claimed, root)]
        assert proven == [index]


@pytest.mark.parametrize("count", range(1, 71))
def test_a_list_padded_to_the_same_root_is_refused(count: int) -> None:
    leaves = leaves_of(count)
    width = count & -count
    padded = leaves + leaves[-width:]
    if count == width:
        # A full tree has no odd level: its doubled list has another root, but is still two equal siblings.
        assert merkle_root(leaves) != naive_root(padded)
    else:
        assert merkle_root(leaves) == naive_root(padded)
    with pytest.raises(MutatedMerkleTree):
        merkle_root(padded)


def naive_root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        level = level + level[-1:] if len(level) % 2 else level
        level = [double_sha256(level[left] + level[left + 1]) for left in range(0, len(level), 2)]
    return level[0]


def test_equal_leaves_that_are_not_siblings_are_no_mutation() -> None:
    first, second, third = leaves_of(3)
    assert merkle_root([first, second, second, third]) == naive_root([first, second, second, third])


def test_the_padding_copy_is_not_proven_as_a_leaf() -> None:
    leaves = leaves_of(3)
    branch = merkle_branch(merkle_levels(leaves), 2)
    assert verify_branch(leaves[2], branch, 2, merkle_root(leaves))
    assert not verify_branch(leaves[2], branch, 3, merkle_root(leaves))


@given(st.integers(1, 40), st.data())
def test_a_tampered_proof_is_false(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    root = merkle_root(leaves)
    index = data.draw(st.integers(0, count - 1))
    parts = [leaves[index], root, *merkle_branch(merkle_levels(leaves), index)]
    part, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[part] = (int.from_bytes(parts[part], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not verify_branch(parts[0], parts[2:], index, parts[1])


def test_malformed_proofs_are_false_rather_than_errors() -> None:
    leaf = leaves_of(1)[0]
    assert verify_branch(leaf, (), 0, leaf)
    assert not verify_branch(leaf, (), 1, leaf)
    assert not verify_branch(leaf, (), -1, leaf)
    assert not verify_branch(leaf[:31], (), 0, leaf[:31])
    assert not verify_branch(leaf, (b"short",), 0, leaf)
    assert not verify_branch(leaf, (leaf,) * 33, 0, leaf)


def test_no_leaves_have_no_root_and_no_branch() -> None:
    with pytest.raises(ValueError, match="at least one leaf"):
        merkle_root([])
    with pytest.raises(IndexError):
        merkle_branch(merkle_levels(leaves_of(3)), 3)
    with pytest.raises(IndexError):
        merkle_branch(merkle_levels(leaves_of(3)), -1)
