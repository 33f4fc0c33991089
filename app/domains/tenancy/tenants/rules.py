"""What a tenant is called, and what it may set for itself. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from zoneinfo import available_timezones

from msgspec import UNSET, structs

from app.domains.accounts.rules.identity import email, https_url
from app.domains.tenancy.tenants.model.tenants import (
    MAX_NAME_CHARS,
    MAX_SLUG_CHARS,
    NewTenant,
    PlanChanges,
    TenantChanges,
)
from app.kit.errors import Faults, InvalidInput
from app.kit.mail import Message
from app.kit.names import is_impersonating

MAX_LIMIT: Final = 2_000_000_000
MAX_SUBSCRIPTION_CHARS: Final = 255
_SLUG: Final = re.compile(r"[a-z0-9-]+")
_ALPHABETS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Alphabets whose letters look like those of others."""
_BLANK: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that show as nothing."""
_JOINERS: Final = "\u200c\u200d"


def slug(text: str) -> str:
    """Unchanged. Raises InvalidInput."""
    if not _SLUG.fullmatch(text) or len(text) > MAX_SLUG_CHARS:
        raise InvalidInput("slug", f"A slug has 1 to {MAX_SLUG_CHARS} lower-case letters a-z, digits and hyphens.")
    return _own(text, "slug")


def name(text: str) -> str:
    """Trimmed. It shows as what it is: none that is blank, or whose letters only look like those of another. Raises
    InvalidInput.
    """
    trimmed = text.strip()
    is_shown = trimmed.isprintable() or all(map(_is_shown, f" {trimmed}", trimmed))
    if not 1 <= len(trimmed) <= MAX_NAME_CHARS or not is_shown:
        raise InvalidInput("name", f"A name has 1 to {MAX_NAME_CHARS} printable characters.")
    if not any(unicodedata.category(each)[0] in "LNS" and each not in _BLANK for each in trimmed):
        raise InvalidInput("name", "A name has a letter, a digit or a symbol.")
    if not trimmed.isascii() and any(len(_alphabets(word)) > 1 for word in trimmed.split()):
        raise InvalidInput("name", "A word has letters of one alphabet.")
    return trimmed


def _is_shown(before: str, each: str) -> bool:
    """Whether a character of a name is one that is seen: scripts and emoji need joiners, and have spaces of their own.
    Between letters of Latin a joiner only makes one name of another.
    """
    if each in _JOINERS:
        return not before.isspace() and not before.isascii() and not unicodedata.name(before, "").startswith("LATIN")
    return each.isprintable() or unicodedata.category(each) == "Zs"


def time_zone(text: str) -> str:
    """Unchanged. Raises InvalidInput."""
    if text not in available_timezones():
        raise InvalidInput("time_zone", "This is not a time zone of the IANA database, such as Europe/Vienna.")
    return text


def checked(new: NewTenant) -> NewTenant:
    """The tenant as it is stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        made = _stored(faults, structs.asdict(new))
    return structs.replace(new, **made)


def check_changes(changes: TenantChanges) -> TenantChanges:
    """The changes as they are stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        changes.check(faults)
        made = _stored(faults, structs.asdict(changes))
    return structs.replace(changes, **made)


def check_plan(changes: PlanChanges) -> None:
    """Raises InvalidInput."""
    with Faults() as faults:
        changes.check(faults)
        for field in ("max_projects", "max_participants_per_project", "max_calls_per_month"):
            value = getattr(changes, field)
            if value is not UNSET and not 0 <= value <= MAX_LIMIT:
                faults.add(field, f"A limit is 0 to {MAX_LIMIT:,}.")
        subscription = changes.subscription_id
        if isinstance(subscription, str) and not (
            1 <= len(subscription) <= MAX_SUBSCRIPTION_CHARS and subscription.isprintable()
        ):
            faults.add("subscription_id", f"It has 1 to {MAX_SUBSCRIPTION_CHARS} printable characters.")


_RULES: Final[Mapping[str, Callable[[str], str]]] = {
    "slug": slug,
    "name": lambda text: _own(name(text), "name"),
    "email": email,
    "billing_email": partial(email, field="billing_email"),
    "website_url": partial(https_url, field="website_url", what="A web site"),
    "support_email": partial(email, field="support_email"),
    "time_zone": time_zone,
}


def _stored(faults: Faults, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, as it is stored."""
    return {
        field: faults.check(rule, given[field])
        for field, rule in _RULES.items()
        if given.get(field, UNSET) not in (UNSET, None)
    }


def _own(text: str, field: str) -> str:
    """Unchanged. Raises InvalidInput for what looks like Moneta, or like who helps: invitations, and what owners of
    wallets sign, say who asks.
    """
    if is_impersonating(text):
        raise InvalidInput(field, "This is the name of somebody else.")
    return text


def _alphabets(word: str) -> set[str]:
    found = {unicodedata.name(each, "").partition(" ")[0] for each in word if each.isalpha()}
    return found & set(_ALPHABETS)


def invitation_mail(to: str, tenant: str, role: str, token: str, days: int) -> Message:
    """Contains the token of an invitation."""
    return Message(
        to=to,
        subject="You are invited to a tenant of Moneta",
        text=(
            f"You are invited to the tenant {tenant} of Moneta, as its {role}.\n\n"
            f"Log in to Moneta, and accept the invitation within {days} days: send the mutation acceptInvitation with "
            f"this token:\n\n{token}\n\nIf you do not know the tenant, you can ignore this mail.\n\nMoneta\n"
        ),
    )
