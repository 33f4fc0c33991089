"""Completing tasks, and reviewing completions."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks import model
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.campaigns.completions import TaskCompletion, read_completion
from app.schema.campaigns.participant_changes import ParticipantErased
from app.schema.campaigns.participation_changes import (
    NOTE,
    NotTakingPart,
    ParticipantBanned,
    ParticipantInactive,
    ProjectNotOpen,
)
from app.schema.campaigns.participations import Participation, caller_of
from app.schema.campaigns.tasks import Task
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.changes import TenantNotActive


@problem_type(model.TaskNotOpen)
class TaskNotOpen(Problem):
    """The task was archived, or is not active."""


@problem_type(model.AlreadyCompleted)
class AlreadyCompleted(Problem):
    """The participant has completed the task as often as they can."""

    limit: int = strawberry.field(description="How often each participant can complete it.")


@problem_type(model.CoolingDown)
class CoolingDown(Problem):
    """The task can be completed again later."""

    again_at: datetime = strawberry.field(description="From when on it can be completed again.")


@problem_type(model.PaymentRefused)
class PaymentRefused(Problem):
    """No confirmed transaction of the participant's user pays what the task asks for."""


@problem_type(model.PaymentUsed)
class PaymentUsed(Problem):
    """The payment has completed a task of the project before."""


@problem_type(model.WrongAnswer)
class WrongAnswer(Problem):
    """This is not the answer."""

    guesses_left: int = strawberry.field(description="How many more wrong answers there can be.")


@problem_type(model.NoGuessesLeft)
class NoGuessesLeft(Problem):
    """The participant has answered wrong too often, and cannot answer again."""


@problem_type(model.AlreadyReviewed)
class AlreadyReviewed(Problem):
    """The completion was accepted or rejected before."""


@strawberry.input(one_of=True)
class TaskProofInput:
    """What shows that a task was completed. Set exactly one field, by the kind of the proof."""

    text: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"For MANUAL: what somebody is to look at, 1 to {model.MAX_PROOF_CHARS:,} characters.",
    )
    transaction_hash: str | None = strawberry.field(
        name="paymentHash", default=strawberry.UNSET, description="For PAYMENT: the hash of the transaction."
    )
    answer: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"For QUIZ: the answer. After {model.MAX_GUESSES} that are wrong there can be no other.",
    )

    def made(self) -> model.Proof:
        """The proof."""
        if isinstance(self.text, str):
            return model.TextProof(self.text)
        if isinstance(self.transaction_hash, str):
            return model.TransactionProof(self.transaction_hash)
        return model.AnswerProof(self.answer or "")


@strawberry.input
class CompleteTaskInput:
    """The task that was completed, and by whom."""

    participation_id: strawberry.ID = strawberry.field(description="The global ID of the participation.")
    task_id: strawberry.ID = strawberry.field(description="The global ID of the task.")
    proof: TaskProofInput | None = strawberry.field(
        default=None, description="What shows it. Null if its kind is API: the tenant says so."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class ReviewCompletionInput:
    """A completion, and whether it gives points."""

    id: strawberry.ID = strawberry.field(description="The global ID of the completion.")
    accepted: bool = strawberry.field(description="Whether it gives its points. Otherwise it is rejected.")
    note: str | None = strawberry.field(
        default=None,
        description=f"What there is to say about it, {NOTE} The participant sees it. Null: nothing, which it is of a"
        " participant who was erased.",
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class CompleteTaskPayload:
    """The task was completed, now or when the idempotency key was first used."""

    completion: TaskCompletion = strawberry.field(description="The completion as it is now.")


@strawberry.type
class ReviewCompletionPayload:
    """The completion was accepted or rejected, now or when the idempotency key was first used."""

    completion: TaskCompletion = strawberry.field(description="The completion as it is now.")


@strawberry.type
class CompletionMutation:
    """Completing tasks."""

    @mutation(
        CompleteTaskPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectNotOpen,
        ParticipantErased,
        ParticipantBanned,
        NotTakingPart,
        ParticipantInactive,
        TaskNotOpen,
        AlreadyCompleted,
        CoolingDown,
        PaymentRefused,
        PaymentUsed,
        WrongAnswer,
        NoGuessesLeft,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def complete_task(self, info: Info, input: CompleteTaskInput) -> Any:
        """Completes a task: the viewer as who they are in the project, or any participant of the tenant that the
        request names, by its owners and admins. A proof that is MANUAL gives points when it is accepted.
        """
        by, participation_id = caller_of(info.context), key_of(input.participation_id, Participation)
        task_id, proof = key_of(input.task_id, Task), None if input.proof is None else input.proof.made()
        completions = _services(info).completions
        id = await completions.complete(by, participation_id, task_id, proof, input.idempotency_key)
        return CompleteTaskPayload(completion=await _completion(info, id))

    @mutation(
        ReviewCompletionPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectNotOpen,
        ParticipantErased,
        ParticipantBanned,
        AlreadyReviewed,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def review_completion(self, info: Info, input: ReviewCompletionInput) -> Any:
        """Accepts or rejects a completion that waits for it. For the owners and admins of the tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, TaskCompletion)
        review = _services(info).completions.review
        await review(tenancy, id, input.note, input.idempotency_key, accepted=input.accepted)
        return ReviewCompletionPayload(completion=await _completion(info, id))


async def _completion(info: Info, id: Any) -> Any:
    if (found := await read_completion(info.context, id)) is None:
        raise errors.ResultDeleted
    return found


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]
