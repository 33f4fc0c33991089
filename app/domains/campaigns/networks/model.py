"""The networks on which tokens are, and wallets."""

from enum import StrEnum
from typing import Final

import msgspec

MAX_ADDRESS_CHARS: Final = 44
MAX_PRIVATE_KEY_CHARS: Final = 200
MAX_SIGNATURE_CHARS: Final = 200


class Network(StrEnum):
    """Where a token is."""

    INTERNAL = "internal"
    SOLANA = "solana"
    ETHEREUM = "ethereum"


class PrivateKey(msgspec.Struct, frozen=True):
    """The private key of a wallet: 32 bytes. No text of it shows any."""

    secret: bytes

    def __repr__(self) -> str:
        return "PrivateKey(...)"

    __str__ = __repr__
