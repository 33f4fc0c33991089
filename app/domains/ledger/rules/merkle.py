"""Bitcoin's merkle tree: double SHA-256 of pairs, the last node of an odd level paired with itself.

That pairing makes [a, b, c] and [a, b, c, c] share a root (CVE-2012-2459), so computing a root here also detects leaves
that could be such a padded list. A node cannot pass for a leaf: a leaf is SHA-256 of an encoding, which
is never as short as the 32 bytes under a node's outer SHA-256.
"""

from collections.abc import Sequence

from app.domains.ledger.model import MAX_BRANCH_NODES
from app.domains.ledger.rules.hashing import HASH_BYTES, double_sha256


class MutatedMerkleTree(ValueError):
    """Two equal siblings: the list of leaves is another list padded with copies."""


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over at least one 32-byte leaf; raises MutatedMerkleTree."""
    return merkle_levels(leaves)[-1][0]


def merkle_branch(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """Siblings from the leaf at `index` of these levels up to below the root: what `verify_branch` needs."""
    if not 0 <= index < len(levels[0]):
        raise IndexError(f"leaf {index} of {len(levels[0])}")
    branch = []
    for level in levels[:-1]:
        sibling = index ^ 1
        branch.append(level[sibling] if sibling < len(level) else level[index])
        index >>= 1
    return tuple(branch)


def verify_branch(leaf: bytes, branch: Sequence[bytes], index: int, root: bytes) -> bool:
    """Whether `leaf` is at `index` in the tree under `root`. Never raises: a malformed proof is False."""
    if len(branch) > MAX_BRANCH_NODES or not 0 <= index < 1 << len(branch):
        return False
    if any(len(node) != HASH_BYTES for node in (leaf, root, *branch)):
        return False
    node = leaf
    for sibling in branch:
        if index & 1:
            # Only the padding copy of an odd level equals its left sibling, and a copy is not a leaf of the block.
            if sibling == node:
                return False
            node = double_sha256(sibling + node)
        else:
            node = double_sha256(node + sibling)
        index >>= 1
    return node == root


def merkle_levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """All nodes, from the leaves (at least one, 32 bytes each) up to the root; raises MutatedMerkleTree."""
    if not leaves:
        raise ValueError("a merkle tree has at least one leaf")
    levels: list[Sequence[bytes]] = [leaves]
    level = leaves
    while len(level) > 1:
        above = []
        for left in range(0, len(level) - 1, 2):
            if level[left] == level[left + 1]:
                raise MutatedMerkleTree(f"nodes {left} and {left + 1} of level {len(levels) - 1} are equal")
            above.append(double_sha256(level[left] + level[left + 1]))
        if len(level) % 2:
            above.append(double_sha256(level[-1] + level[-1]))
        levels.append(above)
        level = above
    return levels
