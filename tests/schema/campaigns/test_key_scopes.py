"""What API keys need in campaigns: a key for one noun changes and reads nothing of another."""

from typing import Final

import pytest

from app.engine.declarations.key_scopes import NEVER, declared_key_scope
from app.main import build_graph

SCHEMA: Final = build_graph()._schema
MUTATIONS: Final = {
    "projects": ("createProject", "updateProject", "setProjectWallet", "archiveProject", "setProjectLevels"),
    "participants": (
        "createParticipant", "updateParticipant", "startWalletProof", "verifyWallet", "issueParticipantLink",
        "importParticipants", "cancelParticipantImport", "exportParticipants", "cancelParticipantExport",
        "eraseParticipant", "unlinkParticipant",
    ),
    "participations": (
        "joinProject", "leaveProject", "banParticipant", "unbanParticipant", "verifyParticipation", "adjustPoints",
        "completeTask", "reviewCompletion",
    ),
    "tasks": ("defineTask", "archiveTask"),
    "analytics": ("trackProjectEvent",),
}  # fmt: skip
TYPES: Final = {
    "projects": ("Project", "ProjectWallet", "ProjectRequirements", "ProjectLevel", "ProjectUpdateEvent"),
    "participants": (
        "Participant", "ParticipantWallet", "ParticipantAttribute", "ParticipantStatistics", "ParticipantImport",
        "ParticipantImportRefusal", "ParticipantExport", "ParticipantImportProgressEvent",
    ),
    "participations": (
        "Participation", "ParticipationReview", "PointEntry", "TaskCompletion", "Leaderboard", "LeaderboardEntry",
        "ParticipationUpdateEvent", "ParticipationConnection", "TaskCompletionConnection",
    ),
    "tasks": ("Task", "TaskConnection"),
    "analytics": ("ProjectAnalyticsEvent", "ProjectStatistics", "ProjectRetention", "ProjectFunnel"),
}  # fmt: skip


@pytest.mark.parametrize("noun", MUTATIONS)
def test_what_keys_need_is_the_noun_of_what_is_read_or_changed(noun: str) -> None:
    assert SCHEMA.mutation_type is not None
    for name in MUTATIONS[noun]:
        assert declared_key_scope(SCHEMA.mutation_type.fields[name]) == f"{noun}:write", name
    for name in TYPES[noun]:
        assert declared_key_scope(SCHEMA.type_map[name]) == f"{noun}:read", name


def test_no_key_links_a_user_to_a_participant() -> None:
    assert SCHEMA.mutation_type is not None
    for name in ("startParticipantLink", "linkParticipant"):
        assert declared_key_scope(SCHEMA.mutation_type.fields[name]) == NEVER, name
