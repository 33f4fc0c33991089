"""Overdue transactions fail, and with them only what builds on them."""

import asyncio
from datetime import timedelta

import pytest

from app.domains.ledger.jobs import ledger_schedules
from tests.domains.ledger.scene import MIN_FEE, REWARD, Scene

WAIT = timedelta(hours=72)


async def test_an_overdue_payment_fails_with_its_descendants(scene: Scene) -> None:
    alice, bob, carol = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.mine(carol)
    old = await scene.pay(alice, bob, "10")
    scene.clock.advance(timedelta(hours=1))
    child = await scene.pay(alice, bob, "20")
    other = await scene.pay(carol, bob, "30")
    scene.clock.advance(WAIT - timedelta(hours=1) + timedelta(seconds=1))

    assert await scene.services.mempool.expire() == 2

    rows = await scene.owner.fetch("SELECT transaction_hash, status, failure_reason FROM transactions WHERE fee > 0")
    assert {row[0]: (row[1], row[2]) for row in rows} == {
        old: ("failed", "expired"),
        child: ("failed", "parent expired"),
        other: ("pending", None),
    }
    assert await scene.balance(alice) == REWARD
    assert await scene.balance(carol) == REWARD - 30 - MIN_FEE
    assert await scene.owner.fetchval("SELECT count(*) FROM utxos WHERE transaction_hash = ANY($1)", [old, child]) == 0
    assert (await scene.facts(bob))[-2:] == [
        ("transaction.failed", {"hash": old}),
        ("transaction.failed", {"hash": child}),
    ]
    await scene.assert_books_balance()
    # What was released can be spent again, and the chain goes on.
    again = await scene.pay(alice, bob, "499")
    await scene.mine(carol)
    assert await scene.status(again) == "confirmed"
    assert await scene.status(old) == "failed"
    await scene.assert_books_balance()


async def test_what_has_waited_for_72_hours_sharp_stays(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    hash_ = await scene.pay(alice, bob, "10")
    scene.clock.advance(WAIT)
    assert await scene.services.mempool.expire() == 0
    assert await scene.status(hash_) == "pending"


async def test_the_job_says_what_it_did(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.pay(alice, bob, "10")
    scene.clock.advance(WAIT * 2)
    (schedule,) = ledger_schedules(scene.services)
    assert await schedule.handler() == "1 failed"
    assert await schedule.handler() == "0 failed"


@pytest.mark.usefixtures("warm")
async def test_expiry_amid_payments_and_blocks_keeps_the_books(scene: Scene) -> None:
    people = [await scene.person() for _ in range(3)]
    for person in people:
        await scene.mine(person, 2)
    for person in people:
        await scene.pay(person, people[people.index(person) - 1], "1")
    scene.clock.advance(WAIT + timedelta(seconds=1))

    await asyncio.gather(
        *(scene.pay(person, people[people.index(person) - 1], "2") for person in people for _ in range(5)),
        *(scene.services.mempool.expire() for _ in range(3)),
        scene.mine(people[0]),
        return_exceptions=True,
    )

    await scene.assert_books_balance()
    await scene.services.mempool.expire()
    await scene.mine(people[0])
    await scene.assert_books_balance()
    issued = await scene.owner.fetchval("SELECT circulating_coins FROM blockchain_info")
    assert sum([await scene.balance(person) for person in people]) == issued
