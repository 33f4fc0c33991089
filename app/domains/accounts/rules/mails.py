"""Mails to users."""

from app.kit.mail import Message

_CLOSING = "If this was not you, you can ignore this mail.\n\nMoneta\n"


def verification(to: str, code: str, link: str, minutes: int) -> Message:
    """Contains a one-time code and a link. Either of them verifies the address."""
    return Message(
        to=to,
        subject="Your Moneta verification code",
        text=(
            f"Welcome to Moneta.\n\nYour verification code is {code}. It is valid for {minutes} minutes.\n\n"
            f"Or open this link within a day:\n{link}\n\n{_CLOSING}"
        ),
    )


def password_reset(to: str, link: str, minutes: int) -> Message:
    """Contains a link that sets a new password once."""
    return Message(
        to=to,
        subject="Reset your Moneta password",
        text=f"To choose a new password, open this link within {minutes} minutes:\n{link}\n\n{_CLOSING}",
    )


def password_changed(to: str) -> Message:
    """Notifies the owner of an account, in case somebody else changed the password."""
    return Message(
        to=to,
        subject="Your Moneta password was changed",
        text=(
            "The password of your Moneta account was changed, and its other sessions were ended.\n\n"
            "If this was not you, reset your password at once.\n\nMoneta\n"
        ),
    )
