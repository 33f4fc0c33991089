"""Addresses, private keys and signatures of each network. Pure."""

import re
from typing import Any, Final

from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric import ec
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from app.domains.campaigns.networks.model import (
    MAX_ADDRESS_CHARS,
    MAX_PRIVATE_KEY_CHARS,
    MAX_SIGNATURE_CHARS,
    Network,
    PrivateKey,
)
from app.kit.errors import InvalidInput

_ETHEREUM: Final = re.compile(r"0[xX]([0-9a-fA-F]{40})", re.ASCII)
_HEX_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_HEX_SIGNATURE: Final = re.compile(r"0x([0-9a-fA-F]{130})", re.ASCII)
_RECOVERY_IDS: Final = {0: 0, 1: 1, 27: 0, 28: 1}
"""By the last byte of a signature: Ethereum adds 27, and hardware wallets do not."""


def address(text: str, network: Network, field: str, *, off_curve: bool = True) -> str:
    """The address as it is stored. `off_curve`: whether it may be one that no private key has. Raises InvalidInput."""
    match network:
        case Network.SOLANA:
            return _solana(text, field, off_curve=off_curve)
        case Network.ETHEREUM:
            return _ethereum(text, field)
        case Network.INTERNAL:
            raise InvalidInput(field, "There are no addresses in the network INTERNAL.")


def keccak256(data: bytes) -> bytes:
    """The digest that Ethereum uses: Keccak as it was before SHA-3 was made of it."""
    return keccak.new(digest_bits=256, data=data).digest()


def private_key(text: str, network: Network, address: str, field: str) -> PrivateKey:
    """The private key of an address. Raises InvalidInput, which does not quote it."""
    secret = _secret(text.strip(), network) if len(text) <= MAX_PRIVATE_KEY_CHARS else None
    if secret is None:
        forms = {
            Network.SOLANA: "32 or 64 bytes in Base58",
            Network.ETHEREUM: "64 hexadecimal digits",
            Network.INTERNAL: "not there: the network INTERNAL has none",
        }
        raise InvalidInput(field, f"A private key of this network is {forms[network]}.")
    if _address_of(secret, network) != address:
        raise InvalidInput(field, "This is the private key of another address.")
    return PrivateKey(secret)


def is_signed(message: str, signature: str, network: Network, address: str) -> bool:
    """Whether the private key of an address has signed a message: ed25519 over its bytes for Solana, in Base58; for
    Ethereum the signature of EIP-191 (`personal_sign`), or that of its `typed_data`, in hexadecimal digits.
    """
    if len(signature) > MAX_SIGNATURE_CHARS:
        return False
    match network:
        case Network.SOLANA:
            return _is_signed_for_solana(message.encode(), signature, address)
        case Network.ETHEREUM:
            digests = (_personal_digest(message.encode()), _typed_digest(message.encode()))
            return any(_is_signed_for_ethereum(digest, signature, address) for digest in digests)
        case Network.INTERNAL:
            return False


def typed_data(message: str) -> dict[str, Any]:
    """What a wallet of Ethereum signs by EIP-712 (`eth_signTypedData_v4`) in place of a message."""
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
            "WalletProof": [{"name": "message", "type": "string"}],
        },
        "primaryType": "WalletProof",
        "domain": {"name": "Moneta", "version": "1"},
        "message": {"message": message},
    }


def _personal_digest(message: bytes) -> bytes:
    return keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))


def _typed_digest(message: bytes) -> bytes:
    domain = (b"EIP712Domain(string name,string version)", b"Moneta", b"1")
    proof = (b"WalletProof(string message)", message)
    return keccak256(b"\x19\x01" + b"".join(keccak256(b"".join(map(keccak256, each))) for each in (domain, proof)))


def _is_signed_for_ethereum(digest: bytes, signature: str, address: str) -> bool:
    # It takes longer to import than anything else here, and only who proves a wallet needs it.
    from eth_keys.datatypes import Signature as EthereumSignature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    found = _HEX_SIGNATURE.fullmatch(signature)
    made = b"" if found is None else bytes.fromhex(found[1])
    if not made or (recovery := _RECOVERY_IDS.get(made[64])) is None:
        return False
    try:
        public = EthereumSignature(made[:64] + bytes([recovery])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return False
    return _ethereum_address(public.to_bytes()) == address


def _solana(text: str, field: str, *, off_curve: bool) -> str:
    try:
        if len(text) > MAX_ADDRESS_CHARS:
            raise ValueError
        key = Pubkey.from_string(text)
    except ValueError:
        raise InvalidInput(field, "An address of Solana is 32 bytes in Base58, 32 to 44 characters.") from None
    if not off_curve and not key.is_on_curve():
        raise InvalidInput(field, "No private key has this address: it was derived by a program of Solana.")
    return text


def _ethereum(text: str, field: str) -> str:
    found = _ETHEREUM.fullmatch(text)
    if found is None:
        raise InvalidInput(field, "An address of Ethereum is 0x and 40 hexadecimal digits.")
    digits, correct = found[1], _checksummed(found[1])
    if digits not in {digits.lower(), digits.upper()} and f"0x{digits}" != correct:
        raise InvalidInput(field, "The checksum of this address is wrong (EIP-55): a character was changed.")
    return correct


def _checksummed(digits: str) -> str:
    """An address of Ethereum with its checksum by EIP-55, from 40 hexadecimal digits."""
    lower = digits.lower()
    cases = keccak256(lower.encode()).hex()
    return "0x" + "".join(each.upper() if case > "7" else each for each, case in zip(lower, cases, strict=False))


def _secret(text: str, network: Network) -> bytes | None:
    match network:
        case Network.SOLANA:
            return _solana_secret(text)
        case Network.ETHEREUM:
            found = _HEX_KEY.fullmatch(text)
            return None if found is None else bytes.fromhex(found[1])
        case Network.INTERNAL:
            return None


def _solana_secret(text: str) -> bytes | None:
    # Wallets export the private key alone, which looks as an address does, or with the public one after it.
    try:
        return bytes(Pubkey.from_string(text))
    except ValueError:
        pass
    try:
        return Keypair.from_base58_string(text).secret()
    except ValueError:
        return None


def _address_of(secret: bytes, network: Network) -> str | None:
    """None: no address has this key."""
    if network is Network.SOLANA:
        return str(Keypair.from_seed(secret).pubkey())
    try:
        numbers = ec.derive_private_key(int.from_bytes(secret), ec.SECP256K1()).public_key().public_numbers()
    except ValueError:
        return None
    return _ethereum_address(numbers.x.to_bytes(32) + numbers.y.to_bytes(32))


def _ethereum_address(public: bytes) -> str:
    return _checksummed(keccak256(public)[12:].hex())


def _is_signed_for_solana(message: bytes, signature: str, address: str) -> bool:
    try:
        return Signature.from_string(signature).verify(Pubkey.from_string(address), message)
    except ValueError:
        return False
