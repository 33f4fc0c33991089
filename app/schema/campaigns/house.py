"""The house of campaigns in the graph."""

from app.domains.campaigns.house import CAMPAIGNS as DOMAIN
from app.engine.declarations.key_scopes import NEVER
from app.schema.campaigns.erasure import ErasureMutation
from app.schema.campaigns.export_changes import ExportMutation
from app.schema.campaigns.exports import ParticipantExport, ParticipantExportQuery, TenantParticipantExports
from app.schema.campaigns.import_changes import ImportMutation
from app.schema.campaigns.imports import (
    ParticipantImport,
    ParticipantImportQuery,
    ParticipantImportSubscription,
    TenantParticipantImports,
)
from app.schema.campaigns.participant_changes import ParticipantMutation
from app.schema.campaigns.participant_links import ParticipantLinkMutation
from app.schema.campaigns.participants import Participant, ParticipantQuery, ParticipantViewer, TenantParticipants
from app.schema.campaigns.project_changes import ProjectMutation
from app.schema.campaigns.projects import Project, ProjectQuery, TenantProjects, TenantUsageOfProjects
from app.schema.composition import GraphHouse

CAMPAIGNS = GraphHouse(
    domain=DOMAIN,
    query=(ProjectQuery, ParticipantQuery, ParticipantImportQuery, ParticipantExportQuery),
    mutation=(
        ProjectMutation,
        ParticipantMutation,
        ParticipantLinkMutation,
        ImportMutation,
        ExportMutation,
        ErasureMutation,
    ),
    subscription=(ParticipantImportSubscription,),
    viewer=(ParticipantViewer,),
    nodes=(Project, Participant, ParticipantImport, ParticipantExport),
    extensions=(
        TenantProjects,
        TenantUsageOfProjects,
        TenantParticipants,
        TenantParticipantImports,
        TenantParticipantExports,
    ),
    key_scopes={
        "projects": "projects",
        "terms": "projects",
        "project_changes": "projects",
        "participants": "participants",
        "participant_changes": "participants",
        "imports": "participants",
        "import_changes": "participants",
        "exports": "participants",
        "export_changes": "participants",
        "erasure": "participants",
        "participant_links": "participants",
        "startParticipantLink": NEVER,
        "linkParticipant": NEVER,
    },
)
