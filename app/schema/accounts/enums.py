"""The enums of accounts, over the values that the domain stores."""

from enum import Enum

import strawberry


@strawberry.enum(description="What a user may do.")
class Role(Enum):
    """What a user may do."""

    USER = strawberry.enum_value("user", description="Whatever concerns themselves.")
    ADMIN = strawberry.enum_value("admin", description="Besides: access codes, users, scheduled jobs.")


@strawberry.enum(description="How a client wants to hold its tokens.")
class TokenDelivery(Enum):
    """How a client wants to hold its tokens."""

    COOKIE = strawberry.enum_value(
        "cookie",
        description="As HttpOnly cookies, which no script can read; the payload's tokens are null. Only for pages of"
        " ours, by HTTP: neither a WebSocket nor a stream of events can set cookies.",
    )
    BEARER = strawberry.enum_value("bearer", description="In the payload, to be sent in the `Authorization` header.")


@strawberry.enum(description="What was subscribed to.")
class SubscriptionTier(Enum):
    """What was subscribed to."""

    FREE = strawberry.enum_value("free", description="Nothing.")
    PRO = strawberry.enum_value("pro", description="Pro.")
    ENTERPRISE = strawberry.enum_value("enterprise", description="Enterprise.")


@strawberry.enum(description="With what a user trades.")
class TradingMode(Enum):
    """With what a user trades."""

    PAPER = strawberry.enum_value("paper", description="Play money.")
    LIVE = strawberry.enum_value("live", description="Real money.")


@strawberry.enum(description="Whether an access code can still be used.")
class AccessCodeState(Enum):
    """Whether an access code can still be used."""

    AVAILABLE = strawberry.enum_value("available", description="Nobody has registered with it.")
    REDEEMED = strawberry.enum_value("redeemed", description="Somebody has; it is spent for good.")


@strawberry.enum(description="What the auth log knows.")
class AuthEventType(Enum):
    """What the auth log knows."""

    LOGIN = strawberry.enum_value("login", description="A session was opened.")
    LOGOUT = strawberry.enum_value("logout", description="A session, or all of them, were ended by their user.")
    REGISTER = strawberry.enum_value("register", description="The user came to be.")
    FAILED_LOGIN = strawberry.enum_value("failed_login", description="Somebody tried a wrong password.")
    PASSWORD_RESET = strawberry.enum_value("password_reset", description="A mailed link set a new password.")
    SECURITY_ALERT = strawberry.enum_value(
        "security_alert", description="A used refresh token was presented again, so its session was ended."
    )
    EMAIL_VERIFIED = strawberry.enum_value(
        "email_verified", description="The address was verified, or, without success, a wrong code was tried."
    )
    VERIFICATION_SENT = strawberry.enum_value("verification_sent", description="A verification code was mailed.")
    SESSION_REFRESHED = strawberry.enum_value("session_refreshed", description="A session got its next tokens.")
    SESSION_REVOKED = strawberry.enum_value("session_revoked", description="One session was ended from another.")
    PASSWORD_CHANGED = strawberry.enum_value(
        "password_changed", description="The password was changed, or, without success, that was tried."
    )
    PASSWORD_RESET_REQUESTED = strawberry.enum_value(
        "password_reset_requested", description="A link to reset the password was mailed."
    )
    ROLE_CHANGED = strawberry.enum_value("role_changed", description="An admin changed the user's role.")
