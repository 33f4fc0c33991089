"""Names of the ledger's event streams."""

from enum import StrEnum

CHAIN_STREAM = "chain"
MEMPOOL_STREAM = "mempool"
_WALLET = "wallet:"


def wallet_stream(wallet_id: str) -> str:
    """Returns the name of a wallet's stream."""
    return f"{_WALLET}{wallet_id}"


def wallet_of(stream: str) -> str:
    """Returns the wallet id of a wallet's stream."""
    return stream.removeprefix(_WALLET)


class MempoolChange(StrEnum):
    """What happened in the mempool, as its events say it."""

    ACCEPTED = "mempool.accepted"
    CONFIRMED = "mempool.confirmed"
    """A block took transactions out of the mempool: one event for all of them."""
    FAILED = "mempool.failed"
