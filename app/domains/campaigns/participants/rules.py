"""What a participant may be called and set to. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.accounts.rules.identity import email as account_email
from app.domains.campaigns.names.rules import name as shown_name
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address
from app.domains.campaigns.participants.model import (
    MAX_ATTRIBUTE_CHARS,
    MAX_ATTRIBUTE_NAME_CHARS,
    MAX_ATTRIBUTES,
    MAX_CODE_CHARS,
    MAX_DISCORD_ID_CHARS,
    MAX_PERSON_NAME_CHARS,
    MAX_TELEGRAM_ID,
    MAX_USERNAME_CHARS,
    WALLET_NETWORKS,
    Attribute,
    NamedWallet,
    NewParticipant,
    ParticipantChanges,
)
from app.domains.tenancy.tenants.rules import time_zone as tenant_time_zone
from app.kit.errors import Faults, InvalidInput
from app.kit.names import is_impersonating
from app.kit.text import is_storable

CODE_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what is easily taken for another."""
_CODE: Final = re.compile(r"[A-Z0-9_-]+", re.ASCII)
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)
_DISCORD: Final = re.compile(r"[!-~]+", re.ASCII)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)


def checked(new: NewParticipant) -> NewParticipant:
    """The participant as it is stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        if new.telegram_id is None and new.discord_id is None and new.username is None and not new.wallets:
            faults.add("telegram_id", "A participant is known by an ID, a user name or a wallet.")
        return msgspec.structs.replace(new, **_made(faults, msgspec.structs.asdict(new)))


def check_changes(changes: ParticipantChanges) -> ParticipantChanges:
    """The changes as they are stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        changes.check(faults)
        return msgspec.structs.replace(changes, **_made(faults, msgspec.structs.asdict(changes)))


def check_username(text: str | UnsetType | None, tenant: str) -> None:
    """Raises InvalidInput for a name that looks like that of the tenant, or of Moneta."""
    if isinstance(text, str) and is_impersonating(text, tenant):
        raise InvalidInput("username", "This is the name of somebody else.")


def code(text: str, field: str = "referral_code") -> str:
    """In upper case: codes are equal in any case. Raises InvalidInput."""
    upper = text.strip().upper() if len(text) <= 2 * MAX_CODE_CHARS else ""
    if len(upper) > MAX_CODE_CHARS or not _CODE.fullmatch(upper):
        raise InvalidInput(field, f"A code has 1 to {MAX_CODE_CHARS} letters A-Z, digits, hyphens and underscores.")
    return upper


def telegram_id(value: int) -> int:
    """Unchanged. Raises InvalidInput."""
    if not 1 <= value <= MAX_TELEGRAM_ID:
        raise InvalidInput("telegram_id", "An ID of Telegram is a number from 1 to 2^63 - 1.")
    return value


def discord_id(text: str) -> str:
    """Unchanged. Raises InvalidInput."""
    if len(text) > MAX_DISCORD_ID_CHARS or not _DISCORD.fullmatch(text):
        raise InvalidInput("discord_id", f"An ID of Discord has 1 to {MAX_DISCORD_ID_CHARS} printable characters.")
    return text


def attributes(given: tuple[Attribute, ...], field: str = "attributes") -> tuple[Attribute, ...]:
    """Unchanged. Raises InvalidInput, which names all that is wrong."""
    names = [each.name for each in given]
    if len(given) > MAX_ATTRIBUTES or len({*names}) < len(names):
        raise InvalidInput(field, f"There are at most {MAX_ATTRIBUTES}, each with a name of its own.")
    with Faults() as faults:
        for place, each in enumerate(given):
            path = (field, str(place))
            if len(each.name) > MAX_ATTRIBUTE_NAME_CHARS or not _ATTRIBUTE.fullmatch(each.name):
                faults.add(
                    (*path, "name"),
                    f"A name is a letter and up to {MAX_ATTRIBUTE_NAME_CHARS - 1} letters, digits, dots, hyphens and"
                    " underscores.",
                )
            if len(each.value) > MAX_ATTRIBUTE_CHARS or not is_storable(each.value, "\n\t"):
                faults.add((*path, "value"), f"It has at most {MAX_ATTRIBUTE_CHARS} characters.")
    return given


def stored_attributes(given: tuple[Attribute, ...]) -> dict[str, str]:
    """Attributes as they are stored."""
    return {each.name: each.value for each in given}


def challenge(slug: str, participant_id: UUID, network: Network, wallet: str, *, nonce: str, until: datetime) -> str:
    """What the owner of a wallet signs. It names whom it is for, and is good for nothing else."""
    return (
        f"The tenant {slug} of Moneta asks you to prove that this wallet is yours.\n\n"
        f"Network: {network.upper()}\nAddress: {wallet}\nParticipant: {participant_id}\nNonce: {nonce}\n"
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}\n\nTo sign this costs nothing, and moves nothing."
    )


def link_challenge(slug: str, user_id: UUID, network: Network, wallet: str, *, nonce: str, until: datetime) -> str:
    """What a user signs who links themself to the participant with a wallet."""
    return (
        f"Link your user of Moneta to the participant of the tenant {slug} with this wallet.\n\n"
        f"Network: {network.upper()}\nAddress: {wallet}\nUser: {user_id}\nNonce: {nonce}\n"
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}\n\nTo sign this costs nothing, and moves nothing."
    )


def _made(faults: Faults, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, as it is stored."""
    made = {}
    for field, value in given.items():
        rule = RULES.get(field)
        made[field] = value if rule is None or value is None or value is UNSET else faults.check(rule, value)
    return made


def _named(field: str, most: int) -> Callable[[str], str]:
    return lambda text: shown_name(text, field, most)


def _locale(text: str) -> str:
    if not _LOCALE.fullmatch(text) or len(text) > 35:
        raise InvalidInput("locale", "A locale is a language tag by BCP 47, such as de-AT.")
    return text


def _wallets(given: tuple[NamedWallet, ...]) -> tuple[NamedWallet, ...]:
    networks = [each.network for each in given]
    if len(given) > len(WALLET_NETWORKS) or len({*networks}) < len(networks):
        raise InvalidInput("wallets", "There is at most one wallet in each network.")
    with Faults() as faults:
        made = []
        for place, each in enumerate(given):
            with faults.at("wallets", str(place)):
                text = address(each.address, each.network, "address", off_curve=each.allows_off_curve)
                made.append(msgspec.structs.replace(each, address=text))
    return tuple(made)


RULES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "telegram_id": telegram_id,
    "discord_id": discord_id,
    "username": _named("username", MAX_USERNAME_CHARS),
    "first_name": _named("first_name", MAX_PERSON_NAME_CHARS),
    "last_name": _named("last_name", MAX_PERSON_NAME_CHARS),
    "email": account_email,
    "locale": _locale,
    "time_zone": tenant_time_zone,
    "attributes": attributes,
    "referral_code": code,
    "referrer_code": lambda text: code(text, "referrer_code"),
    "wallets": _wallets,
}
"""What makes a value of a field what is stored, or raises InvalidInput."""
