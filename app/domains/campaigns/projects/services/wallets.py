"""Where projects pay from. The private keys that tenants give are shown to nobody."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.domains.campaigns.networks.model import Network, PrivateKey
from app.domains.campaigns.networks.rules import address, private_key
from app.domains.campaigns.projects.model import NewWallet, SealedKey, WalletInUse
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults
from app.kit.rewrapping import Stored, rewrap_all


@dataclass(frozen=True)
class ProjectWallets:
    """The wallets of all projects."""

    database: Database
    clock: Clock
    keyring: Keyring = field(repr=False)

    async def put(self, tx: Tx, tenancy: Tenancy, project_id: UUID, network: Network, wallet: NewWallet | None) -> None:
        """The wallet of a project that the transaction has locked, in place of the one before; None: none. Raises
        InvalidInput, WalletInUse.
        """
        checked = None if wallet is None else checked_wallet(wallet, network)
        await tx.execute(ProjectSql.remove_wallet, project_id)
        if checked is None:
            return
        (text, key), row = checked, (project_id, tenancy.tenant_id, tenancy.livemode)
        now = self.clock.now()
        if await tx.fetch_one(ProjectSql.insert_wallet, *row, network, text, key is not None, now) is None:
            raise WalletInUse
        if key is not None:
            sealed = self.keyring.seal(key.secret, _aad(*row))
            await tx.execute(
                ProjectSql.insert_wallet_key, *row, sealed.kek_id, sealed.wrapped_key, sealed.ciphertext, now
            )

    async def key_of(self, tenancy: Tenancy, project_id: UUID) -> PrivateKey | None:
        """The private key of the wallet of a project, to pay with; None: Moneta has none. Raises SealBroken,
        UnknownKey.
        """
        row = project_id, tenancy.tenant_id, tenancy.livemode
        found = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(ProjectSql.key_of_wallet, *row))
        return None if found is None else PrivateKey(self.keyring.open(_sealed(found), _aad(*row)))

    def rotate(self) -> AsyncGenerator[int, None]:
        """Rewraps the keys that are not under the active key-encryption key; yields how many so far. Raises SealBroken
        or UnknownKey.
        """
        return rewrap_all(self.database, self.keyring, ProjectSql.wallet_keys_to_rewrap, _stored, self._store)

    async def _store(self, tx: Tx, ids: Sequence[UUID], wrapped: Sequence[bytes]) -> None:
        now = self.clock.now()
        await tx.execute(ProjectSql.rewrap_wallet_keys, self.keyring.active, list(ids), list(wrapped), now)


def checked_wallet(wallet: NewWallet, network: Network) -> tuple[str, PrivateKey | None]:
    """The address as it is stored, and the key. Raises InvalidInput."""
    with Faults() as faults, faults.at("wallet"):
        text = address(wallet.address, network, "address", off_curve=wallet.private_key is None)
        key = None if wallet.private_key is None else private_key(wallet.private_key, network, text, "private_key")
    return text, key


def _stored(found: SealedKey) -> Stored:
    return Stored(found.project_id, _sealed(found), _aad(found.project_id, found.tenant_id, found.livemode))


def _sealed(found: SealedKey) -> Sealed:
    return Sealed(kek_id=found.kek_id, wrapped_key=found.wrapped_key, ciphertext=found.ciphertext)


def _aad(project_id: UUID, tenant_id: UUID, livemode: bool) -> bytes:
    return f"project-wallet:{project_id}:{tenant_id}:{'live' if livemode else 'test'}".encode()
