"""Creating, changing and archiving projects."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.campaigns.projects import model
from app.domains.campaigns.projects.services.projects import Projects
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.campaigns.networks import ADDRESS, Network
from app.schema.campaigns.projects import Project, read_project
from app.schema.campaigns.terms import SMALLEST, ProjectDistributionInput, ProjectRequirementsInput
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.scalars import BigInt
from app.schema.tenancy.changes import TenantNotActive

NAME = "The name, 1 to 255 characters. The letters of a word are of one alphabet."
ABOUT = f"What it is about, 1 to {model.MAX_DESCRIPTION_CHARS:,} characters. Null: not set."
TOKEN_NAME = f"The name of its token, 1 to {model.MAX_TOKEN_NAME_CHARS} characters. Null: not set."
SYMBOL = f"The symbol of its token, 1 to {model.MAX_SYMBOL_CHARS} characters. Null: not set."
TOKEN_ADDRESS = f"The address of its token. {ADDRESS} Null: not set."
DECIMALS = f"How many decimals its token has, 0 to {model.MAX_DECIMALS}."
SUPPLY = f"How much there is of the token, {SMALLEST}: at least 1. Null: not set."
PARTICIPANTS = (
    f"The number of participants that it can have, 1 to {model.MAX_COUNT:,}, and never more than the tenant's"
    " `participantLimit`. Null: as many as that."
)
CLAIMS = f"The number of claims that each participant can make, 1 to {model.MAX_COUNT:,}."
STARTS = "From when on participants can join, complete tasks and claim, before `endsAt`. Null: at once."
ENDS = "Until when they can. Null: without end."
KEPT = "Omitted: unchanged. Not null."
CLONED = "of the clone's original, or"


@problem_type(model.ProjectLimitReached)
class ProjectLimitReached(Problem):
    """The tenant has the maximum number of projects."""

    limit: int = strawberry.field(description="The maximum number of projects that are not archived.")


@problem_type(model.ProjectArchived)
class ProjectArchived(Problem):
    """The project was archived: it can be read, and not changed."""


@problem_type(model.WalletInUse)
class WalletInUse(Problem):
    """Another project, of this tenant or of another, pays from this wallet."""


@strawberry.input
class ProjectWalletInput:
    """Where a project pays from."""

    address: str = strawberry.field(description=f"The address, in the network of the project. {ADDRESS}")
    private_key: str | None = strawberry.field(
        default=None,
        description="The private key of the address, with which Moneta pays: 32 or 64 bytes in Base58 in SOLANA, 64"
        " hexadecimal digits in ETHEREUM. It is encrypted, and never shown. Null: the tenant signs by itself.",
    )

    def made(self) -> model.NewWallet:
        """The wallet."""
        return model.NewWallet(self.address, self.private_key)


@strawberry.input
class CreateProjectInput:
    """The project to create, in the tenant that the request names."""

    name: str = strawberry.field(description=NAME)
    clone_of_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The global ID of a project of the tenant that this is a clone of: what is not given is as in that,"
        " apart from its times and its wallet. Null: it is no clone.",
    )
    description: str | None = strawberry.field(default=None, description=ABOUT)
    network: Network | None = strawberry.field(
        default=None, description=f"The network of its token, which does not change. Null: {CLONED} INTERNAL."
    )
    token_name: str | None = strawberry.field(default=None, description=TOKEN_NAME)
    token_symbol: str | None = strawberry.field(default=None, description=SYMBOL)
    token_address: str | None = strawberry.field(default=None, description=TOKEN_ADDRESS)
    token_decimals: int | None = strawberry.field(
        default=None, description=f"{DECIMALS} Null: {CLONED} {model.DECIMALS}."
    )
    total_supply: BigInt | None = strawberry.field(default=None, description=SUPPLY)
    requirements: ProjectRequirementsInput | None = strawberry.field(
        default=None, description=f"What a participant has to meet to join. Null: {CLONED} nothing."
    )
    distribution: ProjectDistributionInput | None = strawberry.field(
        default=None, description="What a claim is. Null: that of the clone's original; otherwise it is required."
    )
    max_participants: int | None = strawberry.field(default=None, description=PARTICIPANTS)
    max_claims_per_participant: int | None = strawberry.field(default=None, description=f"{CLAIMS} Null: {CLONED} 1.")
    is_active: bool | None = strawberry.field(
        name="active",
        default=None,
        description=f"Whether participants can join it, complete tasks and claim. Null: {CLONED} true.",
    )
    is_public: bool | None = strawberry.field(
        name="public", default=None, description=f"Whether everybody sees it while it is active. Null: {CLONED} true."
    )
    starts_at: datetime | None = strawberry.field(default=None, description=STARTS)
    ends_at: datetime | None = strawberry.field(default=None, description=f"{ENDS} Not in the past.")
    wallet: ProjectWalletInput | None = strawberry.field(
        name="distributionWallet", default=None, description="Where it pays from. Null: not set yet."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewProject:
        """The project to create."""
        converted = {"clone_of_id", "idempotency_key", "requirements", "distribution", "wallet"}
        return model.NewProject(
            **{name: value for name, value in vars(self).items() if name not in converted},
            clone_of=None if self.clone_of_id is None else key_of(self.clone_of_id, Project),
            requirements=None if self.requirements is None else self.requirements.made(),
            distribution=None if self.distribution is None else self.distribution.made(),
            wallet=None if self.wallet is None else self.wallet.made(),
        )


@strawberry.input
class UpdateProjectInput:
    """Changes to a project. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The global ID of the project.")
    name: str | None = changeable(description=f"{NAME} {KEPT}")
    description: str | None = changeable(description=ABOUT)
    token_name: str | None = changeable(description=TOKEN_NAME)
    token_symbol: str | None = changeable(description=SYMBOL)
    token_address: str | None = changeable(description=TOKEN_ADDRESS)
    token_decimals: int | None = changeable(description=f"{DECIMALS} Only while nothing was paid. {KEPT}")
    total_supply: BigInt | None = changeable(description=SUPPLY)
    requirements: ProjectRequirementsInput | None = changeable(
        description=f"All that a participant has to meet to join. {KEPT}"
    )
    distribution: ProjectDistributionInput | None = changeable(description=f"What a claim is. {KEPT}")
    max_participants: int | None = changeable(description=PARTICIPANTS)
    max_claims_per_participant: int | None = changeable(description=f"{CLAIMS} {KEPT}")
    is_active: bool | None = changeable(
        name="active", description=f"Whether participants can join it, complete tasks and claim. {KEPT}"
    )
    is_public: bool | None = changeable(
        name="public", description=f"Whether everybody sees it while it is active. {KEPT}"
    )
    starts_at: datetime | None = changeable(description=STARTS)
    ends_at: datetime | None = changeable(description=ENDS)


@strawberry.input
class SetProjectWalletInput:
    """Where a project pays from, in place of what was set before."""

    id: strawberry.ID = strawberry.field(description="The global ID of the project.")
    wallet: ProjectWalletInput | None = strawberry.field(
        name="distributionWallet",
        default=None,
        description="The wallet, with its private key if Moneta is to pay. Null: none.",
    )


@strawberry.input
class ArchiveProjectInput:
    """The project to archive."""

    id: strawberry.ID = strawberry.field(description="The global ID of the project.")


@strawberry.type
class CreateProjectPayload:
    """The project was created, now or when the idempotency key was first used."""

    project: Project = strawberry.field(description="The project as it is now.")


@strawberry.type
class UpdateProjectPayload:
    """The project was changed."""

    project: Project = strawberry.field(description="The project as it is now.")


@strawberry.type
class SetProjectWalletPayload:
    """The wallet of the project was set."""

    project: Project = strawberry.field(description="The project as it is now.")


@strawberry.type
class ArchiveProjectPayload:
    """The project was archived."""

    project: Project = strawberry.field(description="The project as it is now.")


@strawberry.type
class ProjectMutation:
    """Changes to projects, for the owners and admins of a tenant."""

    @mutation(
        CreateProjectPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectLimitReached,
        WalletInUse,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def create_project(self, info: Info, input: CreateProjectInput) -> Any:
        """Creates a project in the tenant that the request names. For its owners and admins."""
        tenancy = info.context.require_tenancy()
        id = await _projects(info).create(tenancy, input.new(), input.idempotency_key)
        if (project := await read_project(info.context, id)) is None:
            raise errors.ResultDeleted
        return CreateProjectPayload(project=project)

    @mutation(UpdateProjectPayload, InvalidInput, NotFound, TenantNotActive, ProjectArchived)
    async def update_project(self, info: Info, input: UpdateProjectInput) -> Any:
        """Changes a project. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, Project)
        changes = changes_of(
            input,
            model.ProjectChanges,
            requirements=("requirements", lambda given: given.made()),
            distribution=("distribution", lambda given: given.made()),
        )
        await _projects(info).update(tenancy, id, changes)
        return UpdateProjectPayload(project=await read_project(info.context, id))

    @mutation(SetProjectWalletPayload, InvalidInput, NotFound, TenantNotActive, ProjectArchived, WalletInUse)
    async def set_project_wallet(self, info: Info, input: SetProjectWalletInput) -> Any:
        """Sets where a project pays from, and what with. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, Project)
        await _projects(info).set_wallet(tenancy, id, None if input.wallet is None else input.wallet.made())
        return SetProjectWalletPayload(project=await read_project(info.context, id))

    @mutation(ArchiveProjectPayload, NotFound, TenantNotActive, ProjectArchived)
    async def archive_project(self, info: Info, input: ArchiveProjectInput) -> Any:
        """Archives a project for good: it can be read, and counts against no limit. For the owners and admins of its
        tenant.
        """
        tenancy, id = info.context.require_tenancy(), key_of(input.id, Project)
        await _projects(info).archive(tenancy, id)
        return ArchiveProjectPayload(project=await read_project(info.context, id))


def _projects(info: Info) -> Projects:
    return info.context.services[CampaignsServices].projects
