"""From rows of a database without tenants to what Moneta stores. Pure."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from app.domains.campaigns.adoption.model import (
    PROJECTS,
    USER_PROJECTS,
    USERS,
    WALLETS,
    AdoptedParticipation,
    AdoptedProject,
    AdoptedUser,
    AdoptionReport,
)
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address
from app.domains.campaigns.participants.model import (
    MAX_ATTRIBUTE_CHARS,
    MAX_ATTRIBUTES,
    Attribute,
    NamedWallet,
    NewParticipant,
)
from app.domains.campaigns.participants.rules import checked
from app.domains.campaigns.projects.model import FixedDistribution, NewProject
from app.domains.campaigns.projects.rules import new_terms
from app.kit.errors import InvalidInput

Row = Mapping[str, str | None]

_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_KEY: Final = re.compile(r"proj_[a-z0-9]{12}", re.ASCII)
_STATUSES: Final = ("active", "banned", "left")
_VERIFICATIONS: Final = ("pending", "verified", "rejected")
_MOST_POINTS: Final = 2**62


def adopted_id(tenant_id: UUID, livemode: bool, source_id: UUID) -> UUID:
    """The ID of what is made of a row: the same in each run, and another in each tenant and mode."""
    name = f"adopted:{tenant_id}:{'live' if livemode else 'test'}:{source_id}"
    return UUID(bytes=sha256(name.encode()).digest()[:16], version=5)


def user_of(row: Row, report: AdoptionReport) -> AdoptedUser | None:
    """The participant that a user becomes. What is wrong of them is left out, and reported; None: nothing is left."""
    id = row["id"]
    try:
        source_id, created_at = _id(row, "id"), _moment(row, "created_at")
        telegram = row.get("telegram_id")
        given: dict[str, Any] = {
            "telegram_id": None if telegram is None else int(telegram),
            **{each: row.get(each) for each in ("discord_id", "username", "first_name", "last_name", "email")},
            **_preferences(row),
            "attributes": _attributes(row, report),
            "is_active": row.get("is_active") != "f",
            "is_verified": row.get("is_verified") == "t",
            "referral_code": row.get("referral_code"),
            "wallets": _wallets(row, report),
        }
        referrer = row.get("referred_by")
        return AdoptedUser(
            source_id=source_id,
            new=_mended(given, report),
            referred_by=None if referrer is None else UUID(referrer),
            total_referrals=int(row.get("total_referrals") or 0),
            created_at=created_at,
            last_active_at=_moment(row, "last_active_at", created_at),
        )
    except (InvalidInput, ValueError) as refused:
        report.refuse(USERS, id, _reason(refused))
        return None


def project_of(row: Row, report: AdoptionReport) -> AdoptedProject | None:
    """A project as it is stored; None: it cannot be, and that is reported."""
    id = row["id"]
    try:
        wallet, amount, supply = row.get("project_wallet_address"), row.get("claim_amount"), row.get("total_supply")
        if amount is None:
            raise InvalidInput("claim_amount", "It is missing: nobody knows what a claim is.")
        token = row.get("token_address")
        network = Network.ETHEREUM if (wallet or token or "").startswith(("0x", "0X")) else Network.SOLANA
        new = NewProject(
            name=row.get("name") or "",
            description=(row.get("description") or "").strip() or None,
            network=network,
            token_name=row.get("token_name"),
            token_symbol=row.get("token_symbol"),
            token_address=token,
            token_decimals=int(row.get("token_decimals") or 9),
            total_supply=None if supply is None else int(supply),
            distribution=FixedDistribution(int(amount)),
            max_participants=_number(row, "max_participants"),
            max_claims_per_participant=_number(row, "max_claims_per_user"),
            is_active=row.get("is_active") != "f",
            is_public=row.get("is_public") != "f",
            starts_at=None if row.get("start_date") is None else _moment(row, "start_date"),
            ends_at=None if row.get("end_date") is None else _moment(row, "end_date"),
        )
        source_id, terms, key = _id(row, "id"), new_terms(new, None, None), row.get("project_key") or ""
        created_at = _moment(row, "created_at")
    except (InvalidInput, ValueError) as refused:
        report.refuse(PROJECTS, id, _reason(refused))
        return None
    for name in ("settings", "requirements", "distribution_rules"):
        report.notes[f"projects.{name}: documents without a form, not adopted"] += _is_filled(row, name)
    secret = row.get("project_wallet_private_key_encrypted") is not None
    report.notes["projects: private keys, not adopted: set them with setProjectWallet"] += secret
    is_key = _KEY.fullmatch(key) is not None
    report.notes["projects.project_key: not of a form that a key has, drawn again"] += not is_key
    return AdoptedProject(
        source_id=source_id,
        terms=terms,
        key=key if is_key else None,
        wallet=_address(id, wallet, network, report, f"{PROJECTS}.{WALLETS}"),
        created_at=created_at,
    )


def participation_of(row: Row, report: AdoptionReport) -> AdoptedParticipation | None:
    """What a user takes part in, as it is stored; None: it cannot be, and that is reported."""
    try:
        points, joined_at = int(row.get("points_earned") or 0), _moment(row, "joined_at")
        status = row.get("status") or _STATUSES[0]
        verification = row.get("verification_status") or _VERIFICATIONS[0]
        if not 0 <= points <= _MOST_POINTS:
            raise InvalidInput("points_earned", "Nobody has so many points.")
        if status not in _STATUSES or verification not in _VERIFICATIONS:
            raise InvalidInput("status", "There is no such status.")
        report.notes["user_projects.tasks_completed: without tasks, not adopted"] += _is_filled(row, "tasks_completed")
        return AdoptedParticipation(
            source_id=_id(row, "id"),
            user_id=_id(row, "user_id"),
            project_id=_id(row, "project_id"),
            status=status,
            points=points,
            level=int(row.get("level") or 1),
            verification_status=verification,
            joined_at=joined_at,
            updated_at=max(joined_at, _moment(row, "updated_at", joined_at)),
        )
    except (InvalidInput, ValueError) as refused:
        report.refuse(USER_PROJECTS, row["id"], _reason(refused))
        return None


def circular(referrers: Mapping[UUID, UUID]) -> set[UUID]:
    """Those who are referred by themselves, also by way of others."""
    found: set[UUID] = set()
    seen: set[UUID] = set()
    for start in referrers:
        path: list[UUID] = []
        here: UUID | None = start
        while here is not None and here not in seen:
            seen.add(here)
            path.append(here)
            here = referrers.get(here)
        if here in path:
            found.update(path[path.index(here) :])
    return found


def doubled(users: Collection[tuple[AdoptedUser, Any]]) -> dict[UUID, AdoptedUser]:
    """Of users with the same value those who are not the first, by when they were created, and the first."""
    first: dict[Any, AdoptedUser] = {}
    for user, value in sorted(users, key=lambda each: (each[0].created_at, each[0].source_id)):
        if value is not None:
            first.setdefault(value, user)
    return {
        user.source_id: first[value]
        for user, value in users
        if value is not None and first[value].source_id != user.source_id
    }


def _mended(given: dict[str, Any], report: AdoptionReport) -> NewParticipant:
    """The participant, without what is wrong. Raises InvalidInput if nothing is left to know them by."""
    try:
        return checked(NewParticipant(**given))
    except InvalidInput as refused:
        wrong = {each.path[0] for each in refused.fields if given.get(each.path[0])}
        if not wrong:
            raise
        for each in sorted(wrong):
            report.notes[f"users.{each}: not of a form that it can have, left out"] += 1
        return checked(NewParticipant(**{name: value for name, value in given.items() if name not in wrong}))


def _wallets(row: Row, report: AdoptionReport) -> tuple[NamedWallet, ...]:
    wallet = row.get("wallet_address")
    network = Network.ETHEREUM if row.get("wallet_type") == "ethereum" else Network.SOLANA
    found = _address(row["id"], wallet, network, report, f"{USERS}.{WALLETS}")
    return () if found is None else (NamedWallet(network, found, network is Network.SOLANA),)


def _address(id: Any, text: str | None, network: Network, report: AdoptionReport, what: str) -> str | None:
    """An address as it is stored. Which may be one that nobody can sign for: that is not asked of what there is."""
    if text is None:
        return None
    report.found[what] += 1
    try:
        return address(text, network, "address")
    except InvalidInput as refused:
        report.refuse(what, id, refused.message)
        return None


def _attributes(row: Row, report: AdoptionReport) -> tuple[Attribute, ...]:
    document = _document(row, "profile_data")
    texts = {name: str(value) for name, value in document.items() if isinstance(value, str | int | float)}
    kept = [
        Attribute(name, value)
        for name, value in texts.items()
        if _ATTRIBUTE.fullmatch(name) and len(value) <= MAX_ATTRIBUTE_CHARS
    ][:MAX_ATTRIBUTES]
    report.notes["users.profile_data: values that are no short text, left out"] += len(document) - len(kept)
    report.notes["users.verification_data: a document without a form, not adopted"] += _is_filled(
        row, "verification_data"
    )
    return tuple(kept)


def _preferences(row: Row) -> dict[str, Any]:
    document = _document(row, "preferences")
    found: dict[str, Any] = {}
    for name, names in (("locale", ("locale", "language")), ("time_zone", ("time_zone", "timezone"))):
        found[name] = next((document[each] for each in names if isinstance(document.get(each), str)), None)
    notified = document.get("notifications")
    return found | ({"has_notifications": notified} if isinstance(notified, bool) else {})


def _document(row: Row, name: str) -> dict[str, Any]:
    found = json.loads(row.get(name) or "{}")
    return found if isinstance(found, dict) else {}


def _is_filled(row: Row, name: str) -> bool:
    return (row.get(name) or "{}") not in {"{}", "[]", "null"}


def _id(row: Row, name: str) -> UUID:
    return UUID(row[name] or "")


def _number(row: Row, name: str) -> int | None:
    value = row.get(name)
    return None if value is None else int(value)


def _moment(row: Row, name: str, otherwise: datetime | None = None) -> datetime:
    text = row.get(name)
    if text is None:
        if otherwise is None:
            raise InvalidInput(name, "It is missing.")
        return otherwise
    return datetime.fromisoformat(text).astimezone(UTC)


def _reason(refused: InvalidInput | ValueError) -> str:
    if not isinstance(refused, InvalidInput):
        return str(refused)
    return "; ".join(f"{'.'.join(each.path)}: {each.message}" for each in refused.fields)
