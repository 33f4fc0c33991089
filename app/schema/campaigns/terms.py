"""What participants of a project have to meet, and what their claims are."""

from typing import Annotated, TypeAlias

import strawberry

from app.domains.campaigns.projects import model
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.nodes import record_type
from app.schema.scalars import BigInt

VERIFIED = "Whether only participants who are verified can join."
WALLET = "Whether only participants who have proven a wallet in the network of the token can join."
AGE = "How long a participant must have existed, in milliseconds, up to 10 years."
COUNTRIES = "The countries of participants who can join, by ISO 3166-1, in two capital letters."
SMALLEST = "in the smallest unit of the token"
AMOUNT = f"What each claim is, {SMALLEST}: at least 1."
FOR_POINT = f"What a claim is for each point of the participant, {SMALLEST}: at least 1."
MOST = f"The most that one claim can be, {SMALLEST}: at least 1."
LEVELS = f"What a claim is, by the level of the participant: 1 to {model.MAX_LEVELS}, each higher than the one before."
MIN_LEVEL = f"The level from which on a claim is this, 0 to {model.MAX_LEVEL:,}."
LEVEL_AMOUNT = f"What a claim is from this level on, {SMALLEST}: at least 1."


@record_type(model.Requirements)
class ProjectRequirements:
    """What a participant has to meet to join."""

    verified_only: bool = strawberry.field(name="isVerifiedOnly", description=VERIFIED)
    wallet_required: bool = strawberry.field(name="isWalletRequired", description=WALLET)
    min_account_age_ms: Milliseconds = strawberry.field(description=AGE)
    allowed_countries: list[str] | None = strawberry.field(
        description=f"{COUNTRIES} Null: all.", metadata=holds(model.MAX_COUNTRIES)
    )


def _fixed(root: model.FixedDistribution) -> BigInt:
    return BigInt(root.claim_amount)


def _level(root: model.ClaimLevel) -> BigInt:
    return BigInt(root.claim_amount)


def _for_point(root: model.PointsDistribution) -> BigInt:
    return BigInt(root.amount_per_point)


def _most(root: model.PointsDistribution) -> BigInt:
    return BigInt(root.max_claim_amount)


@record_type(model.FixedDistribution)
class FixedDistribution:
    """Each claim is of the same amount."""

    claim_amount: BigInt = from_parent(_fixed, description=AMOUNT)


@record_type(model.PointsDistribution)
class PointsDistribution:
    """A claim is by the points of the participant."""

    amount_per_point: BigInt = from_parent(_for_point, description=FOR_POINT)
    max_claim_amount: BigInt = from_parent(_most, description=MOST)


@record_type(model.ClaimLevel)
class ClaimLevel:
    """What a claim is from a level on."""

    min_level: int = strawberry.field(description=MIN_LEVEL)
    claim_amount: BigInt = from_parent(_level, description=LEVEL_AMOUNT)


@record_type(model.LevelDistribution)
class LevelDistribution:
    """A claim is by the level of the participant. Below the first, there is nothing to claim."""

    claim_levels: list[ClaimLevel] = strawberry.field(description=LEVELS, metadata=holds(model.MAX_LEVELS))


ProjectDistribution: TypeAlias = Annotated[
    FixedDistribution | PointsDistribution | LevelDistribution,
    strawberry.union("ProjectDistribution", description="What a claim is."),
]


@strawberry.input
class ProjectRequirementsInput:
    """What a participant has to meet to join. A field that is null or omitted requires nothing."""

    verified_only: bool | None = strawberry.field(default=None, description=VERIFIED)
    wallet_required: bool | None = strawberry.field(default=None, description=WALLET)
    min_account_age_ms: Milliseconds | None = strawberry.field(default=None, description=AGE)
    allowed_countries: list[str] | None = strawberry.field(
        default=None, description=f"{COUNTRIES} 1 to {model.MAX_COUNTRIES}. Null: all."
    )

    def made(self) -> model.Requirements:
        """The requirements."""
        countries = self.allowed_countries
        return model.Requirements(
            verified_only=bool(self.verified_only),
            wallet_required=bool(self.wallet_required),
            min_account_age_ms=self.min_account_age_ms or 0,
            allowed_countries=None if countries is None else tuple(countries),
        )


@strawberry.input
class FixedDistributionInput:
    """Each claim is of the same amount."""

    claim_amount: BigInt = strawberry.field(description=AMOUNT)


@strawberry.input
class PointsDistributionInput:
    """A claim is by the points of the participant."""

    amount_per_point: BigInt = strawberry.field(description=FOR_POINT)
    max_claim_amount: BigInt = strawberry.field(description=MOST)


@strawberry.input
class ClaimLevelInput:
    """What a claim is from a level on."""

    min_level: int = strawberry.field(description=MIN_LEVEL)
    claim_amount: BigInt = strawberry.field(description=LEVEL_AMOUNT)


@strawberry.input
class LevelDistributionInput:
    """A claim is by the level of the participant. Below the first, there is nothing to claim."""

    claim_levels: list[ClaimLevelInput] = strawberry.field(description=LEVELS)


@strawberry.input(one_of=True)
class ProjectDistributionInput:
    """What a claim is. Set exactly one field."""

    fixed: FixedDistributionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Each claim is of the same amount."
    )
    by_points: PointsDistributionInput | None = strawberry.field(
        default=strawberry.UNSET, description="A claim is by the points of the participant."
    )
    by_level: LevelDistributionInput | None = strawberry.field(
        default=strawberry.UNSET, description="A claim is by the level of the participant."
    )

    def made(self) -> model.Distribution:
        """The distribution."""
        if self.by_points:
            return model.PointsDistribution(self.by_points.amount_per_point, self.by_points.max_claim_amount)
        if self.by_level:
            levels = self.by_level.claim_levels
            return model.LevelDistribution(
                tuple(model.ClaimLevel(each.min_level, each.claim_amount) for each in levels)
            )
        assert self.fixed
        return model.FixedDistribution(self.fixed.claim_amount)
