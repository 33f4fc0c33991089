"""Keys of the ledger's objects, as clients give them."""

import re

from app.engine.nodes import key_of
from app.kit.errors import NotFound

_HASH = re.compile(r"[0-9a-f]{64}")


def parse_hash(text: str) -> str:
    """A hash or a wallet id. Raises ValueError."""
    if not _HASH.fullmatch(text):
        raise ValueError("not a hash")
    return text


def wallet_id_of(text: str) -> str | None:
    """The wallet id in a wallet id or in a wallet's global id; None if it is neither."""
    if _HASH.fullmatch(text):
        return text
    try:
        return str(key_of(text, "Wallet"))
    except NotFound:
        return None
