"""The house of campaigns in the graph."""

from app.domains.campaigns.house import CAMPAIGNS as DOMAIN
from app.engine.declarations.key_scopes import NEVER
from app.schema.campaigns.completion_changes import CompletionMutation
from app.schema.campaigns.completions import ParticipationCompletions, ProjectCompletions, TaskCompletion
from app.schema.campaigns.participant_changes import ParticipantMutation
from app.schema.campaigns.participants import Participant, ParticipantQuery, ParticipantViewer, TenantParticipants
from app.schema.campaigns.participation_changes import ParticipationMutation
from app.schema.campaigns.participations import (
    ParticipantParticipations,
    Participation,
    ParticipationQuery,
    ParticipationViewer,
    PointEntry,
    ProjectParticipations,
)
from app.schema.campaigns.point_changes import PointMutation
from app.schema.campaigns.project_changes import ProjectMutation
from app.schema.campaigns.projects import Project, ProjectQuery, TenantProjects, TenantUsageOfProjects
from app.schema.campaigns.streams import CampaignSubscription
from app.schema.campaigns.task_changes import TaskMutation
from app.schema.campaigns.tasks import ProjectTasks, Task
from app.schema.composition import GraphHouse

CAMPAIGNS = GraphHouse(
    domain=DOMAIN,
    query=(ProjectQuery, ParticipantQuery, ParticipationQuery),
    mutation=(
        ProjectMutation,
        ParticipantMutation,
        ParticipationMutation,
        PointMutation,
        TaskMutation,
        CompletionMutation,
    ),
    subscription=(CampaignSubscription,),
    viewer=(ParticipantViewer, ParticipationViewer),
    nodes=(Project, Participant, Participation, PointEntry, Task, TaskCompletion),
    extensions=(
        TenantProjects,
        TenantUsageOfProjects,
        TenantParticipants,
        ProjectParticipations,
        ProjectTasks,
        ProjectCompletions,
        ParticipantParticipations,
        ParticipationCompletions,
    ),
    key_scopes={
        "projects": "projects",
        "terms": "projects",
        "project_changes": "projects",
        "setProjectLevels": "projects",
        "ProjectUpdateEvent": "projects",
        "participants": "participants",
        "participant_changes": "participants",
        "linkParticipant": NEVER,
        "participations": "participations",
        "participation_changes": "participations",
        "point_changes": "participations",
        "completions": "participations",
        "completion_changes": "participations",
        "streams": "participations",
        "tasks": "tasks",
        "task_changes": "tasks",
    },
)
