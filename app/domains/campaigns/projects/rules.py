"""What a project may be. Pure."""

import re
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET

from app.domains.campaigns.names.rules import name as shown_name
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address
from app.domains.campaigns.projects.model import (
    DECIMALS,
    MAX_ACCOUNT_AGE_MS,
    MAX_AMOUNT,
    MAX_COUNT,
    MAX_COUNTRIES,
    MAX_DECIMALS,
    MAX_DESCRIPTION_CHARS,
    MAX_LEVEL,
    MAX_LEVELS,
    MAX_SYMBOL_CHARS,
    MAX_TOKEN_NAME_CHARS,
    Distribution,
    FixedDistribution,
    LevelDistribution,
    NewProject,
    PointsDistribution,
    Project,
    ProjectChanges,
    Requirements,
    Terms,
    distribution_of,
    requirements_of,
)
from app.kit.errors import Faults, InvalidInput, Path
from app.kit.names import is_impersonating
from app.kit.text import is_storable

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_SET: Final = tuple(name for name in Terms.__struct_fields__ if name != "network")
"""What a change can set: all but the network."""


def name(text: str, field: str = "name", most: int = 255) -> str:
    """Trimmed. It shows as what it is, and is not that of Moneta. Raises InvalidInput."""
    made = shown_name(text, field, most)
    if is_impersonating(made):
        raise InvalidInput(field, "This is the name of somebody else.")
    return made


def description(text: str) -> str:
    """Trimmed. Raises InvalidInput."""
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= MAX_DESCRIPTION_CHARS or not is_storable(trimmed, "\n\t"):
        raise InvalidInput("description", f"A description has 1 to {MAX_DESCRIPTION_CHARS:,} characters.")
    return trimmed


def claim_amount(distribution: Distribution) -> int:
    """The most that one claim can be."""
    match distribution:
        case FixedDistribution(amount):
            return amount
        case PointsDistribution(max_claim_amount=amount):
            return amount
        case LevelDistribution(levels):
            return max((each.claim_amount for each in levels), default=0)


def claimed(distribution: Distribution, points: int, level: int) -> int:
    """What a claim of a participant with these points and this level is; 0: there is nothing to claim."""
    match distribution:
        case FixedDistribution(amount):
            return amount
        case PointsDistribution(amount, most):
            return min(amount * max(points, 0), most)
        case LevelDistribution(levels):
            return max(
                ((each.min_level, each.claim_amount) for each in levels if each.min_level <= level), default=(0, 0)
            )[1]


def has_payouts(project: Project) -> bool:
    """Whether anything was paid: from then on an amount means what it meant."""
    return project.total_claims > 0 or project.total_distributed > 0


def terms_of(project: Project) -> Terms:
    """What is set of a project."""
    return Terms(
        **{
            each: getattr(project, each)
            for each in _SET
            if each not in {"requirements", "distribution", "total_supply"}
        },
        network=Network(project.network),
        total_supply=None if project.total_supply is None else int(project.total_supply),
        requirements=requirements_of(project.requirements),
        distribution=distribution_of(project.distribution),
    )


def new_terms(new: NewProject, original: Terms | None, now: datetime | None) -> Terms:
    """A project to create as it is stored: what is not given is that of the original, apart from times, or the default.
    `now`: the end has to be later; None: it is not compared. Raises InvalidInput, which names all that is wrong.
    """
    given = {each: value for each in Terms.__struct_fields__ if (value := getattr(new, each)) is not None}
    with Faults() as faults:
        if original is None and new.distribution is None and new.clone_of is None:
            faults.add("distribution", "It is required, unless the project is a clone of another.")
        if now is not None and new.ends_at is not None and new.ends_at <= now:
            faults.add("ends_at", "This is in the past.")
        base = (original and msgspec.structs.replace(original, starts_at=None, ends_at=None)) or _DEFAULTS
        if base.network is not (new.network or base.network):
            # An address is one of its network.
            base = msgspec.structs.replace(base, token_address=None)
        return _checked(faults, msgspec.structs.replace(base, **given))


def changed_terms(project: Project, changes: ProjectChanges) -> Terms:
    """A project as it is stored after changes. Raises InvalidInput, which names all that is wrong."""
    before = terms_of(project)
    with Faults() as faults:
        changes.check(faults)
        given = {each: value for each in _SET if (value := getattr(changes, each)) is not UNSET}
        if has_payouts(project) and given.get("token_decimals", before.token_decimals) != before.token_decimals:
            faults.add("token_decimals", "They are fixed once something was paid: every amount would be another.")
        return _checked(faults, msgspec.structs.replace(before, **given))


def _checked(faults: Faults, terms: Terms) -> Terms:
    made = msgspec.structs.replace(
        terms,
        name=faults.check(name, terms.name),
        description=None if terms.description is None else faults.check(description, terms.description),
        token_name=None
        if terms.token_name is None
        else faults.check(name, terms.token_name, "token_name", MAX_TOKEN_NAME_CHARS),
        token_symbol=None
        if terms.token_symbol is None
        else faults.check(name, terms.token_symbol, "token_symbol", MAX_SYMBOL_CHARS),
        token_address=None
        if terms.token_address is None
        else faults.check(address, terms.token_address, terms.network, "token_address"),
        requirements=faults.check(_requirements, terms.requirements),
        distribution=faults.check(_distribution, terms.distribution),
    )
    if not 0 <= terms.token_decimals <= MAX_DECIMALS:
        faults.add("token_decimals", f"A token has 0 to {MAX_DECIMALS} decimals.")
    if terms.total_supply is not None:
        faults.check(_amount, terms.total_supply, "total_supply")
        if claim_amount(terms.distribution) > terms.total_supply:
            faults.add("total_supply", "A claim can be of more than this.")
    for field, count in (
        ("max_participants", terms.max_participants),
        ("max_claims_per_participant", terms.max_claims_per_participant),
    ):
        if count is not None and not 1 <= count <= MAX_COUNT:
            faults.add(field, f"A limit is 1 to {MAX_COUNT:,}.")
    if terms.starts_at is not None and terms.ends_at is not None and terms.starts_at >= terms.ends_at:
        faults.add("ends_at", "It ends after it starts.")
    return made


def _amount(value: int, field: str | Path) -> int:
    if not 1 <= value <= MAX_AMOUNT:
        raise InvalidInput(field, "An amount is at least 1, and has at most 78 digits.")
    return value


def _requirements(required: Requirements) -> Requirements:
    with Faults() as faults, faults.at("requirements"):
        if not 0 <= required.min_account_age_ms <= MAX_ACCOUNT_AGE_MS:
            faults.add(("requirements", "min_account_age_ms"), "An age is 0 to 10 years.")
        countries = required.allowed_countries
        if countries is not None and (
            not 1 <= len(countries) <= MAX_COUNTRIES or not all(map(_COUNTRY.fullmatch, countries))
        ):
            raise InvalidInput("allowed_countries", "A country has two capital letters, by ISO 3166-1, such as AT.")
    ordered = None if countries is None else tuple(sorted({*countries}))
    return msgspec.structs.replace(required, allowed_countries=ordered)


def _distribution(distribution: Distribution) -> Distribution:
    with Faults() as faults:
        match distribution:
            case FixedDistribution(amount):
                faults.check(_amount, amount, ("distribution", "fixed", "claim_amount"))
            case PointsDistribution(amount, most):
                faults.check(_amount, amount, ("distribution", "by_points", "amount_per_point"))
                faults.check(_amount, most, ("distribution", "by_points", "max_claim_amount"))
            case LevelDistribution(levels):
                path = ("distribution", "by_level", "claim_levels")
                for place, each in enumerate(levels[:MAX_LEVELS]):
                    faults.check(_amount, each.claim_amount, (*path, str(place), "claim_amount"))
                    if not 0 <= each.min_level <= MAX_LEVEL:
                        faults.add((*path, str(place), "min_level"), f"A level is 0 to {MAX_LEVEL:,}.")
                steps = [each.min_level for each in levels]
                if not 1 <= len(levels) <= MAX_LEVELS or steps != sorted({*steps}):
                    faults.add(path, f"There are 1 to {MAX_LEVELS} levels, each higher than the one before.")
    return distribution


_DEFAULTS: Final = Terms(
    name="",
    description=None,
    network=Network.INTERNAL,
    token_name=None,
    token_symbol=None,
    token_address=None,
    token_decimals=DECIMALS,
    total_supply=None,
    requirements=Requirements(),
    distribution=FixedDistribution(1),
    max_participants=None,
    max_claims_per_participant=1,
    is_active=True,
    is_public=True,
    starts_at=None,
    ends_at=None,
)
