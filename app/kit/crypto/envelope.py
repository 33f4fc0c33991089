"""Envelope encryption: each secret under a data key of its own, each data key under a key-encryption key.

Rotating the key-encryption key re-wraps the small data keys and leaves the ciphertexts as they are.
Every layer is AES-256-GCM with a random 96-bit nonce in front; a data key encrypts one message only, so
the 2**32 messages that random nonces allow bind only the number of wraps per key-encryption key.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BadKeyring(ValueError):
    """The key-encryption keys are not `id:base64,id:base64` with 32-byte keys. Never quotes them."""


class SealBroken(Exception):
    """The sealed value was altered, or is opened for another owner than it was sealed for."""


class UnknownKey(Exception):
    """The sealed value is under a key-encryption key that this keyring does not hold."""

    def __init__(self, kek_id: str) -> None:
        super().__init__(f"no key-encryption key {kek_id!r} in the keyring")
        self.kek_id = kek_id


class Sealed(msgspec.Struct, frozen=True):
    """An encrypted value as it is stored. `wrapped_key` and `ciphertext` are nonce, text and tag in a row."""

    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes


class Keyring:
    """The key-encryption keys: the active one wraps, all of them unwrap."""

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        for kek_id, key in keys.items():
            if not _KEY_ID.fullmatch(kek_id) or len(key) != KEY_BYTES:
                raise BadKeyring(f"a key id is 1 to 64 of A-Z a-z 0-9 . _ - and a key {KEY_BYTES} bytes")
        if active not in keys:
            raise BadKeyring("the active key is not among the keys")
        # The ciphers and not the bytes: nothing that prints this object can print a key.
        self._ciphers = {kek_id: AESGCM(key) for kek_id, key in keys.items()}
        self._active = active

    @classmethod
    def parse(cls, text: str, active: str | None = None) -> Self:
        """Reads `id:base64,id:base64`. The first is the active one unless `active` names another."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(text.split(","), start=1):
            kek_id, colon, encoded = entry.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                # Without its cause: an exception chain can end up in a log, and this one quotes a part of the secret.
                raise BadKeyring(f"key {position} is not id:base64") from None
            if not colon or kek_id in keys:
                raise BadKeyring(f"key {position} is not id:base64, or its id is there twice")
            keys[kek_id] = key
        return cls(keys, active if active is not None else next(iter(keys)))

    @classmethod
    def generate(cls, kek_id: str = "k1") -> Self:
        """A keyring of one new key that lives as long as this object; to keep one, store a `new_kek`."""
        return cls.parse(new_kek(kek_id))

    @property
    def active(self) -> str:
        """The id of the key that wraps."""
        return self._active

    def __repr__(self) -> str:
        return f"Keyring(keys={sorted(self._ciphers)}, active={self._active!r})"

    def seal(self, plaintext: bytes, aad: bytes) -> Sealed:
        """Encrypts under a fresh data key. `aad` names the owner (table, row, column); opening needs it."""
        data_key = secrets.token_bytes(KEY_BYTES)
        return Sealed(
            kek_id=self._active,
            wrapped_key=_encrypt(self._ciphers[self._active], data_key, aad),
            ciphertext=_encrypt(AESGCM(data_key), plaintext, aad),
        )

    def open(self, sealed: Sealed, aad: bytes) -> bytes:
        """Raises SealBroken or UnknownKey."""
        return _decrypt(AESGCM(self._unwrap(sealed, aad)), sealed.ciphertext, aad)

    def rewrap(self, sealed: Sealed, aad: bytes) -> Sealed:
        """The same ciphertext with its data key under the active key; `sealed` itself if it is there already.

        Raises SealBroken or UnknownKey.
        """
        if sealed.kek_id == self._active:
            return sealed
        wrapped_key = _encrypt(self._ciphers[self._active], self._unwrap(sealed, aad), aad)
        return Sealed(kek_id=self._active, wrapped_key=wrapped_key, ciphertext=sealed.ciphertext)

    def _unwrap(self, sealed: Sealed, aad: bytes) -> bytes:
        cipher = self._ciphers.get(sealed.kek_id)
        if cipher is None:
            raise UnknownKey(sealed.kek_id)
        data_key = _decrypt(cipher, sealed.wrapped_key, aad)
        # A short ciphertext stored in place of the wrapped key would authenticate, but it is not a key.
        if len(data_key) != KEY_BYTES:
            raise SealBroken("the wrapped key is not a key")
        return data_key


def new_kek(kek_id: str) -> str:
    """A new random key as an `id:base64` entry for `Keyring.parse`. It is a secret: never print it."""
    return f"{kek_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _encrypt(cipher: AESGCM, plaintext: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, aad)


def _decrypt(cipher: AESGCM, box: bytes, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        # ValueError: the value is too short to hold a nonce. The cause would add nothing.
        raise SealBroken("the sealed value was altered or belongs to another owner") from None
