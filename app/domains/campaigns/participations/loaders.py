"""The loaders of participations. The members of their tenant read them, and the user who is linked to one."""

from app.domains.campaigns.participations.model import ParticipationStatus, VerificationStatus
from app.domains.campaigns.participations.statements import ParticipationSql, PointSql
from app.kit.lists import by, constant, equals
from app.kit.loaders import Audience, one, page

JOINED_AT = by("joined_at", "id", descending=True)

participation_by_id = one(ParticipationSql.participations_by_ids, key="id")
own_participation_by_project = one(ParticipationSql.own_participations_by_projects, key="project_id")
review_by_participation = one(ParticipationSql.reviews_by_participations, key="participation_id")
counts_by_project = one(PointSql.counts_by_projects, key="project_id", audience=Audience.TENANT)
participations_by_project = page(
    ParticipationSql.participations_by_project,
    orders={"JOINED_AT": JOINED_AT, "POINTS": by("points", "id", descending=True)},
    filters={
        "status": constant("status", ParticipationStatus),
        "verification": constant("verification_status", VerificationStatus),
    },
    audience=Audience.TENANT,
)
participations_by_participant = page(
    ParticipationSql.participations_by_participant,
    orders={"JOINED_AT": JOINED_AT},
    filters={"project_id": equals("project_id")},
)
participations_by_user = page(ParticipationSql.participations_by_user, orders={"JOINED_AT": JOINED_AT})
entry_by_id = one(PointSql.point_entries_by_ids, key="id")
entries_by_participation = page(
    PointSql.entries_by_participation, orders={"CREATED_AT": by("created_at", "id", descending=True)}
)
