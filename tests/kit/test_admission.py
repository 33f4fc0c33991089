import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.admission import Admission, Overloaded


async def settle() -> None:
    """Lets everybody go as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def entered(admission: Admission, party: object, log: list[object]) -> None:
    await admission.enter(party)
    log.append(party)


async def test_slots_are_taken_at_once_while_there_are_any() -> None:
    admission = Admission(4, waiting_limit=10)
    for party in ("alice", "alice", "bob", None):
        await admission.enter(party)
    assert (admission.waiting, admission.waits[0]) == (0, 4)


async def test_a_party_holds_at_most_half_so_that_others_never_wait_for_it() -> None:
    admission = Admission(4, waiting_limit=100)
    log: list[object] = []
    waiting = [asyncio.create_task(entered(admission, "alice", log)) for _ in range(10)]
    await settle()
    assert log == ["alice"] * 2
    await admission.enter("bob")
    await admission.enter(None)
    assert admission.waiting == 8
    for task in waiting:
        task.cancel()
    await settle()
    assert admission.waiting == 0


async def test_moneta_itself_may_hold_everything() -> None:
    admission = Admission(3, waiting_limit=1)
    for _ in range(3):
        await admission.enter(None)


async def test_who_waits_takes_turns() -> None:
    admission = Admission(1, waiting_limit=100)
    log: list[object] = []
    await admission.enter("first")
    for party in ("a", "a", "a", "b", "c", "b", None):
        asyncio.create_task(entered(admission, party, log))  # noqa: RUF006  # awaited by what they log
    await settle()
    admission.leave("first")
    for turn in range(1, 8):
        await settle()
        assert len(log) == turn
        admission.leave(log[-1])
    assert log == ["a", "b", "c", None, "a", "b", "a"]
    assert admission.waiting == 0


async def test_too_many_are_turned_away_and_counted() -> None:
    admission = Admission(1, waiting_limit=8)
    log: list[object] = []
    await admission.enter("x")
    tasks = [asyncio.create_task(entered(admission, "alice", log)) for _ in range(2)]
    await settle()
    # A quarter of those who may wait.
    with pytest.raises(Overloaded):
        await admission.enter("alice")
    tasks += [asyncio.create_task(entered(admission, None, log)) for _ in range(6)]
    await settle()
    with pytest.raises(Overloaded):
        await admission.enter("bob")
    assert (admission.refused, admission.waiting) == (2, 8)
    for task in tasks:
        task.cancel()
    await settle()
    assert admission.waiting == 0


async def test_a_cancelled_waiter_gives_its_slot_back_even_if_it_came_at_that_moment() -> None:
    admission = Admission(1, waiting_limit=8)
    await admission.enter("x")
    waiter = asyncio.create_task(admission.enter("y"))
    await settle()
    admission.leave("x")
    waiter.cancel()
    await settle()
    assert waiter.cancelled()
    # Free again: nobody holds it.
    await admission.enter("z")

    waiter = asyncio.create_task(admission.enter("y"))
    await settle()
    waiter.cancel()
    admission.leave("z")
    await settle()
    await admission.enter("z")
    assert admission.waiting == 0


async def test_a_pool_is_starved_when_somebody_with_no_share_waits_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("app.kit.admission.time.monotonic", lambda: now)
    admission = Admission(2, waiting_limit=8)
    await admission.enter("alice")
    more_of_alice = asyncio.create_task(admission.enter("alice"))
    await settle()
    now = 60.0
    # She waits for herself alone.
    assert not admission.starved
    await admission.enter("bob")
    carol = asyncio.create_task(admission.enter("carol"))
    await settle()
    assert not admission.starved
    now = 61.5
    assert bool(admission.starved) is True
    admission.leave("bob")
    await carol
    assert not admission.starved
    assert sum(admission.waits) == 3
    assert admission.waited_s == 1.5
    more_of_alice.cancel()


ACTIONS = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(["a", "b", "c", None])),
    st.tuples(st.sampled_from(["leave", "cancel"]), st.integers(0, 50)),
    st.tuples(st.just("settle"), st.none()),
)


@given(slots=st.integers(1, 5), actions=st.lists(ACTIONS, max_size=60))
async def test_no_slot_is_lost_or_given_twice(slots: int, actions: list[tuple[str, Any]]) -> None:
    admission = Admission(slots, waiting_limit=50)
    tasks: dict[asyncio.Task[None], str | None] = {}
    left: set[asyncio.Task[None]] = set()

    def holding() -> list[asyncio.Task[None]]:
        return [task for task in tasks if is_in(task) and task not in left]

    for action, which in actions:
        waiting = [task for task in tasks if not task.done()]
        if action == "enter":
            tasks[asyncio.create_task(admission.enter(which))] = which
        elif action == "leave" and (held := holding()):
            task = held[which % len(held)]
            left.add(task)
            admission.leave(tasks[task])
        elif action == "cancel" and waiting:
            waiting[which % len(waiting)].cancel()
        elif action == "settle":
            await settle()
            assert len(holding()) <= slots
            assert admission.waiting == sum(not task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in holding():
        admission.leave(tasks[task])
    assert (admission._free, admission.waiting) == (slots, 0)


def is_in(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
