"""Custodial private keys: encrypted with the keyring, decrypted to sign, rewrapped when the keyring changes."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domains.ledger.model import KeyRotation, WalletKey
from app.domains.ledger.statements import WalletSql
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Tx
from app.kit.rewrapping import Stored, rewrap_all


@dataclass(frozen=True)
class Keys:
    """The private keys that Moneta holds. Each is bound to its wallet and owner, and decrypts for no other."""

    database: Database
    clock: Clock
    keyring: Keyring

    def seal(self, private_der: bytes, wallet_id: str, user_id: UUID) -> Sealed:
        """Returns the key as it is stored."""
        return self.keyring.seal(private_der, _aad(wallet_id, user_id))

    def open(self, key: WalletKey) -> bytes:
        """Returns the private key, PKCS#8 DER. Raises SealBroken or UnknownKey."""
        return self.keyring.open(_sealed(key), _aad(key.wallet_id, key.user_id))

    async def rotate(self) -> AsyncGenerator[KeyRotation, None]:
        """Rewraps every key that is not under the active key-encryption key, and yields progress after each batch. New
        wallets are under the active key from the start. Raises SealBroken or UnknownKey.
        """
        active = self.keyring.active
        total = await self.database.write(SYSTEM, lambda tx: tx.fetch_one(WalletSql.count_keys_to_rewrap, active)) or 0
        async for rewrapped in rewrap_all(self.database, self.keyring, WalletSql.keys_to_rewrap, _stored, self._store):
            yield KeyRotation(rewrapped, max(total, rewrapped))

    async def _store(self, tx: Tx, wallet_ids: Sequence[str], wrapped: Sequence[bytes]) -> None:
        now = self.clock.now()
        await tx.execute(WalletSql.rewrap_keys, self.keyring.active, list(wallet_ids), list(wrapped), now)


def _stored(key: WalletKey) -> Stored:
    return Stored(key.wallet_id, _sealed(key), _aad(key.wallet_id, key.user_id))


def _sealed(key: WalletKey) -> Sealed:
    return Sealed(kek_id=key.kek_id, wrapped_key=key.wrapped_key, ciphertext=key.ciphertext)


def _aad(wallet_id: str, user_id: UUID) -> bytes:
    return f"wallet-key:{wallet_id}:{user_id}".encode()
