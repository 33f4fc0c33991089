"""Inclusion proofs: evidence that a transaction is in a block, which can be checked without a database.

A proof shows that the transaction is under a header, and the work of that header. It does not show that the header is
on the chain with the most work: for that, compare the block's hash with a trusted source.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from app.domains.ledger.model import MAX_BRANCH_NODES, Block
from app.domains.ledger.rules.difficulty import MIN_DIFFICULTY_BITS
from app.domains.ledger.rules.hashing import HASH_BYTES, double_sha256
from app.domains.ledger.rules.header import (
    HEADER_BYTES,
    BlockHeader,
    MalformedHeader,
    decode_header,
    encode_header,
    meets_difficulty,
)
from app.domains.ledger.rules.merkle import merkle_branch, merkle_levels, verify_branch

# A branch of 32 nodes is under 3 KB, so anything much longer is not a proof.
MAX_PROOF_CHARS = 64 * 1024


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A transaction's position under a block header. All but `index` and `block_height` is lower-case hex."""

    transaction_hash: str
    block_hash: str
    block_height: int
    merkle_root: str
    header: str
    """The 92 bytes that are hashed."""
    index: int
    """Position of the transaction in its block, the coinbase at 0."""
    branch: tuple[str, ...]
    """Sibling hashes from the transaction to just below the root."""


class BlockLeaves(msgspec.Struct, frozen=True, dict=True):
    """Hashes of the transactions of the block at a height, in its order."""

    block_height: int
    hashes: list[str]

    @cached_property
    def levels(self) -> Sequence[Sequence[bytes]]:
        """Their merkle tree, computed once for all branches."""
        return merkle_levels([bytes.fromhex(digest) for digest in self.hashes])


class ProofVerdict(msgspec.Struct, frozen=True):
    """Whether a proof is valid, and one line with the reason."""

    valid: bool
    reason: str


def header_of(block: Block) -> BlockHeader:
    """Returns the header of a stored block."""
    return BlockHeader(
        version=block.version,
        previous_hash=bytes.fromhex(block.previous_hash),
        merkle_root=bytes.fromhex(block.merkle_root),
        height=block.height,
        timestamp_s=int(block.timestamp.timestamp()),
        difficulty_bits=block.difficulty,
        nonce=block.nonce,
    )


def inclusion_proof(block: Block, leaves: BlockLeaves, index: int) -> InclusionProof:
    """Returns the proof for the transaction at `index` of a stored block."""
    return InclusionProof(
        transaction_hash=leaves.hashes[index],
        block_hash=block.block_hash,
        block_height=block.height,
        merkle_root=block.merkle_root,
        header=encode_header(header_of(block)).hex(),
        index=index,
        branch=tuple(node.hex() for node in merkle_branch(leaves.levels, index)),
    )


def verify_proof_json(text: str) -> ProofVerdict:
    """Verifies a proof in JSON: the `inclusionProof` object, alone or in the GraphQL response that contains it."""
    if len(text) > MAX_PROOF_CHARS:
        return ProofVerdict(False, f"malformed: longer than {MAX_PROOF_CHARS} characters")
    try:
        proof = msgspec.convert(_unwrapped(msgspec.json.decode(text)), InclusionProof)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as fault:
        return ProofVerdict(False, f"malformed: {str(fault) or type(fault).__name__}")
    return verify_proof(proof)


def verify_proof(proof: InclusionProof) -> ProofVerdict:
    """Verifies a proof: the header's hash and work, its fields, and the branch up to its root."""
    try:
        leaf, block_hash, root = (
            _hash(name, value)
            for name, value in (
                ("transactionHash", proof.transaction_hash),
                ("blockHash", proof.block_hash),
                ("merkleRoot", proof.merkle_root),
            )
        )
        encoding = _bytes("header", proof.header, HEADER_BYTES)
        header = decode_header(encoding)
        if len(proof.branch) > MAX_BRANCH_NODES:
            raise _Malformed(f"branch has more than {MAX_BRANCH_NODES} nodes")
        branch = [_hash(f"branch[{index}]", node) for index, node in enumerate(proof.branch)]
    except (_Malformed, MalformedHeader) as fault:
        return ProofVerdict(False, f"malformed: {fault}")
    fault_found = _header_fault(proof, header, double_sha256(encoding), block_hash, root)
    if fault_found is None and not verify_branch(leaf, branch, proof.index, root):
        fault_found = "the branch does not lead from the transaction to the merkle root"
    if fault_found is not None:
        return ProofVerdict(False, fault_found)
    return ProofVerdict(
        True,
        f"transaction {proof.transaction_hash} is number {proof.index} of block {header.height} ({proof.block_hash}), "
        f"which shows {header.difficulty_bits} bits of work",
    )


def _header_fault(
    proof: InclusionProof, header: BlockHeader, digest: bytes, block_hash: bytes, root: bytes
) -> str | None:
    if digest != block_hash:
        return f"the header hashes to {digest.hex()}, not to the block's hash"
    if header.difficulty_bits < MIN_DIFFICULTY_BITS or not meets_difficulty(digest, header.difficulty_bits):
        return f"the block's hash does not show the {header.difficulty_bits} bits of work that its header states"
    if header.merkle_root != root:
        return f"the header states the merkle root {header.merkle_root.hex()}"
    if header.height != proof.block_height:
        return f"the header states the height {header.height}"
    return None


class _Malformed(ValueError):
    """A malformed field; the message says which."""


def _unwrapped(document: Any) -> Any:
    """Returns the proof in a GraphQL response, or the document itself."""
    for name in ("data", "transaction", "inclusionProof"):
        if isinstance(document, dict) and name in document:
            document = document[name]
    return document


def _hash(name: str, text: str) -> bytes:
    return _bytes(name, text, HASH_BYTES)


def _bytes(name: str, text: str, length: int) -> bytes:
    # `fromhex` skips spaces and accepts capitals, so one proof would have several encodings.
    if len(text) != 2 * length or set(text) - set("0123456789abcdef"):
        raise _Malformed(f"{name} is not {2 * length} lower-case hex digits")
    return bytes.fromhex(text)
