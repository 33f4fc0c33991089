"""Tasks of projects, and who has completed them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from app.kit.errors import Problem

MAX_TASKS: Final = 200
"""Of a project, that were not archived."""
MAX_KEY_CHARS: Final = 50
MAX_POINTS: Final = 1_000_000
MAX_POSITION: Final = 1_000_000
MAX_COMPLETIONS: Final = 1_000_000
MAX_COOLDOWN_S: Final = 366 * 24 * 3_600
MAX_PROOF_CHARS: Final = 2_000
MAX_ANSWER_CHARS: Final = 200
MAX_GUESSES: Final = 5
"""Of a participant, for a quiz, that are wrong."""


class ProofKind(StrEnum):
    """What shows that a task was completed."""

    MANUAL = "manual"
    API = "api"
    PAYMENT = "payment"
    QUIZ = "quiz"


class CompletionStatus(StrEnum):
    """What becomes of a completion."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Task(msgspec.Struct, frozen=True):
    """Something for which a project gives points."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    project_id: UUID
    key: str
    name: str
    description: str | None
    points: int
    max_completions: int | None
    cooldown_s: int
    proof_kind: str
    payment_wallet_id: str | None
    payment_min_amount: Decimal | None
    is_active: bool
    position: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class Completion(msgspec.Struct, frozen=True):
    """A task that a participant has completed, once."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    project_id: UUID
    participation_id: UUID
    task_id: UUID
    ordinal: int
    status: str
    points: int
    proof: str | None
    transaction_hash: str | None
    created_at: datetime
    reviewed_at: datetime | None
    reviewed_by: UUID | None
    review_note: str | None


class Earlier(msgspec.Struct, frozen=True):
    """How often somebody has completed a task, and when last. Rejected ones count in the highest number only."""

    count: int
    last_at: datetime | None
    ordinal: int


class Payment(msgspec.Struct, frozen=True):
    """What is to be paid in Moneta's ledger."""

    wallet_id: str
    min_amount: Decimal


class Quiz(msgspec.Struct, frozen=True):
    """What is to be answered. No text of it shows the answer."""

    answer: str

    def __repr__(self) -> str:
        return "Quiz(...)"


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it is to be, by its key."""

    key: str
    name: str
    description: str | None = None
    points: int
    max_completions: int | None = 1
    """None: without end."""
    cooldown_s: int = 0
    proof_kind: ProofKind
    payment: Payment | None = None
    quiz: Quiz | None = None
    """None for a quiz that is there: its answer stays."""
    is_active: bool = True
    position: int = 0


class TextProof(msgspec.Struct, frozen=True):
    """What somebody is to look at."""

    text: str


class TransactionProof(msgspec.Struct, frozen=True):
    """The transaction of a payment."""

    transaction_hash: str


class AnswerProof(msgspec.Struct, frozen=True):
    """The answer of a quiz."""

    answer: str

    def __repr__(self) -> str:
        return "AnswerProof(...)"


Proof: TypeAlias = TextProof | TransactionProof | AnswerProof | None
"""None: the tenant says so."""


class TaskLimitReached(Problem):
    """The project has the maximum number of tasks."""

    def __init__(self) -> None:
        super().__init__(f"A project has at most {MAX_TASKS} tasks that are not archived.")
        self.limit = MAX_TASKS


class TaskNotOpen(Problem):
    """The task was archived, or is not active."""


class AlreadyCompleted(Problem):
    """The participant has completed the task as often as they can."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A participant completes this task {limit:,} times at most.")
        self.limit = limit


class CoolingDown(Problem):
    """The task can be completed again later."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(f"The task can be completed again at {again_at:%Y-%m-%d %H:%M:%S} UTC.")
        self.again_at = again_at


class PaymentRefused(Problem):
    """No confirmed transaction of the participant's user pays what the task asks for."""

    def __init__(self) -> None:
        super().__init__(path=("proof", "transaction_hash"))


class PaymentUsed(Problem):
    """This payment has completed a task of the project."""

    def __init__(self) -> None:
        super().__init__(path=("proof", "transaction_hash"))


class WrongAnswer(Problem):
    """This is not the answer."""

    def __init__(self, guesses_left: int) -> None:
        super().__init__(f"This is not the answer. Wrong answers left: {guesses_left}.", path=("proof", "answer"))
        self.guesses_left = guesses_left


class NoGuessesLeft(Problem):
    """The participant has answered wrong too often."""


class AlreadyReviewed(Problem):
    """The completion was accepted or rejected before."""
