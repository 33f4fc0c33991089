"""Who can join a project, and what a tenant may set. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participations.model import (
    MAX_ADJUSTMENT,
    MAX_NOTE_CHARS,
    MAX_THRESHOLD,
    Closed,
    Joiner,
    OpenProject,
    Requirement,
)
from app.domains.campaigns.projects.model import MAX_THRESHOLDS, requirements_of
from app.kit.errors import InvalidInput
from app.kit.text import is_storable


def closed(project: OpenProject, now: datetime) -> Closed | None:
    """Why nobody can take part in it now; None: they can."""
    if project.archived_at is not None:
        return Closed.ARCHIVED
    if not project.is_active or not project.is_tenant_open:
        return Closed.PAUSED
    if project.starts_at is not None and now < project.starts_at:
        return Closed.NOT_STARTED
    return Closed.ENDED if project.ends_at is not None and now >= project.ends_at else None


def unmet(project: OpenProject, joiner: Joiner, now: datetime) -> tuple[Requirement, ...]:
    """What the project requires and the participant does not meet."""
    required = requirements_of(project.requirements)
    # Who is one of Moneta's users has a wallet in Moneta's ledger.
    has_wallet = joiner.has_wallet or (project.network == Network.INTERNAL and joiner.user_id is not None)
    age, countries = timedelta(milliseconds=required.min_account_age_ms), required.allowed_countries
    met = {
        Requirement.VERIFIED: not required.verified_only or joiner.is_verified,
        Requirement.WALLET: not required.wallet_required or has_wallet,
        Requirement.ACCOUNT_AGE: not age or now - joiner.since >= age,
        Requirement.COUNTRY: countries is None or joiner.country in countries,
    }
    return tuple(each for each, is_met in met.items() if not is_met)


def has_room(count: int, limit: int, most_at_once: int, *, alone: bool) -> bool | None:
    """Whether one more can join a project; None: only who is alone with it can tell.

    Others who join at once are not counted yet: there are fewer of them than transactions can be open.
    """
    if alone:
        return count < limit
    return True if count + most_at_once <= limit else None


def note(text: str | None, field: str) -> str | None:
    """Trimmed. Raises InvalidInput."""
    if text is None:
        return None
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= MAX_NOTE_CHARS or not is_storable(trimmed, "\n\t"):
        raise InvalidInput(field, f"It has 1 to {MAX_NOTE_CHARS:,} characters.")
    return trimmed


def adjustment(amount: int) -> int:
    """Unchanged. Raises InvalidInput."""
    if amount == 0 or abs(amount) > MAX_ADJUSTMENT:
        raise InvalidInput("amount", f"It is not 0, and from -{MAX_ADJUSTMENT:,} to {MAX_ADJUSTMENT:,}.")
    return amount


def thresholds(given: Sequence[int]) -> list[int]:
    """Unchanged. Raises InvalidInput."""
    made = list(given)
    if len(made) > MAX_THRESHOLDS or made != sorted({*made}) or any(not 1 <= each <= MAX_THRESHOLD for each in made):
        raise InvalidInput(
            "thresholds",
            f"There are at most {MAX_THRESHOLDS}, each 1 to {MAX_THRESHOLD:,} and higher than the one before.",
        )
    return made
