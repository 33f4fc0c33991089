"""Users: their public part, the part that they and admins see, and their roles."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from app.domains.accounts import loaders, model
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import NotFound, Problem, mutation, problem_type
from app.engine.declarations.relations import paged, related
from app.kit import errors
from app.schema.admins import admins_only, for_admins
from app.schema.context import Context, Info
from app.schema.enums import declare_enum

MAX_EMAIL_PREFIX = 254

declare_enum(
    model.Role,
    name="UserRole",
    USER="Can do everything that concerns their own account.",
    ADMIN="Can also manage access codes and users, and see the scheduled jobs.",
)


def _account_field(attribute: str, kind: Any, description: str) -> Any:
    """A field of the user's account. Row-level security shows the account to the user and to admins; else null."""

    async def resolve(root: Any, info: Info) -> Any:
        account = await info.context.reads.one(loaders.account_by_id, root.id)
        return None if account is None else getattr(account, attribute)

    reason = "Null unless the viewer is this user or an admin."
    return strawberry.field(resolver=resolve, graphql_type=kind, description=f"{description} {reason}")


@node_type(by=loaders.user_by_id)
class UserAccount(Node):
    """A user. The display name is public; everything else is visible to the user and to admins only."""

    display_name: str = strawberry.field(description="The name shown to other users, 1 to 80 characters.")
    email: str | None = _account_field("email", str | None, "The e-mail address, in lower case.")
    full_name: str | None = _account_field("full_name", str | None, "The full name.")
    role: model.Role | None = _account_field("role", model.Role | None, "The role, which says what the user may do.")
    is_verified: bool | None = _account_field(
        "is_verified", bool | None, "Whether the e-mail address is verified. Only verified users can pay."
    )
    has_national_id: bool | None = _account_field(
        "has_national_id", bool | None, "Whether a national ID is stored. It is encrypted and never returned."
    )
    created_at: datetime | None = _account_field("created_at", datetime | None, "When the user registered.")


async def read_user(context: Context, user_id: UUID) -> Any:
    """Returns the record of a user who was just written, for a payload."""
    return await context.reads.one(loaders.user_by_id, user_id)


@strawberry.input
class UserAccountFilter:
    """Filters users by all fields that are given. A field that is null or omitted matches all."""

    email_prefix: str | None = strawberry.field(
        default=None, description="The e-mail address begins with this text, ignoring case."
    )
    role: model.Role | None = strawberry.field(default=None, description="The role.")
    verified: bool | None = strawberry.field(default=None, description="Whether the e-mail address is verified.")
    since: datetime | None = strawberry.field(default=None, description="Registered at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Registered before this time.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader. Raises InvalidInput."""
        prefix = None if self.email_prefix is None else self.email_prefix.strip().lower()
        if prefix is not None and (len(prefix) > MAX_EMAIL_PREFIX or not prefix.isprintable()):
            raise errors.InvalidInput("email_prefix", f"A prefix has at most {MAX_EMAIL_PREFIX} printable characters.")
        return vars(self) | {"email_prefix": prefix}


@strawberry.input
class UpdateUserRoleInput:
    """The new role of a user."""

    id: strawberry.ID = strawberry.field(description="The global ID of the user.")
    role: model.Role = strawberry.field(description="The new role. The user has to log in again.")


@strawberry.type
class UpdateUserRolePayload:
    """The user has the new role."""

    user: UserAccount = strawberry.field(description="The user.")


@problem_type(model.OwnRole)
class OwnRole(Problem):
    """Admins cannot change their own role."""


def _email(text: str) -> str:
    if not (email := text.strip().lower()).isprintable():
        raise ValueError("no address")
    return email


@strawberry.input(one_of=True)
class UserBy:
    """Identifies a user in one of these ways."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The e-mail address, in any case. Admins only; the error code is FORBIDDEN for others.",
    )


@strawberry.type
class UserQuery:
    """The users."""

    user: UserAccount | None = lookup(
        UserBy,
        {
            "id": by_id(UserAccount, loaders.user_by_id),
            # Only admins learn whether an address has an account.
            "email": Key(loaders.user_by_email, _email, allow=lambda context: context.require_admin()),
        },
        of=UserAccount,
        argument="Identifies the user.",
        description="A user. Null if there is none. The display name is public; admins and the user see everything.",
    )

    users: Connection[UserAccount] = paged(
        loaders.users,
        filter=UserAccountFilter,
        allowed=admins_only,
        description="The users, newest first. Admins only; the error code is FORBIDDEN for others.",
    )


@strawberry.type
class UserMutation:
    """Changes to users by admins."""

    @mutation(UpdateUserRolePayload, NotFound, OwnRole, metadata=for_admins())
    async def update_user_role(self, info: Info, input: UpdateUserRoleInput) -> Any:
        """Changes a user's role and ends their sessions. Admins only; the error code is FORBIDDEN for others."""
        context = info.context
        viewer = context.require_admin()
        user_id = key_of(input.id, UserAccount)
        await context.services[AccountsServices].administration.update_role(viewer, user_id, input.role)
        return UpdateUserRolePayload(user=await read_user(context, user_id))


@strawberry.type
class UserViewer:
    """The viewer as a user."""

    user: UserAccount = related(loaders.user_by_id, key="user_id", description="The viewer as a user.")
