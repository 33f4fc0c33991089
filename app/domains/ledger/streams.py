"""Names of the ledger's event streams."""

CHAIN_STREAM = "chain"
_WALLET = "wallet:"


def wallet_stream(wallet_id: str) -> str:
    """Returns the name of a wallet's stream."""
    return f"{_WALLET}{wallet_id}"


def wallet_of(stream: str) -> str:
    """Returns the wallet id of a wallet's stream."""
    return stream.removeprefix(_WALLET)
