"""The loaders of tasks. Who sees a project sees its tasks; completions are their tenant's, and the participant's."""

from app.domains.campaigns.tasks.model import CompletionStatus, ProofKind
from app.domains.campaigns.tasks.statements import CompletionSql, TaskSql
from app.kit.lists import by, constant, equals
from app.kit.loaders import Audience, one, page

NEWEST = by("created_at", "id", descending=True)

task_by_id = one(TaskSql.tasks_by_ids, key="id", audience=Audience.TENANT)
completion_by_id = one(CompletionSql.completions_by_ids, key="id")
tasks_by_project = page(
    TaskSql.tasks_by_project,
    orders={"POSITION": by("position", "id")},
    filters={"active": constant("is_active"), "proof_kind": constant("proof_kind", ProofKind)},
    audience=Audience.TENANT,
)
completions_by_participation = page(
    CompletionSql.completions_by_participation,
    orders={"CREATED_AT": NEWEST},
    filters={"task_id": equals("task_id")},
)
completions_by_project = page(
    CompletionSql.completions_by_project,
    orders={"CREATED_AT": NEWEST},
    filters={"status": constant("status", CompletionStatus), "task_id": equals("task_id")},
    audience=Audience.TENANT,
)
