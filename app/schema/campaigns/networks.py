"""Networks in the graph."""

from app.domains.campaigns.networks.model import Network
from app.schema.enums import declare_enum

__all__ = ["ADDRESS", "Network"]

ADDRESS = (
    "In SOLANA 32 bytes in Base58; in ETHEREUM 0x and 40 hexadecimal digits, whose checksum (EIP-55) is right, or which"
    " are all in one case."
)

declare_enum(
    Network,
    name="TokenNetwork",
    description="Where a token is.",
    INTERNAL="In no chain: Moneta keeps the amounts. There are no addresses.",
    SOLANA="In Solana.",
    ETHEREUM="In Ethereum, or in a chain with the same addresses.",
)
