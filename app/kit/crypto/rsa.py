"""RSA signatures: RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes, the digest's length.

On the machine this was written on (2 cores): 40-120 ms to generate a key, 0.65 ms to load one and sign,
0.03 ms to verify with the key in the cache. Generate in a thread.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_public_key,
)

KEY_BITS = 2048
MAX_KEY_BITS = 4096
EXPONENT = 65537
# A 4,096-bit key is 800 characters of PEM; what is longer is not parsed.
MAX_PEM_CHARS = 4096
# 2.5 KB a key once it has verified something (measured): 20 MB when full.
CACHED_KEYS = 8192

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class BadPublicKey(ValueError):
    """The public key is not one that is accepted; the message says why, for its sender to read."""


class RsaKey(msgspec.Struct, frozen=True):
    """A key pair: PKCS#8 and SubjectPublicKeyInfo, both DER. The private half never shows in a repr."""

    private_der: bytes
    public_der: bytes

    def __repr__(self) -> str:
        return f"RsaKey(fingerprint={fingerprint(self.public_der)!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # msgspec defines this method for records as well, and rich would print the private key.
        return [("fingerprint", fingerprint(self.public_der))]


def generate_rsa_key() -> RsaKey:
    """A new RSA-2048 pair, e = 65537. Takes some 100 ms of a core."""
    key = rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)
    return RsaKey(
        private_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        public_der=_public_der(key.public_key()),
    )


def sign(private_der: bytes, message: bytes) -> bytes:
    """The signature of `message` (which is hashed here) by a key of `generate_rsa_key`."""
    # The full check of a private key costs 40 ms a load, sixty signatures' worth. It guards against keys
    # made to leak; this one was made above and has since lain under authenticated encryption.
    key = load_der_private_key(private_der, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the private key is not an RSA key")
    return key.sign(message, _PSS, hashes.SHA256())


def verify(public_der: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is valid. It never raises; with a key that is not accepted, no signature is valid."""
    try:
        _load_public(public_der).verify(signature, message, _PSS, hashes.SHA256())
    except (BadPublicKey, InvalidSignature):
        return False
    return True


def fingerprint(public_der: bytes) -> str:
    """Hex SHA-256 of the key's SubjectPublicKeyInfo DER."""
    return sha256(public_der).hexdigest()


def parse_public_key(pem: str) -> bytes:
    """The canonical SubjectPublicKeyInfo DER of a PEM public key of 2,048 to 4,096 bits with e = 65537.

    However the PEM was wrapped or encoded, one key has one DER and so one fingerprint. Raises BadPublicKey.
    """
    if len(pem) > MAX_PEM_CHARS:
        raise BadPublicKey(f"the key is longer than {MAX_PEM_CHARS} characters")
    if "PRIVATE KEY" in pem:
        raise BadPublicKey("this is a private key: keep it to yourself and send the public one")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadPublicKey("the key is not a PEM public key") from None
    return _public_der(_accept(key))


def public_pem(public_der: bytes) -> str:
    """The `BEGIN PUBLIC KEY` PEM of an accepted key. Raises BadPublicKey."""
    return _load_public(public_der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=CACHED_KEYS)
def _load_public(public_der: bytes) -> rsa.RSAPublicKey:
    try:
        key = load_der_public_key(public_der)
    except (ValueError, UnsupportedAlgorithm):
        raise BadPublicKey("the key is not a DER public key") from None
    return _accept(key)


def _accept(key: object) -> rsa.RSAPublicKey:
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadPublicKey("the key is not an RSA key")
    if not KEY_BITS <= key.key_size <= MAX_KEY_BITS:
        raise BadPublicKey(f"the key has {key.key_size} bits, not {KEY_BITS} to {MAX_KEY_BITS}")
    numbers = key.public_numbers()
    if numbers.e != EXPONENT:
        raise BadPublicKey(f"the key's exponent is not {EXPONENT}")
    if numbers.n % 2 == 0:
        raise BadPublicKey("the key's modulus is even")
    return key


def _public_der(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
