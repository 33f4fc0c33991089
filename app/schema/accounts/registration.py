"""Registration of new users."""

from typing import Any

import strawberry

from app.domains.accounts import model
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    Problem,
    RateLimited,
    mutation,
    problem_type,
)
from app.schema.accounts.passwords import PASSWORD
from app.schema.accounts.users import UserAccount, read_user
from app.schema.context import Info


@strawberry.input
class RegisterInput:
    """A new user."""

    access_code: str = strawberry.field(
        description="An unused access code. Case and surrounding whitespace are ignored."
    )
    email: str = strawberry.field(description="The e-mail address. It is stored trimmed and in lower case.")
    password: str = strawberry.field(description=PASSWORD)
    full_name: str = strawberry.field(description="1 to 255 characters, visible to the user and to admins only.")
    display_name: str | None = strawberry.field(
        default=None,
        description="The name shown to other users, 1 to 80 characters. Null: a generated name that does not identify"
        " the user.",
    )
    national_id: str | None = strawberry.field(
        default=None,
        description="4 to 20 letters, digits, spaces and . / - such as 12345-6789012-3. It is stored encrypted.",
    )
    public_key: str | None = strawberry.field(
        default=None,
        description="An RSA public key of 2,048 to 4,096 bits in PEM. The user keeps the private key and signs payments"
        " with it. Null: Moneta creates and keeps a key.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="1 to 200 characters. For 7 days, the same key and input return the same user. The password is not"
        " compared, since it is stored as its hash only: whichever a repetition has, the first one stays valid.",
    )


@strawberry.type
class RegisterPayload:
    """The user was registered. A code and a link to verify the e-mail address will arrive by mail."""

    user: UserAccount = strawberry.field(description="The new user.")


@problem_type(model.AccessCodeInvalid)
class AccessCodeInvalid(Problem):
    """The access code does not exist or has been used."""


@problem_type(model.EmailTaken)
class EmailTaken(Problem):
    """The e-mail address has an account already. Returned only to callers who present an unused access code."""


@strawberry.type
class RegistrationMutation:
    """Registration of new users."""

    @mutation(RegisterPayload, InvalidInput, AccessCodeInvalid, EmailTaken, RateLimited, IdempotencyKeyReused)
    async def register(self, info: Info, input: RegisterInput) -> Any:
        """Creates a user and their wallet. The access code is used up only if this succeeds."""
        context = info.context
        new = model.NewUser(
            email=input.email,
            password=input.password,
            full_name=input.full_name,
            display_name=input.display_name,
            national_id=input.national_id,
            public_key=input.public_key,
        )
        user_id = await context.services[AccountsServices].registration.register(
            new, input.access_code, context.client, idempotency_key=input.idempotency_key
        )
        return RegisterPayload(user=await read_user(context, user_id))
