"""Defining and archiving tasks."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.domains.campaigns.projects.model import ProjectArchived, ProjectChange
from app.domains.campaigns.tasks.model import (
    MAX_TASKS,
    AnswerProof,
    NewTask,
    NoGuessesLeft,
    Payment,
    ProofKind,
    Quiz,
    TaskLimitReached,
    TaskNotOpen,
    WrongAnswer,
)
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.errors import Forbidden, InvalidInput, NotFound
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode


async def test_a_task_is_defined_by_its_key(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    ids = await asyncio.gather(*(contest.task(name=f"Task {number % 2}") for number in range(40)))
    assert len({*ids}) == 1
    assert await contest.task(points=0, description=" Read it ", position=3, is_active=False) == ids[0]
    row = await fair.row("tasks", ids[0])
    assert (row["name"], row["points"], row["description"], row["position"]) == ("Task", 0, "Read it", 3)
    assert (row["is_active"], row["max_completions"], row["cooldown_s"]) == (False, 1, 0)
    assert {each.change for each in await contest.project_facts()} == {ProjectChange.TASK_DEFINED}
    assert await contest.task(key="other") != ids[0]


async def test_of_many_at_once_a_project_has_so_many_tasks(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    keys = [f"task-{number}" for number in range(MAX_TASKS + 20)]
    done = await asyncio.gather(*(contest.task(key=key) for key in keys), return_exceptions=True)
    refused = [key for key, each in zip(keys, done, strict=True) if isinstance(each, TaskLimitReached)]
    assert len(refused) == 20
    assert await contest.number("SELECT count(*) FROM tasks") == MAX_TASKS
    [kept, *_] = [key for key in keys if key not in refused]
    await contest.task(key=kept, name="Changed")
    row = await fair.office.owner.fetchval("SELECT id FROM tasks WHERE key = $1", kept)
    await fair.services.tasks.archive(fair.alice, row)
    await contest.task(key=refused[0])
    with pytest.raises(TaskLimitReached):
        await contest.task(key=kept)


async def test_an_archived_task_is_there_again_when_it_is_defined(fair: Fair) -> None:
    contest, archive = await Contest.begin(fair), fair.services.tasks.archive
    id, who = await contest.task(), await contest.join()
    await archive(fair.alice, id)
    await archive(fair.alice, id)
    with pytest.raises(TaskNotOpen):
        await contest.complete(who, id)
    assert await contest.task() == id
    await contest.complete(who, id)
    changes = [each.change for each in await contest.project_facts()]
    assert changes == [ProjectChange.TASK_DEFINED, ProjectChange.TASK_ARCHIVED, ProjectChange.TASK_DEFINED]
    await contest.task(is_active=False, max_completions=5)
    with pytest.raises(TaskNotOpen):
        await contest.complete(who, id)


async def test_of_an_answer_there_is_a_hash_that_says_nothing(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    first = await contest.task(ProofKind.QUIZ, quiz=Quiz(" Satoshi  Nakamoto "))
    second = await contest.task(ProofKind.QUIZ, key="second", quiz=Quiz("satoshi nakamoto"))
    hashes = [(await fair.row("task_answers", id, "task_id"))["answer_hash"] for id in (first, second)]
    assert hashes[0] != hashes[1]
    everything = await fair.office.owner.fetch(
        "SELECT t::text FROM tasks t UNION ALL SELECT a::text FROM task_answers a"
        " UNION ALL SELECT l.details::text FROM audit_logs l UNION ALL SELECT e.payload::text FROM events e"
    )
    assert not [row for row in everything if "nakamoto" in row[0].lower()]
    assert "42" not in repr(Quiz("42")) + repr(AnswerProof("42"))


async def test_an_answer_that_is_not_given_stays_and_another_counts_guesses_anew(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    id, who = await contest.task(ProofKind.QUIZ, quiz=Quiz("a")), await contest.join()
    for _ in range(5):
        with pytest.raises(WrongAnswer):
            await contest.complete(who, id, AnswerProof("b"))
    for again in (None, Quiz("A")):
        await contest.task(ProofKind.QUIZ, quiz=again)
        with pytest.raises(NoGuessesLeft):
            await contest.complete(who, id, AnswerProof("a"))
    await contest.task(ProofKind.QUIZ, quiz=Quiz("c"))
    await contest.complete(who, id, AnswerProof("C"))
    await contest.task(ProofKind.API)
    assert await contest.number("SELECT count(*) FROM task_answers") == 0
    with pytest.raises(InvalidInput):
        await contest.task(ProofKind.QUIZ)


WRONG: dict[str, dict[str, Any]] = {
    "key": {"key": "A"},
    "name": {"name": " "},
    "description": {"description": "\x00"},
    "points": {"points": -1},
    "position": {"position": 10**7},
    "max_completions": {"max_completions": 0},
    "cooldown_s": {"cooldown_s": -1},
    "payment": {"kind": ProofKind.PAYMENT},
    "quiz": {"quiz": Quiz("a")},
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_is_named(fair: Fair, field: str) -> None:
    contest = await Contest.begin(fair)
    with pytest.raises(InvalidInput) as refused:
        await contest.task(**WRONG[field])
    assert [each.path[0] for each in refused.value.fields] == [field]
    assert await contest.number("SELECT count(*) FROM tasks") == 0


async def test_what_can_be_repeated_without_end_has_something_that_ends_it(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    for kind, quiz in ((ProofKind.MANUAL, None), (ProofKind.QUIZ, Quiz("a"))):
        with pytest.raises(InvalidInput) as refused:
            await contest.task(kind, quiz=quiz, max_completions=None)
        assert refused.value.path == ("max_completions",)
        await contest.task(kind, quiz=quiz, max_completions=None, cooldown_s=60)
    await contest.task(ProofKind.API, max_completions=None)


async def test_a_payment_is_to_a_wallet_that_there_is(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    wallet = await fair.office.owner.fetchval("SELECT wallet_id FROM wallets LIMIT 1")
    for given, path in (
        (Payment("0" * 64, Decimal(1)), ("payment", "wallet_id")),
        (Payment("x", Decimal(1)), ("payment", "wallet_id")),
        (Payment(wallet, Decimal(0)), ("payment", "min_amount")),
        (Payment(wallet, Decimal("0.000000001")), ("payment", "min_amount")),
        (Payment(wallet, Decimal("NaN")), ("payment", "min_amount")),
    ):
        with pytest.raises(InvalidInput) as refused:
            await contest.task(ProofKind.PAYMENT, payment=given)
        assert refused.value.path == path
    await contest.task(ProofKind.PAYMENT, payment=Payment(wallet, Decimal("0.5")))


async def test_who_defines_tasks_is_an_admin_of_the_tenant(fair: Fair) -> None:
    contest, tasks = await Contest.begin(fair), fair.services.tasks
    id, new = await contest.task(), NewTask(key="x", name="X", points=1, proof_kind=ProofKind.API)
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    await fair.office.found("other", by=fair.office.bob)
    other = await fair.office.acting(fair.office.bob, "other")
    for by, problem in ((viewer, Forbidden), (in_test_mode(fair.alice), NotFound), (other, NotFound)):
        for refused in (tasks.define(by, contest.project, new), tasks.archive(by, id)):
            with pytest.raises(problem):
                await refused
    await fair.services.projects.archive(fair.alice, contest.project)
    for late in (tasks.define(fair.alice, contest.project, new), tasks.archive(fair.alice, id)):
        with pytest.raises(ProjectArchived):
            await late
    assert await contest.number("SELECT count(*) FROM tasks WHERE archived_at IS NULL") == 1
