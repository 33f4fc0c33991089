"""Beneficiaries: the recipients that a user has saved."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.services import LedgerServices
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.engine.declarations.relations import paged, related
from app.schema.context import Info
from app.schema.ledger.payments import IDEMPOTENCY_KEY, RecipientNotFound
from app.schema.ledger.wallets import Wallet
from app.schema.scalars import Hash
from app.schema.searches import search_of

_NAME = "The full name, at most 255 characters. Null for none."
_NICKNAME = "The viewer's name for the recipient, at most 255 characters. Null for none."


@node_type(by=loaders.beneficiary_by_id)
class Beneficiary(Node):
    """A recipient that the viewer has saved. Visible to the viewer only."""

    beneficiary_name: str | None = strawberry.field(name="name", description=_NAME)
    nickname: str | None = strawberry.field(description=_NICKNAME)
    created_at: datetime = strawberry.field(description="When the recipient was saved.")
    wallet: Wallet = related(loaders.wallet_by_id, key="beneficiary_wallet_id", description="The wallet to pay.")


@strawberry.input
class AddBeneficiaryInput:
    """The recipient to save."""

    wallet_id: Hash = strawberry.field(description="The `walletId` of the wallet to pay.")
    name: str | None = strawberry.field(default=None, description=_NAME)
    nickname: str | None = strawberry.field(default=None, description=_NICKNAME)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class AddBeneficiaryPayload:
    """The recipient was saved."""

    beneficiary: Beneficiary = strawberry.field(description="The new beneficiary.")


@strawberry.input
class UpdateBeneficiaryInput:
    """New names of a beneficiary. A name that is left out stays unchanged, and null clears one."""

    id: strawberry.ID = strawberry.field(description="The global ID of the beneficiary.")
    name: str | None = changeable(description=_NAME)
    nickname: str | None = changeable(description=_NICKNAME)


@strawberry.type
class UpdateBeneficiaryPayload:
    """The beneficiary was renamed."""

    beneficiary: Beneficiary = strawberry.field(description="The beneficiary with its new names.")


@strawberry.input
class RemoveBeneficiaryInput:
    """The beneficiary to remove."""

    id: strawberry.ID = strawberry.field(description="The global ID of the beneficiary.")


@strawberry.type
class RemoveBeneficiaryPayload:
    """The beneficiary was removed."""

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, which is no longer in use.")


@problem_type(model.BeneficiaryExists)
class BeneficiaryExists(Problem):
    """The wallet is one of the viewer's beneficiaries already."""


@strawberry.type
class BeneficiaryMutation:
    """Changes to the viewer's beneficiaries."""

    @mutation(
        AddBeneficiaryPayload,
        InvalidInput,
        RecipientNotFound,
        BeneficiaryExists,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def add_beneficiary(self, info: Info, input: AddBeneficiaryInput) -> Any:
        """Saves a recipient."""
        beneficiary: Any = await info.context.services[LedgerServices].beneficiaries.add(
            info.context.require_viewer(), input.wallet_id, input.name, input.nickname, input.idempotency_key
        )
        return AddBeneficiaryPayload(beneficiary=beneficiary)

    @mutation(UpdateBeneficiaryPayload, InvalidInput, NotFound)
    async def update_beneficiary(self, info: Info, input: UpdateBeneficiaryInput) -> Any:
        """Renames a beneficiary."""
        beneficiary: Any = await info.context.services[LedgerServices].beneficiaries.update(
            info.context.require_viewer(), key_of(input.id, Beneficiary), changes_of(input, model.BeneficiaryChanges)
        )
        return UpdateBeneficiaryPayload(beneficiary=beneficiary)

    @mutation(RemoveBeneficiaryPayload, NotFound)
    async def remove_beneficiary(self, info: Info, input: RemoveBeneficiaryInput) -> Any:
        """Removes a beneficiary."""
        await info.context.services[LedgerServices].beneficiaries.remove(
            info.context.require_viewer(), key_of(input.id, Beneficiary)
        )
        return RemoveBeneficiaryPayload(deleted_id=input.id)


@strawberry.input
class BeneficiaryFilter:
    """Filters beneficiaries by all fields that are given. A field that is null or omitted matches all."""

    wallet_id: Hash | None = strawberry.field(default=None, description="The `walletId` of the recipient.")


@strawberry.type
class BeneficiaryViewer:
    """The viewer's beneficiaries."""

    beneficiaries: Connection[Beneficiary] = paged(
        loaders.beneficiaries_by_user,
        key="user_id",
        filter=BeneficiaryFilter,
        filtering=search_of("the name or the nickname"),
        description="The recipients that the viewer saved, newest first.",
    )
