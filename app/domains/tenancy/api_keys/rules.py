"""What a key looks like, what it may do, and from where. Pure."""

import hmac
import ipaddress
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from msgspec import structs

from app.domains.tenancy.api_keys.model import (
    ALL,
    MAX_CIDRS,
    MAX_OVERLAP,
    NOUNS,
    PREFIX,
    VERBS,
    NewApiKey,
    PresentedKey,
)
from app.domains.tenancy.tenants.rules import name
from app.kit.errors import Faults, InvalidInput

_KEY: Final = re.compile(rf"({PREFIX}(?:live|test)_[0-9a-f]{{16}})_([0-9a-f]{{64}})")
SCOPES: Final = frozenset(f"{noun}:{verb}" for noun in (*NOUNS, ALL) for verb in VERBS)


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class KeyText(NamedTuple):
    """The two parts of what a client presents."""

    key_id: str
    secret: str


def key_text(token: str) -> KeyText | None:
    """The parts of a key; None for what is none."""
    found = _KEY.fullmatch(token)
    return None if found is None else KeyText(found[1], found[2])


def key_hash(text: KeyText, pepper: bytes) -> str:
    """What is stored of a secret: it can be neither reversed nor compared without Moneta's own, nor moved to another
    key.
    """
    return hmac.digest(pepper, f"{text.key_id}_{text.secret}".encode(), sha256).hex()


def matches(found: PresentedKey, hashed: str, now: datetime) -> bool | None:
    """Whether the secret is that of the key; None: it is the one before, which is still good. Both are compared, so
    that the time taken says nothing.
    """
    is_present = hmac.compare_digest(found.key_hash, hashed)
    is_previous = hmac.compare_digest(found.previous_hash or "", hashed)
    if is_present:
        return True
    good = found.previous_until is not None and now < found.previous_until
    return None if is_previous and good else False


def is_allowed_from(networks: Collection[Network], ip: str | None) -> bool:
    """Whether an address is in one of these networks; any is, where there are none."""
    if not networks:
        return True
    if ip is None:
        return False
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        # A dual-stack socket shows IPv4 addresses in this form.
        address = address.ipv4_mapped
    return any(address in network for network in networks if network.version == address.version)


def checked(new: NewApiKey, now: datetime) -> NewApiKey:
    """The key as it is stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        made = faults.check(name, new.name)
        scopes = sorted(set(new.scopes))
        if not scopes:
            faults.add("scopes", "A key has at least one scope.")
        elif unknown := [each for each in scopes if each not in SCOPES]:
            known = ", ".join((*NOUNS, ALL))
            faults.add("scopes", f"{unknown[0]!r} is no scope: it is <noun>:read or <noun>:write, of {known}.")
        cidrs = faults.check(_networks, new.allowed_cidrs)
        if new.expires_at is not None and new.expires_at <= now:
            faults.add("expires_at", "It is in the past.")
    return structs.replace(new, name=made, scopes=scopes, allowed_cidrs=cidrs)


def check_overlap(overlap: timedelta) -> None:
    """Raises InvalidInput."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise InvalidInput("overlap_ms", f"An overlap is 0 to {MAX_OVERLAP.days} days, in milliseconds.")


def next_month(now: datetime) -> datetime:
    """When the month after that of a moment begins, in UTC."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _networks(texts: list[str]) -> list[str]:
    """As they are stored. Raises InvalidInput."""
    if len(texts) > MAX_CIDRS:
        raise InvalidInput("allowed_cidrs", f"At most {MAX_CIDRS} networks.")
    found: dict[str, None] = {}
    for text in texts:
        try:
            # A zone is a name of an interface of one machine.
            if "%" in text:
                raise ValueError(text)
            found.setdefault(str(ipaddress.ip_network(text)))
        except ValueError:
            raise InvalidInput(
                "allowed_cidrs", f"{text[:50]!r} is no network such as 192.0.2.0/24 or 2001:db8::/32."
            ) from None
    return list(found)
