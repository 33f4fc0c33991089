"""The statements about tasks."""

from uuid import UUID

from app.domains.campaigns.tasks.model import Completion, Earlier, Task
from app.kit.sql import Command, Query, Rows, Statements


class TaskSql(Statements, file="tasks.sql"):
    """Tasks, and the answers of quizzes."""

    tasks_by_ids: Query[Task]
    tasks_by_project: Rows[Task]
    lock_task_of_key: Query[Task]
    lock_task: Query[Task]
    share_task: Query[Task]
    count_tasks: Query[int]
    put_task: Query[UUID]
    archive_task: Command
    answer_of_task: Query[str]
    remove_answer: Command
    put_answer: Command


class CompletionSql(Statements, file="completions.sql"):
    """Who has completed tasks."""

    completions_by_ids: Query[Completion]
    completions_by_participation: Rows[Completion]
    completions_by_project: Rows[Completion]
    earlier_completions: Query[Earlier]
    is_transaction_used: Query[bool]
    wallet_exists: Query[bool]
    insert_completion: Command
    completion_to_review: Query[Completion]
    lock_completion: Query[Completion]
    review_completion: Command
    guesses_of_task: Query[int]
    add_guess: Query[int]
