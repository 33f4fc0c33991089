"""Proofs that a transaction is in a block."""

from dataclasses import dataclass

from app.domains.ledger.proof import InclusionProof
from app.domains.ledger.rules.header import BlockHeader, encode_header
from app.domains.ledger.rules.merkle import merkle_branch
from app.domains.ledger.services.head import Q
from app.kit.db import Database


@dataclass(frozen=True)
class Proofs:
    """Makes proofs from the chain as it is stored."""

    database: Database

    async def inclusion_proof(self, transaction_hash: str) -> InclusionProof | None:
        """The proof for a confirmed transaction; None while it is not in a block, or unknown."""
        row = await self.database.fetch_one(Q.block_leaves, transaction_hash)
        if row is None:
            return None
        block_hash, previous_hash, version, root, height, timestamp_s, difficulty_bits, nonce, index, hashes = row
        header = BlockHeader(
            version=version,
            previous_hash=bytes.fromhex(previous_hash),
            merkle_root=bytes.fromhex(root),
            height=height,
            timestamp_s=timestamp_s,
            difficulty_bits=difficulty_bits,
            nonce=nonce,
        )
        branch = merkle_branch([bytes.fromhex(leaf) for leaf in hashes], index)
        return InclusionProof(
            transaction_hash=transaction_hash,
            block_hash=block_hash,
            block_height=height,
            merkle_root=root,
            header=encode_header(header).hex(),
            index=index,
            branch=tuple(node.hex() for node in branch),
        )
