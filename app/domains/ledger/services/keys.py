"""Custodial private keys: encrypted with the keyring, decrypted to sign, rewrapped when the keyring changes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

from app.domains.ledger.model import KeyRotation, WalletKey
from app.domains.ledger.statements import WalletSql
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Tx

ROTATION_BATCH = 500


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
        """Rewraps every key that is not under the active key-encryption key, and yields progress after each batch.

        Each batch commits on its own, so an interrupted rotation can be resumed. New wallets are under the active key
        from the start. Raises SealBroken or UnknownKey at the first key that cannot be decrypted.
        """
        active = self.keyring.active
        total = await self.database.write(SYSTEM, lambda tx: tx.fetch_one(WalletSql.count_keys_to_rewrap, active)) or 0
        rewrapped = 0
        while batch := await self.database.write(SYSTEM, self._rewrap_batch):
            rewrapped += batch
            yield KeyRotation(rewrapped, max(total, rewrapped))

    async def _rewrap_batch(self, tx: Tx) -> int:
        keys = await tx.fetch(WalletSql.keys_to_rewrap, self.keyring.active, ROTATION_BATCH)
        if not keys:
            return 0
        wrapped = [self.keyring.rewrap(_sealed(key), _aad(key.wallet_id, key.user_id)).wrapped_key for key in keys]
        wallet_ids = [key.wallet_id for key in keys]
        await tx.execute(WalletSql.rewrap_keys, self.keyring.active, wallet_ids, wrapped, self.clock.now())
        return len(keys)


def _sealed(key: WalletKey) -> Sealed:
    return Sealed(kek_id=key.kek_id, wrapped_key=key.wrapped_key, ciphertext=key.ciphertext)


def _aad(wallet_id: str, user_id: UUID) -> bytes:
    return f"wallet-key:{wallet_id}:{user_id}".encode()
