"""Completing tasks, what proves it, and reviews."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.participants.model import ParticipantChanges
from app.domains.campaigns.participations.model import (
    Closed,
    NotTakingPart,
    ParticipantBanned,
    ParticipantInactive,
    ParticipationChange,
    ProjectNotOpen,
)
from app.domains.campaigns.projects.model import ProjectChanges
from app.domains.campaigns.tasks.model import (
    MAX_GUESSES,
    AlreadyCompleted,
    AlreadyReviewed,
    AnswerProof,
    CoolingDown,
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
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.ledger.scene import Scene


async def sorts(calls: Sequence[Awaitable[Any]]) -> dict[type, int]:
    """How many of each type come of calls at once."""
    done = await asyncio.gather(*calls, return_exceptions=True)
    kinds = [UUID if isinstance(each, UUID) else type(each) for each in done]
    return {kind: kinds.count(kind) for kind in {*kinds}}


async def test_of_a_hundred_calls_at_once_one_completes_a_task(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, id = await contest.task(points=150), await contest.join()
    assert await sorts([contest.complete(id, task) for _ in range(100)]) == {UUID: 1, AlreadyCompleted: 99}
    row = await contest.row(id)
    assert (row["points"], row["level"]) == (150, 2)
    assert await contest.number("SELECT sum(completions) FROM project_counters") == 1
    await contest.assert_sound()
    assert [each.change for each in await contest.facts()] == [
        ParticipationChange.JOINED,
        ParticipationChange.COMPLETION,
        ParticipationChange.POINTS,
        ParticipationChange.LEVEL,
    ]


async def test_who_was_set_inactive_completes_nothing_until_they_are_active_again(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, person = await contest.task(), await fair.participant()
    id = await contest.join(person)
    change = fair.services.participants.update
    await change(fair.alice, person, ParticipantChanges(is_active=False))
    with pytest.raises(ParticipantInactive):
        await contest.complete(id, task)
    assert await contest.number("SELECT count(*) FROM task_completions") == 0
    assert (await contest.row(id))["points"] == 0
    await change(fair.alice, person, ParticipantChanges(is_active=True))
    await contest.complete(id, task)
    await contest.assert_sound()


async def test_of_a_hundred_calls_with_one_key_all_are_the_same_completion(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, id = await contest.task(max_completions=3), await contest.join()
    done = await asyncio.gather(*(contest.complete(id, task, key="key") for _ in range(100)))
    assert len({*done}) == 1
    assert (await contest.row(id))["points"] == 10
    other = await contest.task(key="other")
    with pytest.raises(IdempotencyKeyReused):
        await contest.complete(id, other, key="key")


async def test_a_task_is_completed_so_often_and_by_everybody(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, ids = await contest.task(max_completions=7), [await contest.join() for _ in range(3)]
    calls = [contest.complete(id, task) for id in ids for _ in range(30)]
    assert await sorts(calls) == {UUID: 21, AlreadyCompleted: 69}
    ordinals = await fair.office.owner.fetch(
        "SELECT array_agg(ordinal ORDER BY ordinal) FROM task_completions GROUP BY participation_id"
    )
    assert [row[0] for row in ordinals] == [[*range(1, 8)]] * 3
    await contest.assert_sound()


async def test_a_task_is_completed_again_when_it_has_cooled_down(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, id = await contest.task(max_completions=None, cooldown_s=3600), await contest.join()
    assert await sorts([contest.complete(id, task) for _ in range(40)]) == {UUID: 1, CoolingDown: 39}
    start = fair.office.clock.now()
    fair.office.clock.advance(timedelta(seconds=3599))
    with pytest.raises(CoolingDown) as refused:
        await contest.complete(id, task)
    assert refused.value.again_at == start + timedelta(hours=1)
    fair.office.clock.advance(timedelta(seconds=1))
    assert await sorts([contest.complete(id, task) for _ in range(40)]) == {UUID: 1, CoolingDown: 39}
    assert (await contest.row(id))["points"] == 20


async def test_what_a_person_looks_at_gives_points_when_it_is_accepted(fair: Fair) -> None:
    contest, review = await Contest.begin(fair), fair.services.completions.review
    task, id = await contest.task(ProofKind.MANUAL), await contest.join()
    completions = [contest.complete(id, task, TextProof(" https://example.com/1 ")) for _ in range(30)]
    assert await sorts(completions) == {UUID: 1, AlreadyCompleted: 29}
    [first] = await fair.office.owner.fetch("SELECT id, status, proof FROM task_completions")
    assert (first["status"], first["proof"], (await contest.row(id))["points"]) == (
        "pending",
        "https://example.com/1",
        0,
    )
    calls = [review(fair.alice, first["id"], "No", f"no-{number}", accepted=False) for number in range(30)]
    assert await sorts(calls) == {UUID: 1, AlreadyReviewed: 29}
    second = await contest.complete(id, task, TextProof("x"))
    assert (await fair.row("task_completions", second))["ordinal"] == 2
    calls = [review(fair.alice, second, None, f"yes-{number}", accepted=True) for number in range(30)]
    assert await sorts(calls) == {UUID: 1, AlreadyReviewed: 29}
    row = await fair.row("task_completions", second)
    assert (row["status"], row["reviewed_by"], row["reviewed_at"]) == (
        "accepted",
        fair.office.alice.user_id,
        fair.office.clock.now(),
    )
    assert (await contest.row(id))["points"] == 10
    await contest.assert_sound()


async def test_who_reviews_is_an_admin_of_the_tenant(fair: Fair) -> None:
    contest, review = await Contest.begin(fair), fair.services.completions.review
    task, id = await contest.task(ProofKind.MANUAL), await contest.join()
    completion = await contest.complete(id, task, TextProof("x"))
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    await fair.office.found("other", by=fair.office.bob)
    other = await fair.office.acting(fair.office.bob, "other")
    for by, problem in ((viewer, Forbidden), (in_test_mode(fair.alice), NotFound), (other, NotFound)):
        with pytest.raises(problem):
            await review(by, completion, None, "key", accepted=True)
        with pytest.raises(problem):
            await contest.complete(id, task, TextProof("x"), by)
    await fair.services.participations.ban(fair.alice, id, "Spam", "ban")
    with pytest.raises(ParticipantBanned):
        await review(fair.alice, completion, None, "key", accepted=True)
    await fair.services.projects.archive(fair.alice, contest.project)
    with pytest.raises(ProjectNotOpen):
        await review(fair.alice, completion, None, "key", accepted=False)
    assert (await fair.row("task_completions", completion))["status"] == "pending"


async def test_wrong_answers_count_however_many_come_at_once(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, id, other = await contest.task(ProofKind.QUIZ, quiz=Quiz("42")), await contest.join(), await contest.join()
    wrong = [contest.complete(id, task, AnswerProof(str(number))) for number in range(100, 200)]
    assert await sorts(wrong) == {WrongAnswer: MAX_GUESSES, NoGuessesLeft: 100 - MAX_GUESSES}
    with pytest.raises(NoGuessesLeft):
        await contest.complete(id, task, AnswerProof("42"))
    await contest.complete(other, task, AnswerProof(" 42 "))
    assert [(await contest.row(each))["points"] for each in (id, other)] == [0, 10]
    await contest.assert_sound()


async def test_a_replay_of_a_wrong_answer_is_no_other_guess(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    task, id = await contest.task(ProofKind.QUIZ, quiz=Quiz("42")), await contest.join()
    for _ in range(MAX_GUESSES + 1):
        with pytest.raises(WrongAnswer) as refused:
            await contest.complete(id, task, AnswerProof("41"), key="key")
        assert refused.value.guesses_left == MAX_GUESSES - 1
    with pytest.raises(IdempotencyKeyReused):
        await contest.complete(id, task, AnswerProof("42"), key="key")
    await contest.complete(id, task, AnswerProof("42"))
    assert (await contest.row(id))["points"] == 10


@pytest.mark.parametrize("kind", ProofKind)
async def test_a_proof_is_of_the_kind_of_the_task(fair: Fair, kind: ProofKind) -> None:
    contest = await Contest.begin(fair)
    wallet = await fair.office.owner.fetchval("SELECT wallet_id FROM wallets LIMIT 1")
    given: dict[ProofKind, dict[str, Any]] = {
        ProofKind.PAYMENT: {"payment": Payment(wallet, Decimal(1))},
        ProofKind.QUIZ: {"quiz": Quiz("42")},
    }
    task, id = await contest.task(kind, **given.get(kind, {})), await contest.join()
    proofs: dict[ProofKind, Proof] = {
        ProofKind.MANUAL: TextProof("x"),
        ProofKind.API: None,
        ProofKind.PAYMENT: TransactionProof("0" * 64),
        ProofKind.QUIZ: AnswerProof("42"),
    }
    for other, proof in proofs.items():
        if other is not kind:
            with pytest.raises(InvalidInput) as refused:
                await contest.complete(id, task, proof)
            assert refused.value.path == ("proof",)
    assert await contest.number("SELECT count(*) FROM task_completions") == 0


async def test_users_complete_tasks_themselves_but_do_not_speak_for_the_tenant(fair: Fair) -> None:
    contest, bob = await Contest.begin(fair), fair.office.bob
    api, manual = await contest.task(), await contest.task(ProofKind.MANUAL, key="manual")
    id = await contest.join(by=bob)
    with pytest.raises(InvalidInput):
        await contest.complete(id, api, by=bob)
    await contest.complete(id, manual, TextProof("x"), by=bob)
    someone = await contest.join()
    for by in (fair.office.alice, bob):
        with pytest.raises(NotFound):
            await contest.complete(someone, manual, TextProof("x"), by=by)
    participant = (await contest.row(id))["participant_id"]
    assert await contest.facts(participant) == [each for each in await contest.facts() if each.participation_id == id]


async def test_only_who_takes_part_in_an_open_project_completes_its_tasks(fair: Fair) -> None:
    contest, second = await Contest.begin(fair), await Contest.begin(fair)
    task, id, elsewhere = await contest.task(), await contest.join(), await second.join()
    with pytest.raises(NotFound):
        await contest.complete(elsewhere, task)
    await fair.services.participations.leave(fair.alice, id, "leave")
    with pytest.raises(NotTakingPart):
        await contest.complete(id, task)
    await fair.services.participations.ban(fair.alice, id, "Spam", "ban")
    with pytest.raises(ParticipantBanned):
        await contest.complete(id, task)
    await fair.services.projects.update(fair.alice, contest.project, ProjectChanges(is_active=False))
    await fair.services.joining.unban(fair.alice, id, "unban")
    assert (await contest.row(id))["status"] == "left"
    third = await second.task()
    await fair.services.projects.update(fair.alice, second.project, ProjectChanges(is_active=False))
    with pytest.raises(ProjectNotOpen) as refused:
        await second.complete(elsewhere, third)
    assert refused.value.closed is Closed.PAUSED
    assert await contest.number("SELECT count(*) FROM task_completions") == 0


async def test_a_confirmed_payment_of_the_user_completes_a_task_once(fair: Fair, scene: Scene) -> None:
    """To the wallet of the task, by a wallet of the user who is linked, of at least the amount."""
    contest = await Contest.begin(fair)
    payer, other, shop = await scene.person(), await scene.person(), await scene.person()
    await scene.begin(miner=payer)
    await scene.mine(payer, 2)
    await scene.mine(other, 2)
    given: dict[str, Any] = {"payment": Payment(shop.wallet_id, Decimal(5)), "max_completions": None}
    task, again = [await contest.task(ProofKind.PAYMENT, key=key, **given) for key in ("pay", "again")]
    id, stranger = await contest.join(by=payer.viewer), await contest.join(by=other.viewer)
    hash = await scene.pay(payer, shop, "5")

    async def complete(hash: str, task: UUID = task, by: Any = payer, who: UUID = id) -> UUID:
        return await contest.complete(who, task, TransactionProof(hash), by.viewer)

    with pytest.raises(PaymentRefused):
        await complete(hash)
    little, wrong_way = await scene.pay(payer, shop, "4.99999999"), await scene.pay(payer, other, "50")
    await scene.mine(other)
    for refused in (complete(little), complete(wrong_way), complete("0" * 64), complete(hash, by=other, who=stranger)):
        with pytest.raises(PaymentRefused):
            await refused
    assert await sorts([complete(hash.upper()) for _ in range(40)]) == {UUID: 1, PaymentUsed: 39}
    with pytest.raises(PaymentUsed):
        await complete(hash, again)
    # The tenant names a payment as well as the user does; a participant who is nobody's has none.
    nobody = await contest.join()
    second = await scene.pay(payer, shop, "7")
    await scene.mine(other)
    with pytest.raises(PaymentRefused):
        await contest.complete(nobody, task, TransactionProof(second))
    await contest.complete(id, task, TransactionProof(second))
    with pytest.raises(InvalidInput):
        await complete("x")
    assert [(await contest.row(each))["points"] for each in (id, stranger, nobody)] == [20, 0, 0]
    await contest.assert_sound()
