"""Passwords: changing one's own, and resetting a forgotten one."""

from typing import Any

import strawberry

from app.domains.accounts import model
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.problems import InvalidInput, Problem, RateLimited, mutation, problem_type
from app.schema.accounts.users import UserAccount, read_user
from app.schema.context import Info

PASSWORD = "At least 10 characters and at most 1,024 bytes, and not the e-mail address."  # noqa: S105  # a description


@strawberry.input
class RequestPasswordResetInput:
    """The account whose password is to be reset."""

    email: str = strawberry.field(description="The e-mail address of the account.")


@strawberry.type
class RequestPasswordResetPayload:
    """If the address has an account, a link to reset its password will arrive by mail."""

    is_accepted: bool = strawberry.field(
        description="Always true, so that callers cannot learn whether the address is known."
    )


@strawberry.input
class ResetPasswordInput:
    """A new password, with the proof from the mailed link."""

    token: str = strawberry.field(description="The `token` of the mailed link. Valid for an hour, once.")
    new_password: str = strawberry.field(description=PASSWORD)


@strawberry.type
class ResetPasswordPayload:
    """The new password was set, and all sessions of the user were ended."""

    user: UserAccount = strawberry.field(description="The user whose password was set.")


@problem_type(model.ResetInvalid)
class ResetInvalid(Problem):
    """The link is wrong, has expired, or has been used or replaced."""


@strawberry.type
class PasswordResetMutation:
    """Resetting a forgotten password."""

    @mutation(RequestPasswordResetPayload, InvalidInput, RateLimited)
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> Any:
        """Mails a link to set a new password. Previous links stay valid for their hour.

        Limited to 5 an hour for each account and IP address. Within 2 minutes of the previous mail nothing is sent.
        """
        await info.context.services[AccountsServices].credentials.request_reset(input.email, info.context.client)
        return RequestPasswordResetPayload(is_accepted=True)

    @mutation(ResetPasswordPayload, InvalidInput, ResetInvalid)
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> Any:
        """Sets a new password with the token of a mailed link, and ends all sessions of the user."""
        credentials = info.context.services[AccountsServices].credentials
        user_id = await credentials.reset(input.token, input.new_password, info.context.client)
        return ResetPasswordPayload(user=await read_user(info.context, user_id))


@strawberry.input
class ChangePasswordInput:
    """A new password for the viewer."""

    current_password: str = strawberry.field(description="The current password.")
    new_password: str = strawberry.field(description=PASSWORD)


@strawberry.type
class ChangePasswordPayload:
    """The password was changed, and the viewer's other sessions were ended."""

    ended_sessions: int = strawberry.field(
        name="endedSessionCount", description="The number of other sessions that were ended."
    )


@strawberry.type
class PasswordMutation:
    """Changing the viewer's password."""

    @mutation(ChangePasswordPayload, InvalidInput, RateLimited)
    async def change_password(self, info: Info, input: ChangePasswordInput) -> Any:
        """Changes the viewer's password and ends their other sessions."""
        context = info.context
        ended = await context.services[AccountsServices].credentials.change(
            context.require_viewer(), input.current_password, input.new_password
        )
        return ChangePasswordPayload(ended_sessions=ended)
