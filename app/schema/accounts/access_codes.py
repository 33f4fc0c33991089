"""Access codes: each permits one registration, and admins create them."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.accounts import loaders
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.administration import MAX_CODES
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, mutation
from app.engine.declarations.relations import paged, related
from app.schema.accounts.users import UserAccount
from app.schema.admins import admins_only, for_admins
from app.schema.context import Info


@node_type(by=loaders.access_code_by_id)
class AccessCode(Node):
    """A permission to register once. Visible to admins only."""

    code: str = strawberry.field(description="The code: 4 to 50 capital letters, digits and hyphens.")
    redeemed: bool = strawberry.field(name="isRedeemed", description="Whether the code has been used.")
    redeemed_by: UserAccount | None = related(
        loaders.user_by_id,
        key="redeemed_by",
        description="The user who registered with the code. Null if it is unused, or the user has been deleted.",
    )
    redeemed_at: datetime | None = strawberry.field(description="When the code was used. Null if it is unused.")
    created_at: datetime = strawberry.field(description="When the code was created.")


@strawberry.input
class AccessCodeFilter:
    """Filters access codes by all fields that are given. A field that is null or omitted matches all."""

    redeemed: bool | None = strawberry.field(default=None, description="Whether the code has been used.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return {"redeemed": self.redeemed}


@strawberry.input
class CreateAccessCodesInput:
    """The access codes to create: either a number of random codes, or the codes themselves."""

    count: int | None = strawberry.field(
        default=None, description="How many random codes to create, 1 to 100. Null if `codes` is given."
    )
    codes: list[str] | None = strawberry.field(
        default=None,
        description="1 to 100 codes of 4 to 50 letters, digits and hyphens. Either all are created, or none.",
    )
    idempotency_key: str = strawberry.field(
        description="1 to 200 characters. For 7 days, the same key and input return the same codes."
    )


@strawberry.type
class CreateAccessCodesPayload:
    """The access codes were created, now or when the idempotency key was first used."""

    access_codes: list[AccessCode] = strawberry.field(
        metadata=holds(MAX_CODES), description=f"The codes, in the order of the input; at most {MAX_CODES}."
    )


@strawberry.type
class AccessCodeQuery:
    """The access codes."""

    access_codes: Connection[AccessCode] = paged(
        loaders.access_codes,
        filter=AccessCodeFilter,
        allowed=admins_only,
        description="The access codes, newest first. Admins only; the error code is FORBIDDEN for others.",
    )


@strawberry.type
class AccessCodeMutation:
    """Changes to access codes."""

    @mutation(CreateAccessCodesPayload, InvalidInput, IdempotencyKeyReused, metadata=for_admins())
    async def create_access_codes(self, info: Info, input: CreateAccessCodesInput) -> Any:
        """Creates access codes. Admins only; the error code is FORBIDDEN for others."""
        context = info.context
        viewer = context.require_admin()
        ids = await context.services[AccountsServices].administration.create_access_codes(
            viewer, count=input.count, codes=input.codes, idempotency_key=input.idempotency_key
        )
        codes: Any = [await load for load in [context.reads.one(loaders.access_code_by_id, key) for key in ids]]
        return CreateAccessCodesPayload(access_codes=codes)
