"""Projects, as the public and the members of their tenant see them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.campaigns.projects import loaders, model
from app.domains.tenancy.tenants import loaders as tenant_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.campaigns.networks import Network
from app.schema.campaigns.terms import SMALLEST, ProjectDistribution, ProjectRequirements
from app.schema.context import Context
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt
from app.schema.tenancy.api_keys import TenantUsage
from app.schema.tenancy.tenants import Tenant

declare_enum(
    model.ProjectStatus,
    description="What becomes of a project.",
    ACTIVE="Participants can join it, complete tasks and claim, between `startsAt` and `endsAt`.",
    PAUSED="Nobody can join it or claim.",
    ARCHIVED="It can be read, and not changed.",
)


def _requirements(root: model.Project) -> model.Requirements:
    return model.requirements_of(root.requirements)


def _distribution(root: model.Project) -> Any:
    return model.distribution_of(root.distribution)


def _claim_amount(root: model.Project) -> BigInt:
    return BigInt(int(root.claim_amount))


def _total_supply(root: model.Project) -> BigInt | None:
    return None if root.total_supply is None else BigInt(int(root.total_supply))


def _total_distributed(root: model.Project) -> BigInt:
    return BigInt(int(root.total_distributed))


@record_type(model.ProjectWallet)
class ProjectWallet:
    """Where a project pays from. Only the members of its tenant see it, and nobody its private key."""

    network: Network = strawberry.field(description="The network of the wallet.")
    address: str = strawberry.field(description="The address.")
    has_key: bool = strawberry.field(
        description="Whether Moneta has the private key and can pay. Otherwise the tenant signs."
    )
    updated_at: datetime = strawberry.field(description="When it was set.")


@record_type(model.ProjectLevel)
class ProjectLevel:
    """A level that participants have from some points on."""

    level: int = strawberry.field(description="The level, from 1.")
    min_points: BigInt = from_parent(
        lambda root: BigInt(root.min_points), graphql_type=BigInt, description="The points from which on they have it."
    )


def _levels(root: model.Project) -> list[model.ProjectLevel]:
    return [model.ProjectLevel(number, points) for number, points in enumerate((0, *root.level_thresholds), start=1)]


@node_type(by=loaders.project_by_id)
class Project(Node):
    """A project of a tenant, which distributes a token. Everybody sees one that is public and active; the members of
    its tenant see it always, where the request names the tenant.
    """

    key: str = strawberry.field(description="Its public key: `proj_` and 12 lower-case letters and digits.")
    tenant: Tenant | None = related(
        tenant_loaders.tenant_by_id, key="tenant_id", description="The tenant. Null for others than its members."
    )
    livemode: bool = strawberry.field(name="isLive", description="Whether it is real, and not one for tests.")
    name: str = strawberry.field(description="The name, 1 to 255 characters.")
    description: str | None = strawberry.field(description="What it is about. Null: not set.")
    network: Network = strawberry.field(description="The network of its token.")
    token_name: str | None = strawberry.field(description="The name of its token. Null: not set.")
    token_symbol: str | None = strawberry.field(description="The symbol of its token. Null: not set.")
    token_address: str | None = strawberry.field(
        description="The address of its token: of the mint in SOLANA, of the contract in ETHEREUM. Null: not set, or"
        " the network has no addresses."
    )
    token_decimals: int = strawberry.field(description="How many decimals its token has, 0 to 36.")
    total_supply: BigInt | None = from_parent(
        _total_supply, description=f"How much there is of the token, {SMALLEST}. Null: not set."
    )
    total_supply_tokens: Decimal | None = strawberry.field(
        description="How much there is of the token, in tokens. Null: not set."
    )
    requirements: ProjectRequirements = from_parent(
        _requirements, description="What a participant has to meet to join."
    )
    distribution: ProjectDistribution = from_parent(_distribution, description="What a claim is.")
    claim_amount: BigInt = from_parent(_claim_amount, description=f"The most that one claim can be, {SMALLEST}.")
    claim_amount_tokens: Decimal = strawberry.field(description="The most that one claim can be, in tokens.")
    max_participants: int | None = strawberry.field(
        description="The number of participants that it can have, and never more than the tenant's `participantLimit`."
        " Null: as many as that."
    )
    max_claims_per_participant: int = strawberry.field(
        description="The number of claims that each participant can make."
    )
    is_active: bool = strawberry.field(description="Whether participants can join it, complete tasks and claim.")
    is_public: bool = strawberry.field(description="Whether everybody sees it while it is active.")
    status: model.ProjectStatus = strawberry.field(description="What becomes of it now.")
    starts_at: datetime | None = strawberry.field(
        description="From when on participants can join, complete tasks and claim. Null: at once."
    )
    ends_at: datetime | None = strawberry.field(description="Until when they can. Null: without end.")
    levels: list[ProjectLevel] = from_parent(
        _levels, description="The levels of participants, the lowest first.", metadata=holds(model.MAX_THRESHOLDS + 1)
    )
    total_participants: int = strawberry.field(description="The number of participants who take part.")
    total_claims: int = strawberry.field(description="The number of claims that were paid.")
    total_distributed: BigInt = from_parent(_total_distributed, description=f"What was paid, {SMALLEST}.")
    total_distributed_tokens: Decimal = strawberry.field(description="What was paid, in tokens.")
    distribution_wallet: ProjectWallet | None = related(
        loaders.wallet_by_project,
        key="id",
        description="Where it pays from. Null: not set, or the caller is no member of the tenant.",
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it was archived. Null: it was not.")


@strawberry.input(one_of=True)
class ProjectBy:
    """Identifies a project."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    key: str | None = strawberry.field(default=strawberry.UNSET, description="Its public key.")


@strawberry.type
class ProjectQuery:
    """A single project."""

    project: Project | None = lookup(
        ProjectBy,
        {"id": by_id(Project, loaders.project_by_id), "key": Key(loaders.project_by_key)},
        of=Project,
        argument="Identifies the project.",
        description="A project: for everybody if it is public, active and not archived, and its tenant is active; and"
        " for the members of its tenant, if the request names that. Null if there is none.",
    )


@strawberry.input
class ProjectFilter:
    """Filters projects by all fields that are given. A field that is null or omitted matches all."""

    status: model.ProjectStatus | None = strawberry.field(default=None, description="What becomes of them.")
    network: Network | None = strawberry.field(default=None, description="The network of their token.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"status": self.status, "network": self.network}


ProjectOrderBy = order_input(
    "Project",
    "Projects that are equal in it are sorted by their IDs.",
    CREATED_AT="When they were created.",
    NAME="Their name, by its characters.",
)


@extension_of(Tenant)
class TenantProjects:
    """The projects of a tenant."""

    projects: Connection[Project] = paged(
        loaders.projects_by_tenant,
        key="id",
        filter=ProjectFilter,
        order_by=ProjectOrderBy,
        description="Its projects, newest first, those that were archived included: the real ones, or those for tests,"
        " as the request acts. Empty unless the request names the tenant.",
    )


@record_type(model.ProjectUsage)
class TenantProjectUsage:
    """The projects of a tenant, real ones or those for tests as the request acts. Those that were archived do not
    count.
    """

    project_count: int = strawberry.field(description="The number of projects.")
    project_limit: int = strawberry.field(description="The number of projects that its plan includes.")
    projects_left: int = strawberry.field(description="How many projects can still be created.")


@extension_of(TenantUsage)
class TenantUsageOfProjects:
    """What of the use of a tenant is projects."""

    project_usage: TenantProjectUsage | None = related(
        loaders.usage_by_tenant, key="tenant_id", description="Its projects. Null unless the request names the tenant."
    )


async def read_project(context: Context, id: Any) -> Any:
    """The record of a project that was just written, for a payload."""
    return await context.reads.one(loaders.project_by_id, id)
