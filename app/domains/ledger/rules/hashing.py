"""The two hashes of the ledger."""

from hashlib import sha256 as _sha256

HASH_BYTES = 32


def sha256(data: bytes) -> bytes:
    """Identifies transactions and wallets."""
    return _sha256(data).digest()


def double_sha256(data: bytes) -> bytes:
    """Identifies blocks and merkle nodes, as in Bitcoin."""
    return _sha256(_sha256(data).digest()).digest()
