"""Networks in the graph."""

from app.domains.campaigns.networks.model import Network
from app.schema.enums import declare_enum

__all__ = ["ADDRESS", "SIGNATURE", "Network"]

ADDRESS = (
    "In SOLANA 32 bytes in Base58; in ETHEREUM 0x and 40 hexadecimal digits, whose checksum (EIP-55) is right, or which"
    " are all in one case."
)
SIGNATURE = (
    "in SOLANA that of ed25519, in Base58; in ETHEREUM that of EIP-191 (`personal_sign`), or of EIP-712 over"
    " `typedData`, 0x and 130 hexadecimal digits."
)

declare_enum(
    Network,
    name="TokenNetwork",
    description="Where a token is.",
    INTERNAL="In no chain: Moneta keeps the amounts. There are no addresses.",
    SOLANA="In Solana.",
    ETHEREUM="In Ethereum, or in a chain with the same addresses.",
)
