"""The statements of adoptions."""

from uuid import UUID

from app.domains.campaigns.adoption.model import Totals
from app.kit.sql import Command, Query, Statements


class AdoptionSql(Statements, file="adoption.sql"):
    """What is made of rows of a database without tenants. Each can be run again."""

    adopt_participants: Query[UUID]
    adopted_participants: Query[UUID]
    adopt_wallets: Query[UUID]
    adopt_referrals: Query[tuple[UUID, UUID]]
    count_referrals: Command
    adopt_project: Query[UUID]
    adopted_projects: Query[tuple[UUID, list[int]]]
    adopt_participation: Query[UUID]
    adopted_participations: Query[UUID]
    totals: Query[Totals]
