"""The house of campaigns in the graph."""

from app.domains.campaigns.house import CAMPAIGNS as DOMAIN
from app.engine.declarations.key_scopes import NEVER
from app.schema.campaigns.analytics import ParticipantAnalytics, ProjectAnalytics, TenantUsageTotals
from app.schema.campaigns.analytics_changes import ProjectEventMutation
from app.schema.campaigns.participant_changes import ParticipantMutation
from app.schema.campaigns.participants import Participant, ParticipantQuery, ParticipantViewer, TenantParticipants
from app.schema.campaigns.project_changes import ProjectMutation
from app.schema.campaigns.projects import Project, ProjectQuery, TenantProjects, TenantUsageOfProjects
from app.schema.composition import GraphHouse

CAMPAIGNS = GraphHouse(
    domain=DOMAIN,
    query=(ProjectQuery, ParticipantQuery),
    mutation=(ProjectMutation, ParticipantMutation, ProjectEventMutation),
    viewer=(ParticipantViewer,),
    nodes=(Project, Participant),
    extensions=(
        TenantProjects,
        TenantUsageOfProjects,
        TenantParticipants,
        ProjectAnalytics,
        ParticipantAnalytics,
        TenantUsageTotals,
    ),
    key_scopes={
        "projects": "projects",
        "terms": "projects",
        "project_changes": "projects",
        "participants": "participants",
        "participant_changes": "participants",
        "linkParticipant": NEVER,
        "ParticipantStatistics": "participants",
        "TenantTotals": "tenant",
        "analytics": "analytics",
        "analytics_changes": "analytics",
    },
)
