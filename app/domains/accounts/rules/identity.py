"""Validation of what identifies a user. Each function returns the value to store, or raises InvalidInput."""

import re

from app.kit.crypto.passwords import encode_password
from app.kit.errors import InvalidInput, Path

MAX_EMAIL_CHARS = 254
MAX_NAME_CHARS = 255
MAX_DISPLAY_NAME_CHARS = 80
MAX_URL_CHARS = 2048
MIN_PASSWORD_CHARS = 10

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_ACCESS_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{2,48})[A-Z0-9]")
_NATIONAL_ID = re.compile(r"[A-Z0-9](?:[A-Z0-9 /.-]{2,18})[A-Z0-9]")
_OTP = re.compile(r"[0-9]{6}")
_USERNAME = re.compile(r"[A-Za-z0-9_]{3,30}")
_URL = re.compile(r"https://[!-~]+")


def email(text: str, *, field: str = "email") -> str:
    """Trimmed and lower case. ASCII only, because not every mail server accepts more."""
    normal = text.strip().lower()
    if not text.isascii() or len(normal) > MAX_EMAIL_CHARS or not _EMAIL.fullmatch(normal):
        raise InvalidInput(field, "This is not an e-mail address.")
    return normal


def full_name(text: str) -> str:
    """Trimmed."""
    return _printable("full_name", text, MAX_NAME_CHARS, "A full name")


def display_name(text: str) -> str:
    """Trimmed."""
    return _printable("display_name", text, MAX_DISPLAY_NAME_CHARS, "A display name")


def default_display_name(user_id: object) -> str:
    """Returns a display name that reveals nothing about the user."""
    return f"user-{str(user_id)[:8]}"


def password(text: str, address: str, *, field: str = "password") -> str:
    """Unchanged. A password must be long enough and must not be the e-mail address."""
    if len(text) < MIN_PASSWORD_CHARS:
        raise InvalidInput(field, f"A password has at least {MIN_PASSWORD_CHARS} characters.")
    try:
        encode_password(text)
    except ValueError as error:
        raise InvalidInput(field, f"Not accepted: {error}.") from None
    if text.strip().lower() in {address, address.partition("@")[0]}:
        raise InvalidInput(field, "A password is not the e-mail address.")
    return text


def access_code(text: str, *, field: str | Path = "access_code") -> str:
    """Trimmed and upper case."""
    normal = text.strip().upper()
    # Check `text`, not `normal`: upper-casing turns some letters, such as the German ß, into ASCII.
    if not text.isascii() or not _ACCESS_CODE.fullmatch(normal):
        raise InvalidInput(field, "An access code has 4 to 50 letters, digits and hyphens.")
    return normal


def otp_code(text: str) -> str:
    """Trimmed. Text that cannot be a code is refused here, so that it does not use up a guess."""
    normal = text.strip()
    if not _OTP.fullmatch(normal):
        raise InvalidInput("code", "A verification code has six digits.")
    return normal


def national_id(text: str) -> str:
    """Trimmed and upper case; the seed's form is 12345-6789012-3."""
    normal = text.strip().upper()
    if not text.isascii() or not _NATIONAL_ID.fullmatch(normal):
        raise InvalidInput("national_id", "A national id has 4 to 20 letters, digits, spaces and . / -")
    return normal


def username(text: str) -> str:
    """Unchanged. Usernames that differ only in case are the same."""
    if not _USERNAME.fullmatch(text):
        raise InvalidInput("username", "A username has 3 to 30 letters A-Z, digits and underscores.")
    return text


def avatar_url(text: str) -> str:
    """Unchanged."""
    return https_url(text, field="avatar_url", what="An avatar")


def https_url(text: str, *, field: str, what: str) -> str:
    """Unchanged."""
    if len(text) > MAX_URL_CHARS or not _URL.fullmatch(text):
        raise InvalidInput(field, f"{what} is an https:// URL of at most {MAX_URL_CHARS} characters.")
    return text


def _printable(field: str, text: str, limit: int, what: str) -> str:
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= limit or not trimmed.isprintable():
        raise InvalidInput(field, f"{what} has 1 to {limit} printable characters.")
    return trimmed
