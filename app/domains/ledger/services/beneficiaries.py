"""Saved recipients."""

from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.ledger.model import Beneficiary, BeneficiaryChanges, BeneficiaryExists, RecipientNotFound
from app.domains.ledger.statements import BeneficiarySql
from app.kit.changes import given
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound, ResultDeleted
from app.kit.idempotency import KeyedRequest, Made, check_key, once
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

        A replay whose beneficiary has since been removed raises ResultDeleted.
        """

        async def add(tx: Tx) -> Made:
            names = _names(name, nickname)
            found = await tx.fetch_one(
                BeneficiarySql.insert_beneficiary, viewer.user_id, wallet_id, *names, self.clock.now()
            )
            if found is None:
                raise RecipientNotFound(path=("wallet_id",))
            (id_,) = found
            if id_ is None:
                raise BeneficiaryExists
            return Made(id_)

        check_key(idempotency_key, lambda: _names(name, nickname))
        request = [wallet_id, _trimmed(name), _trimmed(nickname)]
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "addBeneficiary", request)

        async def work(tx: Tx) -> Beneficiary:
            added = await once(tx, keyed, lambda: add(tx), Made)
            found = await tx.fetch_one(BeneficiarySql.beneficiary, added.result.id, viewer.user_id)
            if found is None:
                raise ResultDeleted
            return found

        return await self.database.write(viewer.scope, work)

    async def update(self, viewer: Viewer, id: UUID, changes: BeneficiaryChanges) -> Beneficiary:
        """Changes names; None or a blank text clears one. Raises InvalidInput, NotFound."""
        name, nickname = _names(given(changes.name), given(changes.nickname))
        assert not changes.nulls, "null clears a name"
        names = changes.name is not UNSET, name, changes.nickname is not UNSET, nickname

        async def work(tx: Tx) -> Beneficiary:
            updated = await tx.fetch_one(BeneficiarySql.update_beneficiary, id, viewer.user_id, *names)
            if updated is None:
                raise NotFound(Beneficiary)
            return updated

        return await self.database.write(viewer.scope, work)

    async def remove(self, viewer: Viewer, id: UUID) -> None:
        """Deletes a beneficiary. Raises NotFound, also if it was deleted before."""
        if not await self.database.write(
            viewer.scope, lambda tx: tx.execute(BeneficiarySql.delete_beneficiary, id, viewer.user_id)
        ):
            raise NotFound(Beneficiary)


def _names(name: str | None, nickname: str | None) -> tuple[str | None, str | None]:
    with Faults() as faults:
        return faults.check(_name, name, "name"), faults.check(_name, nickname, "nickname")


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip() or None


def _name(text: str | None, field: str) -> str | None:
    name = _trimmed(text)
    if name is None:
        return None
    if len(name) > MAX_NAME_CHARS:
        raise InvalidInput(field, f"A name has at most {MAX_NAME_CHARS} characters.")
    if not is_storable(name):
        raise InvalidInput(field, "A name holds no control characters.")
    return name
