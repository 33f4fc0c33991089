"""Saved recipients."""

from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.ledger.model import Beneficiary, BeneficiaryChanges, BeneficiaryExists, RecipientNotFound
from app.domains.ledger.statements import BeneficiarySql
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.idempotency import KeyedRequest, Made, once
from app.kit.text import is_storable

MAX_NAME_CHARS = 255


@dataclass(frozen=True)
class Beneficiaries:
    """Changes users' saved recipients."""

    database: Database
    clock: Clock

    async def add(
        self, viewer: Viewer, wallet_id: str, name: str | None, nickname: str | None, idempotency_key: str
    ) -> Beneficiary:
        """Saves a recipient. Raises InvalidInput, RecipientNotFound, BeneficiaryExists, IdempotencyKeyReused.

        A replay whose beneficiary has since been removed raises NotFound.
        """

        async def add(tx: Tx) -> Made:
            names = _name("name", name), _name("nickname", nickname)
            found = await tx.fetch_one(
                BeneficiarySql.insert_beneficiary, viewer.user_id, wallet_id, *names, self.clock.now()
            )
            if found is None:
                raise RecipientNotFound
            (id_,) = found
            if id_ is None:
                raise BeneficiaryExists
            return Made(id_)

        request = [wallet_id, _trimmed(name), _trimmed(nickname)]
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "addBeneficiary", request)

        async def work(tx: Tx) -> Beneficiary:
            added = await once(tx, keyed, lambda: add(tx), Made)
            return _found(await tx.fetch_one(BeneficiarySql.beneficiary, added.result.id, viewer.user_id))

        return await self.database.write(viewer.scope, work)

    async def update(self, viewer: Viewer, id: UUID, changes: BeneficiaryChanges) -> Beneficiary:
        """Changes names; None or a blank text clears one. Raises InvalidInput, NotFound."""
        names = (
            changes.name is not UNSET,
            None if changes.name is UNSET else _name("name", changes.name),
            changes.nickname is not UNSET,
            None if changes.nickname is UNSET else _name("nickname", changes.nickname),
        )

        async def work(tx: Tx) -> Beneficiary:
            return _found(await tx.fetch_one(BeneficiarySql.update_beneficiary, id, viewer.user_id, *names))

        return await self.database.write(viewer.scope, work)

    async def remove(self, viewer: Viewer, id: UUID) -> None:
        """Deletes a beneficiary. Raises NotFound, also if it was deleted before."""
        if not await self.database.write(
            viewer.scope, lambda tx: tx.execute(BeneficiarySql.delete_beneficiary, id, viewer.user_id)
        ):
            raise NotFound


def _found(beneficiary: Beneficiary | None) -> Beneficiary:
    if beneficiary is None:
        raise NotFound
    return beneficiary


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip() or None


def _name(field: str, text: str | None) -> str | None:
    name = _trimmed(text)
    if name is None:
        return None
    if len(name) > MAX_NAME_CHARS:
        raise InvalidInput(field, f"A name has at most {MAX_NAME_CHARS} characters.")
    if not is_storable(name):
        raise InvalidInput(field, "A name holds no control characters.")
    return name
