"""What projects ask of those who take part."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from app.domains.campaigns.projects.model import Project, ProjectArchived, ProjectChange, ProjectFact
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.campaigns.tasks.model import MAX_TASKS, NewTask, ProofKind, Task, TaskLimitReached
from app.domains.campaigns.tasks.rules import answer_hash, checked
from app.domains.campaigns.tasks.statements import CompletionSql, TaskSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.events import EventLog


@dataclass(frozen=True)
class Tasks:
    """The tasks of all projects. A transaction locks the project before its tasks."""

    database: Database
    clock: Clock
    access: Access
    events: EventLog
    secret: bytes = field(repr=False)
    """What the hashes of answers are made with."""

    async def define(self, by: Tenancy, project_id: UUID, new: NewTask) -> UUID:
        """Creates a task of a project, or sets all of the one with its key, which is there again if it was archived;
        returns its ID. A quiz whose answer is not given keeps it; with another answer, guesses count anew.

        Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectArchived, TaskLimitReached.
        """
        made = checked(new)

        async def work(tx: Tx) -> UUID:
            await self.access.check(tx, by, MemberRole.ADMIN)
            await self._current(tx, by, project_id)
            place = by.tenant_id, by.livemode, project_id
            before = await tx.fetch_one(TaskSql.lock_task_of_key, *place, made.key)
            if before is None or before.archived_at is not None:
                [tasks] = await tx.fetch(TaskSql.count_tasks, *place)
                if tasks >= MAX_TASKS:
                    raise TaskLimitReached
            if made.payment is not None:
                [is_wallet] = await tx.fetch(CompletionSql.wallet_exists, made.payment.wallet_id)
                if not is_wallet:
                    raise InvalidInput(("payment", "wallet_id"), "There is no wallet with this ID.")
            was_quiz = before is not None and before.proof_kind == ProofKind.QUIZ
            if made.proof_kind is ProofKind.QUIZ and made.quiz is None and not was_quiz:
                raise InvalidInput("quiz", "A quiz has an answer.")
            id = uuid4() if before is None else before.id
            await tx.execute(
                TaskSql.put_task,
                id,
                *place,
                made.key,
                self.clock.now(),
                made.name,
                made.description,
                made.points,
                made.max_completions,
                made.cooldown_s,
                made.proof_kind,
                None if made.payment is None else made.payment.wallet_id,
                None if made.payment is None else made.payment.min_amount,
                made.is_active,
                made.position,
            )
            await self._put_answer(tx, by, id, made)
            fact = ProjectFact(change=ProjectChange.TASK_DEFINED, project_id=project_id, task_id=id).fact
            await self.events.append(tx, [fact])
            return id

        return await self.database.write(system_scope(by), work)

    async def archive(self, by: Tenancy, id: UUID) -> None:
        """Archives a task: nobody completes it any more, and what was completed stays. Raises NotFound, Forbidden,
        TenantNotActive, ProjectArchived.
        """

        async def work(tx: Tx) -> None:
            await self.access.check(tx, by, MemberRole.ADMIN)
            found = await tx.fetch_one(TaskSql.tasks_by_ids, [id])
            if found is None or (found.tenant_id, found.livemode) != (by.tenant_id, by.livemode):
                raise NotFound(Task)
            await self._current(tx, by, found.project_id)
            task = await tx.fetch_one(TaskSql.lock_task, id, by.tenant_id, by.livemode)
            if task is None or task.archived_at is not None:
                return
            await tx.execute(TaskSql.archive_task, id, self.clock.now())
            change = ProjectChange.TASK_ARCHIVED
            fact = ProjectFact(change=change, project_id=task.project_id, task_id=id).fact
            await self.events.append(tx, [fact])

        await self.database.write(system_scope(by), work)

    async def _put_answer(self, tx: Tx, by: Tenancy, id: UUID, made: NewTask) -> None:
        if made.proof_kind is not ProofKind.QUIZ:
            await tx.execute(TaskSql.remove_answer, id, None)
        elif made.quiz is not None:
            digest = answer_hash(self.secret, id, made.quiz.answer)
            await tx.execute(TaskSql.remove_answer, id, digest)
            await tx.execute(TaskSql.put_answer, id, by.tenant_id, by.livemode, digest, self.clock.now())

    async def _current(self, tx: Tx, by: Tenancy, project_id: UUID) -> None:
        found = await tx.fetch_one(ProjectSql.lock_project, project_id, by.tenant_id, by.livemode)
        if found is None:
            raise NotFound(Project)
        if found.archived_at is not None:
            raise ProjectArchived
