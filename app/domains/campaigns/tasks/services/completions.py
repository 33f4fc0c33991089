"""Completing tasks, and reviewing what somebody says they have completed."""

import hmac
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import msgspec

from app.domains.campaigns.participations.model import (
    Closed,
    LockedParticipation,
    ParticipantBanned,
    ParticipantInactive,
    ParticipationChange,
    ParticipationStatus,
    PointReason,
    ProjectNotOpen,
)
from app.domains.campaigns.participations.rules import note
from app.domains.campaigns.participations.services.points import Points
from app.domains.campaigns.participations.services.writing import (
    Caller,
    Writing,
    count,
    facts_of,
    keyed_by,
    refuse_erased,
    refuse_inactive,
    writer_of,
)
from app.domains.campaigns.tasks.model import (
    MAX_GUESSES,
    AlreadyReviewed,
    AnswerProof,
    Completion,
    CompletionStatus,
    NoGuessesLeft,
    PaymentRefused,
    PaymentUsed,
    Proof,
    ProofKind,
    Task,
    TaskNotOpen,
    TextProof,
    TransactionProof,
    WrongAnswer,
)
from app.domains.campaigns.tasks.rules import answer_hash, paid, proof_text, refuse_again, transaction_hash
from app.domains.campaigns.tasks.statements import CompletionSql, TaskSql
from app.domains.ledger.model import TransactionStatus
from app.domains.ledger.statements import TransactionSql, WalletSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.kit.db import Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.events import Fact
from app.kit.idempotency import Made, check_key

_EXPECTED: Final = {
    ProofKind.MANUAL: "Who reviews this task needs a text.",
    ProofKind.API: "Only the tenant says that this task was completed, without a proof.",
    ProofKind.PAYMENT: "This task is completed by a payment, whose transaction is the proof.",
    ProofKind.QUIZ: "This task is a quiz: its answer is the proof.",
}


class _Tried(msgspec.Struct, frozen=True):
    """What became of a call: a completion, or how many guesses are left after one that was wrong."""

    id: UUID | None
    guesses_left: int = 0


class _Shown(msgspec.Struct, frozen=True):
    """What a proof shows."""

    status: CompletionStatus
    text: str | None = None
    transaction_hash: str | None = None


@dataclass(frozen=True)
class Completions:
    """What was completed. A participation is locked meanwhile: of many calls at once one completes a task."""

    writing: Writing
    points: Points
    secret: bytes = field(repr=False)
    """What the hashes of answers are made with."""

    async def complete(
        self, by: Caller, participation_id: UUID, task_id: UUID, proof: Proof, idempotency_key: str
    ) -> UUID:
        """Completes a task; returns the ID of the completion. One that a person has to look at gives points when it is
        accepted, the others at once. A wrong answer counts.

        Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectNotOpen, ParticipantErased, ParticipantBanned,
        NotTakingPart, ParticipantInactive, TaskNotOpen, AlreadyCompleted, CoolingDown, PaymentRefused, PaymentUsed,
        WrongAnswer, NoGuessesLeft, IdempotencyKeyReused.
        """

        async def complete(tx: Tx, facts: list[Fact]) -> _Tried:
            _checked(proof)
            place = await self.writing.place(tx, by, participation_id)
            project = await self.writing.shared(tx, place.project_id)
            found = await self.writing.locked(tx, participation_id)
            refuse_erased(found)
            refuse_inactive(found)
            if not found.can_take_part:
                raise ParticipantInactive
            task = await tx.fetch_one(TaskSql.share_task, task_id, place.project_id)
            if task is None:
                raise NotFound(Task)
            if (reason := self.writing.closed(project)) is not None:
                raise ProjectNotOpen(reason)
            if task.archived_at is not None or not task.is_active:
                raise TaskNotOpen
            row = found.tenant_id, found.livemode, found.id, task.id
            [earlier] = await tx.fetch(CompletionSql.earlier_completions, *row)
            now = self.writing.clock.now()
            refuse_again(task, earlier, now)
            shown = await self._shown(tx, by, found, task, proof)
            if isinstance(shown, int):
                return _Tried(None, shown)
            id = uuid4()
            await tx.execute(
                CompletionSql.insert_completion,
                id,
                found.tenant_id,
                found.livemode,
                found.project_id,
                found.id,
                task.id,
                earlier.ordinal + 1,
                shown.status,
                task.points,
                shown.text,
                shown.transaction_hash,
                now,
            )
            facts += facts_of(found, ParticipationChange.COMPLETION, completion_id=id)
            if shown.status is CompletionStatus.ACCEPTED:
                await self._accept(tx, facts, found, id, task.points)
            return _Tried(id)

        check_key(idempotency_key, lambda: _checked(proof))
        request = [participation_id, task_id, self._digest(task_id, proof)]
        keyed = keyed_by(by, idempotency_key, "completeTask", request)
        tried = await self.writing.once(by, keyed, complete, _Tried)
        if tried.id is None:
            raise WrongAnswer(tried.guesses_left)
        return tried.id

    async def review(self, by: Tenancy, id: UUID, comment: str | None, idempotency_key: str, *, accepted: bool) -> UUID:
        """Accepts a completion, which gives its points, or rejects it, so that the task can be completed again. Of who
        was erased, without a comment. Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectNotOpen,
        ParticipantErased, ParticipantBanned, AlreadyReviewed, IdempotencyKeyReused.
        """

        async def review(tx: Tx, facts: list[Fact]) -> Made:
            checked = note(comment, "note")
            await self.writing.access.check(tx, by, MemberRole.ADMIN)
            named = await tx.fetch_one(CompletionSql.completion_to_review, id)
            if named is None or (named.tenant_id, named.livemode) != (by.tenant_id, by.livemode):
                raise NotFound(Completion)
            project = await self.writing.shared(tx, named.project_id)
            if project.archived_at is not None:
                raise ProjectNotOpen(Closed.ARCHIVED)
            found = await self.writing.locked(tx, named.participation_id)
            if checked is not None:
                refuse_erased(found)
            completion = await tx.fetch_one(CompletionSql.lock_completion, id, by.tenant_id, by.livemode)
            if completion is None or completion.status != CompletionStatus.PENDING:
                raise AlreadyReviewed
            if accepted and found.status == ParticipationStatus.BANNED:
                raise ParticipantBanned
            status = CompletionStatus.ACCEPTED if accepted else CompletionStatus.REJECTED
            now = self.writing.clock.now()
            await tx.execute(CompletionSql.review_completion, id, status, now, writer_of(by), checked)
            facts += facts_of(found, ParticipationChange.COMPLETION, completion_id=id)
            if accepted:
                await self._accept(tx, facts, found, id, completion.points)
            return Made(id)

        check_key(idempotency_key, lambda: note(comment, "note"))
        keyed = keyed_by(by, idempotency_key, "reviewCompletion", [id, accepted, comment])
        return (await self.writing.once(by, keyed, review, Made)).id

    async def _accept(self, tx: Tx, facts: list[Fact], found: LockedParticipation, id: UUID, points: int) -> None:
        if points:
            await self.points.give(tx, facts, found, points, PointReason.TASK, completion_id=id)
        await count(tx, found, completions=1)

    async def _shown(self, tx: Tx, by: Caller, found: LockedParticipation, task: Task, proof: Proof) -> _Shown | int:
        """What a proof shows, or how many guesses are left after a wrong answer."""
        match ProofKind(task.proof_kind), proof:
            case ProofKind.MANUAL, TextProof():
                return _Shown(CompletionStatus.PENDING, text=proof_text(proof))
            case ProofKind.API, None if isinstance(by, Tenancy):
                return _Shown(CompletionStatus.ACCEPTED)
            case ProofKind.PAYMENT, TransactionProof():
                return await self._paid(tx, found, task, transaction_hash(proof))
            case ProofKind.QUIZ, AnswerProof():
                return await self._answered(tx, found, task, proof)
            case kind, _:
                raise InvalidInput("proof", _EXPECTED[kind])

    async def _paid(self, tx: Tx, found: LockedParticipation, task: Task, hash: str) -> _Shown:
        transaction = await tx.fetch_one(TransactionSql.transactions_by_hashes, [hash])
        if transaction is None or transaction.status != TransactionStatus.CONFIRMED or found.user_id is None:
            raise PaymentRefused
        wallets = await tx.fetch(WalletSql.wallets_by_users, [found.user_id])
        if transaction.sender_wallet_id not in {each.wallet_id for each in wallets}:
            raise PaymentRefused
        outputs = await tx.fetch_keyed(TransactionSql.outputs_by_transaction, [hash])
        assert task.payment_wallet_id is not None
        assert task.payment_min_amount is not None
        if paid(outputs[hash], task.payment_wallet_id) < task.payment_min_amount:
            raise PaymentRefused
        place = found.tenant_id, found.livemode, found.project_id
        if await tx.fetch_one(CompletionSql.is_transaction_used, *place, hash):
            raise PaymentUsed
        return _Shown(CompletionStatus.ACCEPTED, transaction_hash=hash)

    async def _answered(self, tx: Tx, found: LockedParticipation, task: Task, proof: AnswerProof) -> _Shown | int:
        row = found.tenant_id, found.livemode, found.id, task.id
        guesses = await tx.fetch_one(CompletionSql.guesses_of_task, *row) or 0
        if guesses >= MAX_GUESSES:
            raise NoGuessesLeft
        [expected] = await tx.fetch(TaskSql.answer_of_task, task.id)
        if hmac.compare_digest(expected, answer_hash(self.secret, task.id, proof.answer)):
            return _Shown(CompletionStatus.ACCEPTED)
        [guesses] = await tx.fetch(CompletionSql.add_guess, *row, self.writing.clock.now())
        return MAX_GUESSES - guesses

    def _digest(self, task_id: UUID, proof: Proof) -> str | None:
        """What a request under a key is known by. Of an answer only a digest is kept."""
        match proof:
            case AnswerProof(text):
                return answer_hash(self.secret, task_id, text)
            case TextProof(text) | TransactionProof(text):
                return text
        return None


def _checked(proof: Proof) -> object:
    match proof:
        case TextProof():
            return proof_text(proof)
        case TransactionProof():
            return transaction_hash(proof)
    return None
