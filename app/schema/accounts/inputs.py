"""What the operations of accounts are given."""

import strawberry
from strawberry.scalars import JSON

from app.schema.accounts.enums import AccessCodeState, Role, TokenDelivery, TradingMode

_PASSWORD = "At least 10 characters, at most 1,024 bytes, and not the e-mail address."  # noqa: S105  # a description


@strawberry.input(description="Which access codes.")
class AccessCodeFilter:
    """Which access codes."""

    state: AccessCodeState | None = strawberry.field(default=None, description="Only those in this state; null: all.")


@strawberry.input(description="Which users.")
class UserFilter:
    """Which users."""

    email_prefix: str | None = strawberry.field(
        default=None, description="Only those whose e-mail address begins so, in any case; null: all."
    )


@strawberry.input(description="A new user.")
class RegisterInput:
    """A new user."""

    access_code: str = strawberry.field(description="An unspent access code; case and outer spaces do not matter.")
    email: str = strawberry.field(description="E-mail address; stored trimmed and in lower case.")
    password: str = strawberry.field(description=_PASSWORD)
    full_name: str = strawberry.field(description="1 to 255 characters; seen by the user and admins only.")
    display_name: str | None = strawberry.field(
        default=None, description="How others see the user, 1 to 80 characters; null: a name that tells nothing."
    )
    national_id: str | None = strawberry.field(
        default=None, description="4 to 20 letters, digits, spaces and . / - such as 12345-6789012-3; kept encrypted."
    )
    public_key: str | None = strawberry.field(
        default=None,
        description="PEM of an RSA public key, 2,048 to 4,096 bits: its private key stays with the user, who signs"
        " payments elsewhere. Null: Moneta makes and keeps a key.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="1 to 200 characters; the same key and input give the same user again for 7 days."
    )


@strawberry.input(description="A code and the address that it was mailed to.")
class EmailCodeInput:
    """A code and the address that it was mailed to."""

    email: str = strawberry.field(description="The e-mail address.")
    code: str = strawberry.field(description="The six digits; good for 10 minutes and 5 guesses.")


@strawberry.input(one_of=True, description="What shows that the address is the user's: the mailed code or link.")
class VerifyEmailInput:
    """What shows that the address is the user's."""

    code: EmailCodeInput | None = strawberry.field(default=strawberry.UNSET, description="By the mailed code.")
    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="By the `token` of the mailed link; good for a day."
    )


@strawberry.input(description="An address to mail to.")
class EmailInput:
    """An address to mail to."""

    email: str = strawberry.field(description="The e-mail address.")


@strawberry.input(description="Who wants to log in.")
class LoginInput:
    """Who wants to log in."""

    email: str = strawberry.field(description="E-mail address; case and outer spaces do not matter.")
    password: str = strawberry.field(description="The password.")
    delivery: TokenDelivery | None = strawberry.field(
        default=None,
        description="How the tokens come; null: as cookies where an HTTP response to a page of ours can set them,"
        " otherwise in the payload.",
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The `deviceToken` of an earlier log-in: failures of others then do not slow this device down."
        " Null: the one in the browser's cookie.",
    )


@strawberry.input(description="The session to refresh.")
class RefreshSessionInput:
    """The session to refresh."""

    refresh_token: str | None = strawberry.field(
        default=None, description="The newest refresh token; it works once. Null: the one in the browser's cookie."
    )
    delivery: TokenDelivery | None = strawberry.field(
        default=None,
        description="How the next tokens come; null: the way this one came. A cookie is renewed as a cookie.",
    )


@strawberry.input(description="The session to end.")
class RevokeSessionInput:
    """The session to end."""

    session_id: strawberry.ID = strawberry.field(description="Global id of one of the viewer's sessions.")


@strawberry.input(description="A new password for the viewer.")
class ChangePasswordInput:
    """A new password for the viewer."""

    current_password: str = strawberry.field(description="The present one.")
    new_password: str = strawberry.field(description=_PASSWORD)


@strawberry.input(description="A new password for who got the mail.")
class ResetPasswordInput:
    """A new password for who got the mail."""

    token: str = strawberry.field(description="The `token` of the mailed link; good for an hour, once.")
    new_password: str = strawberry.field(description=_PASSWORD)


@strawberry.input(description="What to change of the viewer's profile. A field that is left out stays as it is.")
class UpdateProfileInput:
    """What to change of the viewer's profile."""

    username: str | None = strawberry.field(
        default=strawberry.UNSET, description="3 to 30 letters, digits, underscores; null or an empty text clears it."
    )
    display_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 80 characters; null or an empty text: a name that tells nothing."
    )
    avatar_url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="An https:// URL of at most 2,048 characters; null or an empty text clears it.",
    )
    trading_mode: TradingMode | None = strawberry.field(
        default=strawberry.UNSET, description="With what to trade; null leaves it as it is."
    )


@strawberry.input(description="A setting to keep.")
class PutSettingInput:
    """A setting to keep."""

    name: str = strawberry.field(description="1 to 64 letters, digits and . _ - beginning with a letter.")
    value: JSON | None = strawberry.field(
        description="Any JSON value of at most 8,192 bytes, 16 levels deep; null removes the setting."
    )


@strawberry.input(description="Access codes to make: so many random ones, or these.")
class CreateAccessCodesInput:
    """Access codes to make."""

    count: int | None = strawberry.field(default=None, description="How many random codes, 1 to 100; or say `codes`.")
    codes: list[str] | None = strawberry.field(
        default=None, description="1 to 100 codes of 4 to 50 letters, digits and hyphens; all are made, or none."
    )
    idempotency_key: str = strawberry.field(
        description="1 to 200 characters; the same key and input give the same codes again for 7 days."
    )


@strawberry.input(description="A role for a user.")
class UpdateUserRoleInput:
    """A role for a user."""

    user_id: strawberry.ID = strawberry.field(description="Global id of the user.")
    role: Role = strawberry.field(description="The role to have from now on; the user has to log in again.")
