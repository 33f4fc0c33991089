"""Creating, rotating and revoking API keys."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.tenancy.api_keys import loaders, model
from app.domains.tenancy.api_keys.services.keys import ApiKeys
from app.domains.tenancy.services import TenancyServices
from app.engine.declarations.durations import MILLISECOND, Milliseconds
from app.engine.declarations.nodes import global_id, key_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.api_keys import MAX_SCOPES, ApiKey
from app.schema.tenancy.changes import TenantNotActive

SHOWN_ONCE = (
    "The key, to be sent as `Authorization: Bearer <secret>`. It is shown this once: keep it where nobody else can read"
    " it. Null in the answer to a repeated request with the same idempotency key."
)


@problem_type(model.ApiKeyLimitReached)
class ApiKeyLimitReached(Problem):
    """The tenant has the maximum number of keys that can be used."""


@strawberry.input
class CreateApiKeyInput:
    """A key to create in the tenant that the request names, for the mode that it is in."""

    name: str = strawberry.field(description="The name, 1 to 255 characters.")
    scopes: list[str] | None = strawberry.field(
        default=None,
        description=f"What it may do, 1 to {MAX_SCOPES} of `<noun>:read` and `<noun>:write`. The nouns are"
        f" {', '.join(f'`{noun}`' for noun in model.NOUNS)}, and `{model.ALL}` for all. Null: `projects:read`.",
    )
    allowed_cidrs: list[str] | None = strawberry.field(
        name="allowedNetworks",
        default=None,
        description=f"The networks from which it can be used, at most {model.MAX_CIDRS}, such as 192.0.2.0/24 or"
        " 2001:db8::/32. Null or empty: from everywhere.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="Until when it can be used. Null: it does not expire."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewApiKey:
        """The key to create."""
        return model.NewApiKey(
            name=self.name,
            scopes=list(model.DEFAULT_SCOPES) if self.scopes is None else self.scopes,
            allowed_cidrs=self.allowed_cidrs or [],
            expires_at=self.expires_at,
        )


@strawberry.type
class CreateApiKeyPayload:
    """The key can be used."""

    api_key: ApiKey = strawberry.field(description="The key.")
    secret: str | None = strawberry.field(description=SHOWN_ONCE)


@strawberry.input
class RotateApiKeyInput:
    """A key of the tenant that the request names, which is given another secret."""

    id: strawberry.ID = strawberry.field(description="The global ID of the key.")
    overlap_ms: Milliseconds = strawberry.field(
        description="For how long the secret that it has now can still be used, 0 to 604,800,000 (7 days), in"
        " milliseconds."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class RotateApiKeyPayload:
    """The key has another secret. Connections that were opened with the one before end now, and can be opened again."""

    api_key: ApiKey = strawberry.field(description="The key as it is now.")
    secret: str | None = strawberry.field(description=SHOWN_ONCE)


@strawberry.input
class RevokeApiKeyInput:
    """A key of the tenant that the request names, which nobody may use any more."""

    id: strawberry.ID = strawberry.field(description="The global ID of the key.")


@strawberry.type
class RevokeApiKeyPayload:
    """The key cannot be used any more. What was open with it closes."""

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, with which it is shown for 90 days.")
    api_key: ApiKey = strawberry.field(description="The key as it is now.")


@strawberry.type
class ApiKeyMutation:
    """Changes to API keys."""

    @mutation(
        CreateApiKeyPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ApiKeyLimitReached,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> Any:
        """Creates an API key in the tenant that the request names. For its owners and admins. A request with the header
        `X-Moneta-Mode: test` creates a key for tests.
        """
        tenancy = info.context.require_tenancy()
        issued = await _keys(info).create(tenancy, input.new(), input.idempotency_key)
        return CreateApiKeyPayload(api_key=await _shown(info, issued.id), secret=_revealed(info, issued.secret))

    @mutation(RotateApiKeyPayload, InvalidInput, NotFound, TenantNotActive, ResultDeleted, IdempotencyKeyReused)
    async def rotate_api_key(self, info: Info, input: RotateApiKeyInput) -> Any:
        """Gives an API key another secret. For owners and admins of the tenant that the request names."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, ApiKey)
        overlap = input.overlap_ms * MILLISECOND
        issued = await _keys(info).rotate(tenancy, id, overlap, input.idempotency_key)
        return RotateApiKeyPayload(api_key=await _shown(info, id), secret=_revealed(info, issued.secret))

    @mutation(RevokeApiKeyPayload, NotFound)
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> Any:
        """Ends an API key for ever. For owners and admins of the tenant that the request names."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, ApiKey)
        await _keys(info).revoke(tenancy, id)
        return RevokeApiKeyPayload(deleted_id=global_id(ApiKey.__name__, id), api_key=await _shown(info, id))


def _keys(info: Info) -> ApiKeys:
    return info.context.services[TenancyServices].api_keys


def _revealed(info: Info, secret: str | None) -> str | None:
    info.context.reveals_secret = info.context.reveals_secret or secret is not None
    return secret


async def _shown(info: Info, id: Any) -> Any:
    """The key as it is now. Raises ResultDeleted."""
    found: Any = await info.context.reads.one(loaders.api_key_by_id, id)
    if found is None:
        raise errors.ResultDeleted
    return found
