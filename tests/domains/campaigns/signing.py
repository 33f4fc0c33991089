"""Signatures as wallets make them."""

from eth_keys.datatypes import PrivateKey

from app.domains.campaigns.networks.rules import keccak256


def digest_of(message: bytes) -> bytes:
    """What is signed of a message, by EIP-191."""
    return keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))


def address_of(secret: int) -> str:
    """The address of a private key of Ethereum, with its checksum."""
    return PrivateKey(secret.to_bytes(32)).public_key.to_checksum_address()


def signed_by_ethereum(secret: int, message: bytes, *, first: int = 27) -> str:
    """A signature of a message. `first`: what the number of the key begins at."""
    return signed_digest(secret, digest_of(message), first=first)


def signed_digest(secret: int, digest: bytes, *, first: int = 27) -> str:
    """A signature of a digest."""
    made = PrivateKey(secret.to_bytes(32)).sign_msg_hash(digest).to_bytes()
    return f"0x{made[:64].hex()}{first + made[64]:02x}"
