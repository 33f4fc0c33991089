"""Signatures as wallets make them."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.kit.crypto.keccak import keccak256
from app.kit.crypto.secp256k1 import recover


def signed_by_ethereum(secret: int, message: bytes) -> tuple[bytes, bytes, int]:
    """The public key, 64 bytes of r and s, and whether the y of the signature is odd."""
    key = ec.derive_private_key(secret, ec.SECP256K1())
    numbers = key.public_key().public_numbers()
    public = numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    digest = keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    [odd] = [each for each in (0, 1) if recover(digest, r, s, is_odd=bool(each)) == public]
    return public, r.to_bytes(32) + s.to_bytes(32), odd
