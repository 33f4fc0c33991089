"""Becoming a user, and getting back in: what a caller without a session does."""

from typing import Any, cast

import strawberry

from app.domains.accounts import loaders, model
from app.engine.problems import mutation
from app.kit.errors import IdempotencyKeyReused, InvalidInput, RateLimited
from app.schema.accounts import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.accounts.inputs import EmailInput, RegisterInput, ResetPasswordInput, VerifyEmailInput
from app.schema.accounts.payloads import (
    RegisterPayload,
    RequestPasswordResetPayload,
    ResendVerificationPayload,
    ResetPasswordPayload,
    VerifyEmailPayload,
)
from app.schema.context import Context, Info


async def user(context: Context, user_id: Any) -> Any:
    """The record of a user who was just written, for a payload."""
    return await context.reads.one(loaders.user_by_id, user_id)


@strawberry.type
class RegistrationMutation:
    """Becoming a user, and getting back in."""

    @mutation(
        RegisterPayload,
        InvalidInput,
        model.AccessCodeInvalid,
        model.EmailTaken,
        RateLimited,
        IdempotencyKeyReused,
        description="Makes a user and their wallet; spends the access code exactly if that succeeds.",
    )
    async def register(self, info: Info, input: RegisterInput) -> Any:
        """Makes a user and their wallet."""
        context = info.context
        new = model.NewUser(
            email=input.email,
            password=input.password,
            full_name=input.full_name,
            display_name=input.display_name,
            national_id=input.national_id,
            public_key=input.public_key,
        )
        user_id = await context.services.accounts.registration.register(
            new, input.access_code, context.client, idempotency_key=input.idempotency_key
        )
        return RegisterPayload(user=await user(context, user_id))

    @mutation(
        VerifyEmailPayload,
        InvalidInput,
        model.VerificationInvalid,
        description="Verifies an e-mail address. Coins move from verified accounts only.",
    )
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> Any:
        """Verifies an e-mail address."""
        verification, client = info.context.services.accounts.verification, info.context.client
        if input.code:
            user_id = await verification.verify_by_code(input.code.email, input.code.code, client)
        else:
            user_id = await verification.verify_by_link(cast(str, input.token), client)
        return VerifyEmailPayload(user=await user(info.context, user_id))

    @mutation(
        ResendVerificationPayload,
        InvalidInput,
        RateLimited,
        description="Mails another code and link; those before are dead. 5 an hour for each account and address, and"
        " nothing within 2 minutes of the mail before, which stays good.",
    )
    async def resend_verification(self, info: Info, input: EmailInput) -> Any:
        """Mails another code and link."""
        await info.context.services.accounts.verification.request_resend(input.email, info.context.client)
        return ResendVerificationPayload(accepted=True)

    @mutation(
        RequestPasswordResetPayload,
        InvalidInput,
        RateLimited,
        description="Mails a link to set a new password; those before stay good for their hour. 5 an hour for each"
        " account and address, and nothing within 2 minutes of the mail before.",
    )
    async def request_password_reset(self, info: Info, input: EmailInput) -> Any:
        """Mails a link to set a new password."""
        await info.context.services.accounts.credentials.request_reset(input.email, info.context.client)
        return RequestPasswordResetPayload(accepted=True)

    @mutation(
        ResetPasswordPayload,
        InvalidInput,
        model.ResetInvalid,
        description="Sets a new password with the token of a mailed link, and ends all sessions.",
    )
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> Any:
        """Sets a new password with the token of a mailed link."""
        credentials = info.context.services.accounts.credentials
        user_id = await credentials.reset(input.token, input.new_password, info.context.client)
        return ResetPasswordPayload(user=await user(info.context, user_id))
