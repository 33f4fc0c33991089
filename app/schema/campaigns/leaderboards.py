"""Who has how many points in a project, as everybody sees it who sees the project."""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.domains.campaigns.leaderboards import loaders, model
from app.domains.campaigns.participations import loaders as participation_loaders
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.audience import computed_for
from app.engine.declarations.computed import from_parent
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import global_id, record_type
from app.engine.declarations.pages import DEFAULT_SIZE, Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.subscriptions import Followed, volatile
from app.kit.errors import InvalidInput, NotFound
from app.kit.lists import page_request
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.schema.campaigns.participations import Participation
from app.schema.campaigns.projects import Project
from app.schema.context import Info
from app.schema.scalars import BigInt

PER_S = 1.0
RANKS = "Those with as many points share a rank, and the next one is as many lower: 1, 2, 2, 4."

ProjectKey = Annotated[str, strawberry.argument(description="The public key of the project.")]
First = Annotated[
    int | None,
    strawberry.argument(
        description=f"The number of entries, 1 to {model.MAX_ENTRIES}. It multiplies the cost of the selected fields."
        f" Null: {DEFAULT_SIZE}."
    ),
]


@record_type(model.LeaderboardEntry)
class LeaderboardEntry:
    """Someone who takes part in a project, by their points. Who has left or is banned has no entry."""

    rank: int = strawberry.field(
        description=f"1, and how many have more points, when the entry was read: it is exact. {RANKS}"
    )
    points: BigInt = from_parent(
        lambda root: BigInt(root.points), graphql_type=BigInt, description="Their points, at least 0."
    )
    level: int = strawberry.field(description="Their level in the project, 1 to 100.")
    public_name: str | None = strawberry.field(
        description="The name by which they have agreed to be shown: their attribute `public_name`, which the tenant"
        " sets. Null: they have not agreed to any."
    )
    participation_id: strawberry.ID = from_parent(
        lambda root: strawberry.ID(global_id("Participation", root.participation_id)),
        graphql_type=strawberry.ID,
        description="The global ID of their participation, by which entries are distinguished.",
    )
    participation: Participation | None = related(
        participation_loaders.participation_by_id,
        key="participation_id",
        description="Their participation. Null for others than the members of the tenant, where the request names that,"
        " and the user who takes part.",
    )


@strawberry.type
class Leaderboard:
    """The first entries of a project's leaderboard."""

    project_id: strawberry.Private[UUID]
    size: strawberry.Private[int]

    @strawberry.field(metadata=computed_for(Audience.TENANT), graphql_type=list[LeaderboardEntry])
    async def top_entries(self, info: Info) -> Any:
        """Those with the most points first, as many as were asked for. Entries with as many points are sorted by the
        IDs of their participations.
        """
        reads = info.context.reads
        request = page_request(loaders.entries_by_project, self.size)
        page = await reads.page(loaders.entries_by_project, self.project_id, request)
        if not page.records and await reads.one(project_loaders.project_by_id, self.project_id) is None:
            raise NotFound(Project)
        return page.records


@extension_of(Project)
class ProjectLeaderboard:
    """Who has how many points."""

    leaderboard: Connection[LeaderboardEntry] = paged(
        loaders.entries_by_project,
        key="id",
        description=f"Who takes part, those with the most points first. {RANKS}",
    )


@extension_of(Participation)
class ParticipationRank:
    """How many have more points."""

    @strawberry.field(graphql_type=int | None)
    async def rank(root: Any, info: Info) -> Any:  # noqa: N805  # a record, not an instance
        """Its place on the leaderboard of the project: 1, and how many have more points, when it was read. Who has as
        many has the same. Null: it is not active.
        """
        found = await info.context.reads.one(loaders.rank_by_participation, root.id)
        return None if found is None else found.rank


def _leaderboard(_: Latest, chosen: tuple[UUID, int]) -> Leaderboard:
    project_id, size = chosen
    return Leaderboard(project_id=project_id, size=size)


def _size(first: int | None) -> int:
    if first is not None and not 1 <= first <= model.MAX_ENTRIES:
        raise InvalidInput("first", f"1 to {model.MAX_ENTRIES} entries.")
    return DEFAULT_SIZE if first is None else first


@strawberry.type
class LeaderboardQuery:
    """The leaderboard of a project."""

    @strawberry.field(metadata=computed_for(Audience.TENANT))
    async def leaderboard(self, info: Info, project_key: ProjectKey, first: First = None) -> Leaderboard | None:
        """The first entries of a project's leaderboard: for everybody while the project is public and active, and for
        the members of its tenant, where the request names that. Null if there is no such project.
        """
        size, found = _size(first), await info.context.reads.one(loaders.leaderboard_by_key, project_key)
        return None if found is None else Leaderboard(project_id=found.project_id, size=size)


@strawberry.type
class LeaderboardSubscription:
    """Leaderboards, live."""

    @volatile(Leaderboard, payload=_leaderboard, audience=Audience.TENANT, per_s=PER_S)
    async def leaderboard(self, info: Info, project_key: ProjectKey, first: First = None) -> Followed:
        """The first entries of a project's leaderboard at once, and when it has changed, about once a second and as
        fast as the client reads. States in between are not sent. Who sees it as in the query of that name. It ends when
        the project is no longer seen. Computed once for all who watch the same, unless `participation` is selected.
        """
        size, found = _size(first), await info.context.reads.one(loaders.leaderboard_by_key, project_key)
        if found is None:
            raise NotFound(Project)
        await info.context.services[CampaignsServices].leaderboards.announce_first(found.project_id)
        audience = Audience.PUBLIC if found.is_public else Audience.TENANT
        return Followed(model.leaderboard_topic(found.project_id), choice=(found.project_id, size), audience=audience)
