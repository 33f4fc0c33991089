"""Creation of wallets, one with each user."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from app.domains.ledger.model import PublicKeyTaken
from app.domains.ledger.services.keys import Keys
from app.domains.ledger.statements import WalletSql
from app.kit.crypto.rsa import BadPublicKey, fingerprint, generate_rsa_key, parse_public_key
from app.kit.db import Tx
from app.kit.errors import InvalidInput
from app.kit.work import free_to_wait


def parsed_public_key(pem: str) -> bytes:
    """Returns the DER encoding of a public key in PEM. Raises InvalidInput."""
    try:
        return parse_public_key(pem)
    except BadPublicKey as fault:
        raise InvalidInput("public_key", f"The public key cannot be used: {fault}.") from None


@dataclass(frozen=True)
class Wallets:
    """Creates wallets."""

    keys: Keys

    async def prepare(self, public_key_pem: str | None) -> Callable[[Tx, UUID], Awaitable[None]]:
        """Does the slow part of creating a wallet. Returns what inserts the wallet of a new user, as the system.

        A PEM creates an external wallet, whose private key Moneta never sees; None creates a custodial one with a new
        key. Raises InvalidInput for a key that is not accepted; the insertion raises PublicKeyTaken.
        """
        if public_key_pem is not None:
            public_der, private_der = parsed_public_key(public_key_pem), None
        else:
            free_to_wait("a key")
            key = await asyncio.to_thread(generate_rsa_key)
            public_der, private_der = key.public_der, key.private_der
        wallet_id = fingerprint(public_der)

        async def insert(tx: Tx, user_id: UUID) -> None:
            sealed = None if private_der is None else self.keys.seal(private_der, wallet_id, user_id)
            box = (None, None, None) if sealed is None else (sealed.kek_id, sealed.wrapped_key, sealed.ciphertext)
            if await tx.fetch_one(WalletSql.insert_wallet, wallet_id, user_id, public_der, *box) is None:
                raise PublicKeyTaken

        return insert
