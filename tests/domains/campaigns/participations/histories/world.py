"""Two tenants in both modes, users, payments, and what is expected of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self, TypeAlias
from uuid import UUID

import pytest

from app.domains.accounts.model import Viewer
from app.domains.campaigns.participations.model import Adjustment, PointReason, Verification, VerificationStatus
from app.domains.campaigns.projects.model import FixedDistribution, NewProject, ProjectChanges
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import (
    MAX_GUESSES,
    AnswerProof,
    NewTask,
    NoGuessesLeft,
    Payment,
    PaymentRefused,
    PaymentUsed,
    Proof,
    ProofKind,
    Quiz,
    TextProof,
    TransactionProof,
    WrongAnswer,
)
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.campaigns.participations.histories.comparing import assert_as_expected, assert_expected
from tests.domains.campaigns.participations.histories.expected import (
    ANSWER,
    Done,
    Part,
    Person,
    Plan,
    Project,
    Side,
    Task,
)
from tests.domains.ledger.scene import Person as Payer
from tests.domains.ledger.scene import Scene

Keyed: TypeAlias = Callable[[str], Awaitable[Any]]
"""A call, to which its idempotency key is given."""

PRICE: Final = Decimal(5)
PEOPLE: Final = 3
LIMIT: Final = 2
"""Of one of the two projects; the other has that of the plan."""
PLAN: Final = 1_000
KINDS: Final = (
    (ProofKind.API, 10, 2, 0),
    (ProofKind.API, 25, None, 3_600),
    (ProofKind.MANUAL, 40, 1, 0),
    (ProofKind.QUIZ, 0, 2, 0),
    (ProofKind.PAYMENT, 60, None, 0),
)
"""Kind of the proof, points, how often, how long after one the next can follow."""


@dataclass
class Paid:
    """A payment, by which user, and whether it is enough."""

    hash: str
    user: UUID
    is_enough: bool


@dataclass
class World:
    """What happens is expected first, done, and compared in all tenants and modes."""

    fair: Fair
    users: list[Viewer]
    payments: list[Paid]
    shop: str
    sides: list[Side] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    done: list[tuple[Side | None, Keyed, str, Any]] = field(default_factory=list)
    """Keyed calls that were done: of which tenant, or of a user; the call, its key, and the result."""
    used: set[tuple[UUID, str]] = field(default_factory=set)
    """Payments, and the projects in which they count."""
    user_keys: int = 0

    @property
    def services(self) -> CampaignsServices:
        return self.fair.services

    @classmethod
    async def made(cls, fair: Fair, scene: Scene) -> Self:
        """Bob, who has a tenant, two users who pay, and what they have paid."""
        first, second, shop = [await scene.person() for _ in range(3)]
        await scene.begin(miner=first)
        await scene.mine(first, 3)
        await scene.mine(second, 3)
        payments = []

        async def pay(by: Payer, amount: str, *, is_enough: bool) -> None:
            payments.append(Paid(await scene.pay(by, shop, amount), by.viewer.user_id, is_enough))
            await scene.mine(second)

        for by in (first, first, second):
            await pay(by, "5", is_enough=True)
        await pay(first, "4.99", is_enough=False)
        return cls(fair, [fair.office.bob, first.viewer, second.viewer], payments, shop.wallet_id)

    async def begin(self) -> None:
        """New tenants, and nobody takes part in anything."""
        await self.fair.office.owner.execute(
            "DELETE FROM tenants; TRUNCATE event_streams, events CASCADE;"
            "DELETE FROM idempotency_keys; DELETE FROM pgqueuer"
        )
        self.sides, self.known, self.done, self.used, self.user_keys = [], {}, [], set(), 0
        for slug, owner in (("acme", self.fair.office.alice), ("other", self.fair.office.bob)):
            await self.fair.office.found(slug, owner)
            real = await self.fair.office.acting(owner, slug)
            self.sides += [Side(real), Side(in_test_mode(real))]
        for side in self.sides:
            for limit, is_public in ((LIMIT, True), (PLAN, False)):
                await self._project(side, limit, is_public=is_public)
            for _ in range(PEOPLE):
                side.people.append(Person(await self.fair.participant(side.tenancy)))
        await self.check()

    async def _project(self, side: Side, limit: int, *, is_public: bool) -> None:
        new = NewProject(
            name="Drop",
            distribution=FixedDistribution(5),
            max_participants=None if limit == PLAN else limit,
            is_public=is_public,
        )
        id = await self.services.projects.create(side.tenancy, new, self.fair.office.key)
        row = await self.fair.row("projects", id)
        project = Project(id, row["key"], limit, list(row["level_thresholds"]), is_public)
        side.projects.append(project)
        for kind, points, most, cooldown_s in KINDS:
            task = Task(id, kind, points, most, cooldown_s)
            project.tasks.append(task)
            task.id = await self._define(side, project, task)

    async def _define(self, side: Side, project: Project, task: Task) -> UUID:
        new = NewTask(
            key=f"task-{project.tasks.index(task)}",
            name="Task",
            points=task.points,
            proof_kind=task.kind,
            max_completions=task.most,
            cooldown_s=task.cooldown_s,
            is_active=task.is_active,
            quiz=Quiz(ANSWER) if task.kind is ProofKind.QUIZ else None,
            payment=Payment(self.shop, PRICE) if task.kind is ProofKind.PAYMENT else None,
        )
        return await self.services.tasks.define(side.tenancy, project.id, new)

    async def check(self) -> None:
        await assert_as_expected(self.fair.office.owner, self.sides)
        await assert_expected(self.fair.office.owner, self.sides, self.known)

    async def do(self, plan: Plan, call: Keyed, key: str, side: Side | None = None, *, again: bool = False) -> None:
        """A call with its key, if it has one, which is the tenant's if a side is given; once more perhaps, of which
        nothing comes but the same result.
        """
        for is_replay in (False, True)[: 1 + again]:
            if isinstance(plan, type):
                with pytest.raises(plan) as refused:
                    await call(key)
                assert type(refused.value) is plan
                continue
            result = await call(key)
            if is_replay:
                assert result == self.done[-1][-1]
            else:
                plan(result)
                self.done += [(side, call, key, result)] if key else []
        await self.check()

    async def replay(self, number: int) -> None:
        """An earlier call with its key, whatever has happened since."""
        if self.done:
            _, call, key, result = self.done[number % len(self.done)]
            assert await call(key) == result
        await self.check()

    async def reuse(self, side: Side, part: Part, number: int) -> None:
        """Another call with a key of the tenant, in this mode."""
        used = [key for owner, _, key, _ in self.done if owner is side]
        if used:
            given = Adjustment(10**9, PointReason.BONUS, "Never")
            with pytest.raises(IdempotencyKeyReused):
                await self.services.points.adjust(side.tenancy, part.id, given, used[number % len(used)])
        await self.check()

    @property
    def user_key(self) -> str:
        """Another key of a user: the same text as one of a tenant."""
        self.user_keys += 1
        return f"key-{self.user_keys}"

    def caller(self, side: Side, user: int | None) -> Any:
        """Who calls: the tenant, or a user."""
        return side.tenancy if user is None else self.users[user]

    def key(self, side: Side, user: int | None) -> str:
        return side.key if user is None else self.user_key

    def seen(self, part: Part, user: int | None, plan: Plan) -> Plan:
        """What a caller learns: users nothing of a participation that is not theirs."""
        return plan if user is None or part.person.user == self.users[user].user_id else NotFound

    async def join_self(self, side: Side, project: Project, user: int, *, again: bool) -> None:
        """A user joins as the participant that they are, who is made if need be."""
        who = self.users[user].user_id
        person = side.person_of(who) or Person(UUID(int=0), who)
        if not (project.is_public and side.tenancy.livemode) or project.is_closed:
            plan: Plan = NotFound
        else:
            plan = project.join(person)

        async def join(key: str) -> UUID:
            id = await self.services.joining.join(self.users[user], project.key, None, key)
            if not person.id.int:
                person.id = UUID(str((await self.fair.row("participations", id))["participant_id"]))
                side.people.append(person)
            return id

        await self.do(plan, join, self.user_key, again=again)

    async def complete(
        self, side: Side, project: Project, part: Part, task: Task, user: int | None, *, wrong: bool, paid: int,
        again: bool,
    ) -> None:  # fmt: skip
        """A completion with what is right or wrong to prove it."""
        plan = self.seen(part, user, project.complete(part, task, self.fair.office.clock.now()))
        proof: Proof = None
        if task.kind is ProofKind.API and user is not None and not isinstance(plan, type):
            plan = InvalidInput
        if task.kind is ProofKind.MANUAL:
            proof = TextProof("https://example.com/1")
        if task.kind is ProofKind.QUIZ:
            proof = AnswerProof("41" if wrong else ANSWER)
            plan = self._guessed(part, task, plan, wrong=wrong)
        if task.kind is ProofKind.PAYMENT:
            payment = self.payments[paid % len(self.payments)]
            proof = TransactionProof(payment.hash)
            plan = self._paid(project, part, payment, plan)

        async def complete(key: str) -> UUID:
            return await self.services.completions.complete(self.caller(side, user), part.id, task.id, proof, key)

        await self.do(plan, complete, self.key(side, user), side if user is None else None, again=again)

    def _guessed(self, part: Part, task: Task, plan: Plan, *, wrong: bool) -> Plan:
        """A wrong answer counts, once, also if it is sent again with its key."""
        guesses = part.guesses.get(task.id, 0)
        if isinstance(plan, type) or guesses >= MAX_GUESSES:
            return plan if isinstance(plan, type) else NoGuessesLeft
        if wrong:
            part.guesses[task.id] = guesses + 1
            return WrongAnswer
        return plan

    def _paid(self, project: Project, part: Part, payment: Paid, plan: Plan) -> Plan:
        """A payment of the user who is linked counts once in a project."""
        if isinstance(plan, type):
            return plan
        if not payment.is_enough or part.person.user != payment.user:
            return PaymentRefused
        if (project.id, payment.hash) in self.used:
            return PaymentUsed

        def counted(id: UUID) -> None:
            self.used.add((project.id, payment.hash))
            plan(id)

        return counted

    async def adjust(self, side: Side, project: Project, part: Part, amount: int, *, again: bool) -> None:
        given = Adjustment(amount, PointReason.CORRECTION, "Counted again.")

        async def adjust(key: str) -> UUID:
            return await self.services.points.adjust(side.tenancy, part.id, given, key)

        await self.do(project.adjust(part, amount), adjust, side.key, side, again=again)

    async def verify(self, side: Side, project: Project, part: Part, status: VerificationStatus) -> None:
        given = Verification(status, note="Seen")

        async def verify(key: str) -> UUID:
            return await self.services.participations.verify(side.tenancy, part.id, given, key)

        await self.do(project.verify(part, status), verify, side.key, side)

    async def review(
        self, side: Side, project: Project, part: Part, done: Done, *, accepted: bool, noted: bool
    ) -> None:
        async def review(key: str) -> UUID:
            note = "Looked at" if noted else None
            return await self.services.completions.review(side.tenancy, done.id, note, key, accepted=accepted)

        plan = project.review(part, done, accepted=accepted, has_note=noted)
        await self.do(plan, review, side.key, side, again=True)

    async def pause(self, side: Side, project: Project, *, is_active: bool) -> None:
        """Pauses a project, or opens it again."""
        if not project.is_archived:
            await self.services.projects.update(side.tenancy, project.id, ProjectChanges(is_active=is_active))
            project.is_active = is_active
        await self.check()

    async def define(self, side: Side, project: Project, task: Task, points: int, *, is_active: bool) -> None:
        """Another number of points for a task: what was completed has the one before."""
        if not project.is_archived:
            task.points, task.is_active = points, is_active
            assert await self._define(side, project, task) == task.id
        await self.check()
