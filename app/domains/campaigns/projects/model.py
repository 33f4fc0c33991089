"""Projects of tenants: each distributes a token to its participants."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.campaigns.networks.model import Network
from app.kit.changes import Changes
from app.kit.errors import Problem
from app.kit.events import Fact

MAX_DESCRIPTION_CHARS: Final = 10_000
MAX_TOKEN_NAME_CHARS: Final = 100
MAX_SYMBOL_CHARS: Final = 20
MAX_DECIMALS: Final = 36
DECIMALS: Final = 9
MAX_AMOUNT: Final = 10**78 - 1
"""In the smallest unit of a token: what an integer of 256 bits can be, and more."""
MAX_COUNT: Final = 2_000_000_000
MAX_LEVELS: Final = 20
MAX_LEVEL: Final = 1_000_000
MAX_THRESHOLDS: Final = 99
MAX_COUNTRIES: Final = 250
MAX_ACCOUNT_AGE_MS: Final = 10 * 366 * 24 * 3_600_000
PROJECT_UPDATED: Final = "project.updated"
KEY_PREFIX: Final = "proj_"
KEY_CHARS: Final = 12


class ProjectStatus(StrEnum):
    """What becomes of a project now. It follows from whether it is active, and whether it was archived."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


class ProjectChange(StrEnum):
    """What happened to a project."""

    CHANGED = "changed"
    ARCHIVED = "archived"
    TASK_DEFINED = "task_defined"
    TASK_ARCHIVED = "task_archived"
    COUNTED = "counted"


class Requirements(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a participant has to meet. The default: nothing."""

    verified_only: bool = False
    wallet_required: bool = False
    min_account_age_ms: int = 0
    allowed_countries: tuple[str, ...] | None = None
    """By ISO 3166-1, in order. None: all."""


class FixedDistribution(msgspec.Struct, frozen=True, tag_field="type", tag="fixed"):
    """Each claim is of the same amount."""

    claim_amount: int


class PointsDistribution(msgspec.Struct, frozen=True, tag_field="type", tag="points"):
    """A claim is of an amount for each point of the participant, up to the most."""

    amount_per_point: int
    max_claim_amount: int


class ClaimLevel(msgspec.Struct, frozen=True):
    """What a claim is from a level on."""

    min_level: int
    claim_amount: int


class LevelDistribution(msgspec.Struct, frozen=True, tag_field="type", tag="levels"):
    """A claim is of the amount of the highest level that the participant has reached."""

    claim_levels: tuple[ClaimLevel, ...]


Distribution: TypeAlias = FixedDistribution | PointsDistribution | LevelDistribution


def distribution_of(stored: Mapping[str, Any]) -> Distribution:
    """A distribution as it is stored."""
    found: Distribution = msgspec.convert(stored, Distribution, strict=False)
    return found


def stored_distribution(distribution: Distribution) -> dict[str, Any]:
    """A distribution as it is to be stored: amounts are text, since JSON of others may round them."""
    stored: dict[str, Any] = msgspec.to_builtins(distribution)
    levels = stored.get("claim_levels", ())
    amounts: dict[str, Any] = {name: str(value) for name, value in stored.items() if isinstance(value, int)}
    if levels:
        amounts["claim_levels"] = [each | {"claim_amount": str(each["claim_amount"])} for each in levels]
    return stored | amounts


def requirements_of(stored: Mapping[str, Any]) -> Requirements:
    """Requirements as they are stored."""
    return msgspec.convert(stored, Requirements)


def in_tokens(amount: int | Decimal, decimals: int) -> Decimal:
    """An amount in the smallest unit as one in tokens, exactly: in arithmetic, a Decimal would have 28 digits."""
    return Decimal(f"{int(amount)}e-{decimals}")


class Project(msgspec.Struct, frozen=True):
    """A project, as everybody reads it who may. Amounts are in the smallest unit of its token."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    key: str
    name: str
    description: str | None
    network: str
    token_name: str | None
    token_symbol: str | None
    token_address: str | None
    token_decimals: int
    total_supply: Decimal | None
    requirements: dict[str, Any]
    distribution: dict[str, Any]
    claim_amount: Decimal
    max_participants: int | None
    max_claims_per_participant: int
    is_active: bool
    is_public: bool
    starts_at: datetime | None
    ends_at: datetime | None
    level_thresholds: list[int]
    total_participants: int
    total_claims: int
    total_distributed: Decimal
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    @property
    def claim_amount_tokens(self) -> Decimal:
        """The most that one claim can be, in tokens."""
        return in_tokens(self.claim_amount, self.token_decimals)

    @property
    def total_supply_tokens(self) -> Decimal | None:
        """How much there is of the token, in tokens."""
        return None if self.total_supply is None else in_tokens(self.total_supply, self.token_decimals)

    @property
    def total_distributed_tokens(self) -> Decimal:
        """What was paid, in tokens."""
        return in_tokens(self.total_distributed, self.token_decimals)

    @property
    def status(self) -> ProjectStatus:
        """What becomes of it now."""
        if self.archived_at is not None:
            return ProjectStatus.ARCHIVED
        return ProjectStatus.ACTIVE if self.is_active else ProjectStatus.PAUSED


class ProjectLevel(msgspec.Struct, frozen=True):
    """A level that participants of a project have from some points on."""

    level: int
    min_points: int


class ProjectWallet(msgspec.Struct, frozen=True):
    """Where a project pays from."""

    project_id: UUID
    network: str
    address: str
    has_key: bool
    updated_at: datetime


class ProjectUsage(msgspec.Struct, frozen=True):
    """How many projects a tenant has, and how many it can have."""

    tenant_id: UUID
    project_count: int
    project_limit: int

    @property
    def projects_left(self) -> int:
        """How many can still be created."""
        return max(0, self.project_limit - self.project_count)


class ProjectQuota(msgspec.Struct, frozen=True):
    """The number of projects of a tenant that count, and their limit."""

    used: int
    limit: int


class SealedKey(msgspec.Struct, frozen=True):
    """The private key of a wallet as it is stored."""

    project_id: UUID
    tenant_id: UUID
    livemode: bool
    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes


class NewWallet(msgspec.Struct, frozen=True):
    """Where a project is to pay from. No text of it shows the key."""

    address: str
    private_key: str | None = None

    def __repr__(self) -> str:
        return f"NewWallet({self.address!r}, ...)"

    __str__ = __repr__


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project to create. None where a project that it is a clone of decides, or the default."""

    name: str
    clone_of: UUID | None = None
    description: str | None = None
    network: Network | None = None
    token_name: str | None = None
    token_symbol: str | None = None
    token_address: str | None = None
    token_decimals: int | None = None
    total_supply: int | None = None
    requirements: Requirements | None = None
    distribution: Distribution | None = None
    max_participants: int | None = None
    max_claims_per_participant: int | None = None
    is_active: bool | None = None
    is_public: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    wallet: NewWallet | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All of a project that is set by its tenant, and has to fit together."""

    name: str
    description: str | None
    network: Network
    token_name: str | None
    token_symbol: str | None
    token_address: str | None
    token_decimals: int
    total_supply: int | None
    requirements: Requirements
    distribution: Distribution
    max_participants: int | None
    max_claims_per_participant: int
    is_active: bool
    is_public: bool
    starts_at: datetime | None
    ends_at: datetime | None


class ProjectChanges(Changes, frozen=True, kw_only=True):
    """Changes to a project. UNSET leaves a field unchanged, None clears it."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    token_name: str | UnsetType | None = UNSET
    token_symbol: str | UnsetType | None = UNSET
    token_address: str | UnsetType | None = UNSET
    token_decimals: int | UnsetType = UNSET
    total_supply: int | UnsetType | None = UNSET
    requirements: Requirements | UnsetType = UNSET
    distribution: FixedDistribution | PointsDistribution | LevelDistribution | UnsetType = UNSET
    max_participants: int | UnsetType | None = UNSET
    max_claims_per_participant: int | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET


class ProjectFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says about a project."""

    change: ProjectChange
    project_id: UUID
    task_id: UUID | None = None
    participants: int | None = None
    completions: int | None = None

    @property
    def fact(self) -> Fact:
        """The event."""
        return Fact(project_stream(self.project_id), PROJECT_UPDATED, msgspec.to_builtins(self))


def project_stream(project_id: UUID) -> str:
    """The name of the stream of a project."""
    return f"project:{project_id}"


class ProjectLimitReached(Problem):
    """There can be no further project: archive one, or ask for a larger plan."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A tenant of this plan has at most {limit:,} projects that are not archived.")
        self.limit = limit


class ProjectArchived(Problem):
    """The project was archived: it can be read, and not changed."""


class WalletInUse(Problem):
    """Another project pays from this wallet. A wallet serves one project."""
