"""What is expected of participations: tenants, projects and people in memory, with the rules as they are decided."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from app.domains.campaigns.participants.model import ParticipantErased
from app.domains.campaigns.participations import model
from app.domains.campaigns.participations.model import ParticipationChange as Change
from app.domains.campaigns.tasks import model as tasks
from app.domains.campaigns.tasks.model import CompletionStatus, ProofKind
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.errors import NotFound

Plan: TypeAlias = type[Exception] | Callable[[Any], None]
"""How a call is refused, or what becomes true when it returns its result."""

ANSWER: Final = "42"


@dataclass
class Person:
    """A participant."""

    id: UUID
    user: UUID | None = None
    is_active: bool = True
    is_erased: bool = False


@dataclass
class Task:
    """Something to do, `most` times."""

    id: UUID
    kind: ProofKind
    points: int
    most: int | None
    cooldown_s: int = 0
    is_active: bool = True


@dataclass
class Done:
    """A completion."""

    id: UUID
    task: Task
    ordinal: int
    status: CompletionStatus
    points: int
    at: datetime


@dataclass
class Part:
    """A participation."""

    id: UUID
    person: Person
    next_points: int | None
    status: str = "active"
    has_left: bool = False
    points: int = 0
    level: int = 1
    verification: str = "pending"
    done: list[Done] = field(default_factory=list)
    entries: list[tuple[int, int, str]] = field(default_factory=list)
    guesses: dict[UUID, int] = field(default_factory=dict)

    def of(self, task: Task) -> list[Done]:
        """Its completions of a task that count."""
        return [each for each in self.done if each.task is task and each.status != CompletionStatus.REJECTED]


@dataclass
class Project:
    """A project."""

    id: UUID
    key: str
    limit: int
    thresholds: list[int]
    is_public: bool
    tasks: list[Task] = field(default_factory=list)
    parts: dict[UUID, Part] = field(default_factory=dict)
    """By who takes part."""
    is_active: bool = True
    is_archived: bool = False
    facts: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    """Of each stream, in order."""

    @property
    def active(self) -> list[Part]:
        return [each for each in self.parts.values() if each.status == "active"]

    @property
    def is_closed(self) -> bool:
        return self.is_archived or not self.is_active

    def standing(self, points: int) -> tuple[int, int | None]:
        """The level for points, and what the next one takes."""
        return 1 + sum(t <= points for t in self.thresholds), next((t for t in self.thresholds if t > points), None)

    def fact(self, part: Part, change: Change, amount: int | None = None, done: UUID | None = None) -> None:
        """An event of the project, and of the user who is linked."""
        streams = [model.participation_stream(self.id)]
        if part.person.user is not None:
            streams.append(model.own_stream(self.id, part.person.id))
        for stream in streams:
            self.facts[stream].append((change, part.id, part.points, part.level, amount, done))

    def give(self, part: Part, amount: int, reason: str) -> None:
        """Points, and the level for them."""
        part.points += amount
        part.entries.append((amount, part.points, reason))
        level, (part.level, part.next_points) = part.level, self.standing(part.points)
        self.fact(part, Change.POINTS, amount)
        if part.level != level:
            self.fact(part, Change.LEVEL)

    def join(self, person: Person) -> Plan:
        if self.is_closed:
            return model.ProjectNotOpen
        part = self.parts.get(person.id)
        if part is not None and part.status != "left":
            return model.AlreadyJoined if part.status == "active" else model.ParticipantBanned
        if not person.is_active:
            return model.ParticipantInactive
        if len(self.active) >= self.limit:
            return model.ProjectFull

        def joined(id: UUID) -> None:
            new = part or Part(id, person, self.standing(0)[1])
            assert new.id == id
            new.status, new.has_left = "active", False
            self.parts[person.id] = new
            self.fact(new, Change.JOINED)

        return joined

    def leave(self, part: Part) -> Plan:
        if part.status != "active":
            return model.ParticipantBanned if part.status == "banned" else model.NotTakingPart

        def left(_: Any) -> None:
            part.status, part.has_left = "left", True
            self.fact(part, Change.LEFT)

        return left

    def ban(self, part: Part) -> Plan:
        if part.person.is_erased:
            return ParticipantErased
        if part.status == "banned":
            return model.ParticipantBanned

        def banned(_: Any) -> None:
            part.status = "banned"
            self.fact(part, Change.BANNED)

        return banned

    def unban(self, part: Part) -> Plan:
        if part.status != "banned":
            return model.NotBanned
        if not part.has_left and len(self.active) >= self.limit:
            return model.ProjectFull

        def unbanned(_: Any) -> None:
            part.status = "left" if part.has_left else "active"
            self.fact(part, Change.UNBANNED)

        return unbanned

    def verify(self, part: Part, status: str) -> Plan:
        if part.person.is_erased:
            return ParticipantErased

        def verified(_: Any) -> None:
            part.verification = status
            self.fact(part, Change.VERIFICATION)

        return verified

    def adjust(self, part: Part, amount: int) -> Plan:
        if self.is_archived:
            return model.ProjectNotOpen
        if part.person.is_erased:
            return ParticipantErased
        if part.points + amount < 0:
            return model.NotEnoughPoints
        return lambda _: self.give(part, amount, "correction")

    def complete(self, part: Part, task: Task, now: datetime) -> Plan:
        """As far as the proof does not matter."""
        if part.person.is_erased:
            return ParticipantErased
        if part.status != "active":
            return model.ParticipantBanned if part.status == "banned" else model.NotTakingPart
        if not part.person.is_active:
            return model.ParticipantInactive
        if task not in self.tasks:
            return NotFound
        if self.is_closed:
            return model.ProjectNotOpen
        if not task.is_active:
            return tasks.TaskNotOpen
        earlier = part.of(task)
        if task.most is not None and len(earlier) >= task.most:
            return tasks.AlreadyCompleted
        if earlier and max(each.at for each in earlier) + timedelta(seconds=task.cooldown_s) > now:
            return tasks.CoolingDown

        def completed(id: UUID) -> None:
            status = CompletionStatus.PENDING if task.kind is ProofKind.MANUAL else CompletionStatus.ACCEPTED
            ordinal = 1 + max((each.ordinal for each in part.done if each.task is task), default=0)
            part.done.append(Done(id, task, ordinal, status, task.points, now))
            self.fact(part, Change.COMPLETION, done=id)
            if status is CompletionStatus.ACCEPTED and task.points:
                self.give(part, task.points, "task")

        return completed

    def review(self, part: Part, done: Done, *, accepted: bool, has_note: bool) -> Plan:
        if self.is_archived:
            return model.ProjectNotOpen
        if has_note and part.person.is_erased:
            return ParticipantErased
        if done.status != CompletionStatus.PENDING:
            return tasks.AlreadyReviewed
        if accepted and part.status == "banned":
            return model.ParticipantBanned

        def reviewed(_: Any) -> None:
            done.status = CompletionStatus.ACCEPTED if accepted else CompletionStatus.REJECTED
            self.fact(part, Change.COMPLETION, done=done.id)
            if accepted and done.points:
                self.give(part, done.points, "task")

        return reviewed

    def relevel(self) -> None:
        """All have the levels of their points, in any order."""
        for part in self.parts.values():
            if (part.level, part.next_points) != self.standing(part.points):
                part.level, part.next_points = self.standing(part.points)
                self.fact(part, Change.LEVEL)


@dataclass
class Side:
    """A tenant in one of its modes."""

    tenancy: Tenancy
    projects: list[Project] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    keys: int = 0

    @property
    def key(self) -> str:
        """Another idempotency key; all sides have the same ones."""
        self.keys += 1
        return f"key-{self.keys}"

    def person_of(self, user: UUID) -> Person | None:
        return next((each for each in self.people if each.user == user), None)
