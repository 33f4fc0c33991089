"""Verification of e-mail addresses."""

from typing import Any, cast

import strawberry

from app.domains.accounts import model
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.maintenance import stays_open
from app.engine.declarations.problems import InvalidInput, Problem, RateLimited, mutation, problem_type
from app.kit.errors import Faults
from app.schema.accounts.users import UserAccount, read_user
from app.schema.context import Info


@strawberry.input
class EmailCodeInput:
    """A mailed code, and the e-mail address it was sent to."""

    email: str = strawberry.field(description="The e-mail address.")
    code: str = strawberry.field(description="The six digits. Valid for 10 minutes and 5 attempts.")


@strawberry.input(one_of=True)
class VerifyEmailInput:
    """The proof that the user can read the address: the mailed code or the mailed link."""

    code: EmailCodeInput | None = strawberry.field(default=strawberry.UNSET, description="The mailed code.")
    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="The `token` of the mailed link. Valid for a day."
    )


@strawberry.type
class VerifyEmailPayload:
    """The e-mail address was verified."""

    user: UserAccount = strawberry.field(description="The user with this e-mail address.")


@strawberry.input
class ResendVerificationInput:
    """The address to verify."""

    email: str = strawberry.field(description="The e-mail address.")


@strawberry.type
class ResendVerificationPayload:
    """If the address belongs to an unverified user, a new code and link will arrive by mail."""

    is_accepted: bool = strawberry.field(
        description="Always true, so that callers cannot learn whether the address is known."
    )


@problem_type(model.VerificationInvalid)
class VerificationInvalid(Problem):
    """The code or link is wrong, has expired, or has been used or replaced."""


@strawberry.type
class VerificationMutation:
    """Verification of e-mail addresses."""

    @mutation(VerifyEmailPayload, InvalidInput, VerificationInvalid, metadata=stays_open())
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> Any:
        """Verifies an e-mail address. Only verified users can pay."""
        verification, client = info.context.services[AccountsServices].verification, info.context.client
        if input.code:
            with Faults() as faults, faults.at("code"):
                user_id = await verification.verify_by_code(input.code.email, input.code.code, client)
        else:
            user_id = await verification.verify_by_link(cast(str, input.token), client)
        return VerifyEmailPayload(user=await read_user(info.context, user_id))

    @mutation(ResendVerificationPayload, InvalidInput, RateLimited)
    async def resend_verification(self, info: Info, input: ResendVerificationInput) -> Any:
        """Mails a new code and link, which replace the previous ones.

        Limited to 5 an hour for each account and IP address. Within 2 minutes of the previous mail nothing is sent, and
        the previous code and link stay valid.
        """
        await info.context.services[AccountsServices].verification.request_resend(input.email, info.context.client)
        return ResendVerificationPayload(is_accepted=True)
