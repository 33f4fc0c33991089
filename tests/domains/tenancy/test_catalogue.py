"""Every table with rows of tenants, by Postgres's own catalogue: who adds one sees what it lacks."""

from typing import Final

import pytest

from tests.databases import Owner
from tests.domains.tenancy.catalogue import (
    CROSSING,
    DEFINERS,
    FREE_OF_MODE,
    GLOBAL,
    LOOSE,
    OPEN_PARTITIONS,
    OTHERS,
    TABLES,
    UNREAD,
    UNTIED,
    VIEWS,
    WRITERS,
    found,
)

SECRET: Final = {
    "campaign_file_chunks": "Parts of files, encrypted under a secret of Moneta.",
    "campaign_files": "Files, which the endpoint of downloads gives to those who may have them.",
    "erased_participants": "Whom archives are to leave out.",
    "leaderboard_changes": "What is still to be announced.",
    "leaderboard_counts": "How many have so many points: ranks are added up by Moneta.",
    "participant_import_exclusions": "Whom an import under way has to leave out, as keyed hashes.",
    "participant_link_challenges": "What is to be signed, which `startParticipantLink` shows once.",
    "participant_links": "Hashes of tokens.",
    "project_wallet_keys": "Private keys, under a key of Moneta.",
    "task_answers": "The answers of quizzes, under a secret of Moneta.",
    "task_guesses": "How often somebody has guessed.",
    "wallet_challenges": "What is to be signed, which `startWalletProof` shows once.",
}
"""Tables that nobody but Moneta reads, and why."""
SHOWN: Final = {
    "projects.projects_public": "A public project, while it and its tenant are active. Never one of tests.",
    "leaderboard_entries.leaderboard_entries_project": "Who has how many points is shown to who sees the project.",
    "tasks.tasks_project": "What a project asks is shown to who sees the project.",
    "project_counters.project_counters_project": "How many take part is shown to who sees the project.",
    "participants.participants_self": "The user who is linked to a participant is that participant.",
    "participant_wallets.participant_wallets_self": "Their wallets.",
    "participations.participations_self": "What they take part in.",
    "participation_reviews.participation_reviews_self": "What was decided about them.",
    "task_completions.task_completions_self": "What they have done.",
    "point_entries.point_entries_self": "What they got for it.",
    "tenant_members.tenant_members_self": "One's own memberships, to choose between.",
}
"""Policies that show rows of a tenant to somebody who does not act in it, and why."""
GLOBALLY_UNIQUE: Final = {
    "analytics_events_pkey": "A random ID, with the time by which the table is divided.",
    "api_keys_key_id": "It is looked up before it is known whose it is.",
    "api_keys_secret_id": "It is announced to all processes when it ends.",
    "api_keys_previous_secret_id": "As above.",
    "participant_links_token_hash": "It is looked up before it is known whose it is; 256 random bits.",
    "project_wallets_address": "A wallet serves one project, of whatever tenant: it has one balance.",
    "projects_key": "Everybody reads a public project by it.",
    "tenant_invitations_token_hash": "It is looked up before it is known whose it is; 256 random bits.",
}
"""Unique keys without the tenant, or the mode, and why."""
LEFT_BEHIND: Final = {"participant_activity.participant_id": "Who is no more stays counted, once."}
"""Columns that name a row without referring to it, and why."""
SOUND: Final = {
    "forced": (LOOSE, ()),
    "read by their tenant": (UNREAD, SECRET),
    "apart by mode": (FREE_OF_MODE, ()),
    "shown to others": (OTHERS, SHOWN),
    "written by Moneta alone": (WRITERS, ()),
    "referring within tenant and mode": (CROSSING, ()),
    "tied to what they name": (UNTIED, LEFT_BEHIND),
    "unique within tenant and mode": (GLOBAL, GLOBALLY_UNIQUE),
    "read by way of their table": (OPEN_PARTITIONS, ()),
    "safe functions": (DEFINERS, ()),
    "safe views": (VIEWS, ()),
}


@pytest.mark.parametrize("rule", SOUND)
async def test_tables_of_tenants_are_sound(owner: Owner, rule: str) -> None:
    sql, reasons = SOUND[rule]
    assert await found(owner, sql) == sorted(reasons)


async def test_there_are_such_tables(owner: Owner) -> None:
    assert {"api_keys", "projects", "participants", "tenant_members"} <= {*await found(owner, TABLES)}


FAULTS: Final = {
    LOOSE: ("CREATE TABLE lax (id uuid PRIMARY KEY, tenant_id uuid)", "lax"),
    UNREAD: ("DROP POLICY projects_tenant ON projects", "projects"),
    FREE_OF_MODE: (
        "CREATE POLICY lax ON projects FOR SELECT USING (tenant_id = (SELECT app_tenant()))",
        "projects.lax",
    ),
    OTHERS: ("CREATE POLICY lax ON participants FOR SELECT USING (is_active)", "participants.lax"),
    WRITERS: (
        "CREATE POLICY lax ON projects FOR UPDATE USING (tenant_id = (SELECT app_tenant()))",
        "projects.lax",
    ),
    CROSSING: (
        "CREATE TABLE lax (id uuid PRIMARY KEY, tenant_id uuid, livemode boolean,"
        " project_id uuid CONSTRAINT lax_project REFERENCES projects (id))",
        "lax_project",
    ),
    UNTIED: (
        "CREATE TABLE lax (id uuid PRIMARY KEY, tenant_id uuid, livemode boolean, project_id uuid)",
        "lax.project_id",
    ),
    GLOBAL: ("CREATE UNIQUE INDEX lax ON participants (discord_id, tenant_id)", "lax"),
    OPEN_PARTITIONS: (
        "CREATE TABLE lax PARTITION OF audit_logs FOR VALUES FROM ('2099-01-01') TO ('2099-02-01');"
        " GRANT SELECT ON lax TO moneta_app",
        "lax",
    ),
    DEFINERS: ("CREATE FUNCTION lax() RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1", "lax"),
    VIEWS: ("CREATE VIEW lax AS SELECT id FROM projects", "lax"),
}
"""What each statement has to find."""


@pytest.mark.parametrize("sql", FAULTS, ids=[name for name, (sql, _) in SOUND.items() if sql in FAULTS])
async def test_a_fault_is_found(owner: Owner, sql: str) -> None:
    before = await found(owner, sql)
    fault, name = FAULTS[sql]
    await owner.execute(fault)
    assert {*await found(owner, sql)} - {*before} == {name}
