"""What open subscriptions cost together is bounded: on a connection, of a viewer, and of an address."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from redis.asyncio import Redis

from app.engine.streams.budgets import BudgetCharge, Budgets, OverBudget, Payer
from app.engine.streams.iterator import Failed
from app.engine.streams.model import EndReason, Transport
from app.kit.db import Database
from tests.engine.streams.stage import ALICE, BOB, Context, Inbox, Stage, stage_of
from tests.engine.support import LIMITS
from tests.pulled_events import iterate
from tests.waiting import until

TIGHT = replace(LIMITS, stream_cost_per_socket=10, stream_cost_per_viewer=16, stream_cost_per_address=13)


LIMIT = {
    "socket": TIGHT.stream_cost_per_socket,
    "viewer": TIGHT.stream_cost_per_viewer,
    "address": TIGHT.stream_cost_per_address,
}


def payer(connection: Any, caller: Any = None, *, is_viewer: bool = False) -> Payer:
    return Payer(connection, caller, is_viewer)


def test_an_account_is_charged_until_it_gives_back() -> None:
    budgets = Budgets(TIGHT)
    first = budgets.charge(payer(1), "a", 6)
    with pytest.raises(OverBudget) as over:
        budgets.charge(payer(1), "b", 5)
    assert (over.value.left, over.value.limit) == (4, 10)
    second = budgets.charge(payer(1), "b", 4)
    first.give_back()
    first.give_back()
    budgets.charge(payer(1), "c", 6).give_back()
    second.give_back()
    assert len(budgets) == 0


def test_equal_ones_are_charged_once_and_until_the_last_is_over() -> None:
    budgets = Budgets(TIGHT)
    charges = [budgets.charge(payer(1), "a", 8) for _ in range(5)]
    for charge in charges[:-1]:
        charge.give_back()
    with pytest.raises(OverBudget):
        budgets.charge(payer(1), "b", 3)
    charges[-1].give_back()
    budgets.charge(payer(1), "b", 3)


def test_all_connections_of_a_caller_are_one_account() -> None:
    budgets = Budgets(TIGHT)
    budgets.charge(payer(1, "address"), "a", 8)
    with pytest.raises(OverBudget, match="5 of 13"):
        budgets.charge(payer(2, "address"), "b", 6)
    # A viewer is another account, even one of that name; and one connection's failure has charged nobody.
    budgets.charge(payer(2, "address", is_viewer=True), "b", 10)
    with pytest.raises(OverBudget, match="6 of 16"):
        budgets.charge(payer(3, "address", is_viewer=True), "c", 7)
    budgets.charge(payer(3, "address"), "c", 5)
    with pytest.raises(OverBudget, match="5 of 10"):
        budgets.charge(payer(3, "another"), "d", 6)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("xyz"), st.booleans(), st.integers(0, 5), st.integers(0, 3)))
)
def test_no_account_is_ever_over_its_limit_and_all_is_given_back(steps: list[tuple[int, str, bool, int, int]]) -> None:
    budgets, open_charges = Budgets(TIGHT), list[tuple[Payer, str, int, BudgetCharge]]()
    refused = 0
    for connection, caller, is_viewer, what, ends in steps:
        who, per_s = payer(connection, caller, is_viewer=is_viewer), what + 1
        try:
            open_charges.append((who, str(what), per_s, budgets.charge(who, str(what), per_s)))
        except OverBudget:
            refused += 1
        for _, _, _, charge in open_charges[:ends]:
            charge.give_back()
        del open_charges[:ends]
        held: dict[tuple[str, Any], dict[str, int]] = {}
        for each, name, cost, _ in open_charges:
            held.setdefault(("socket", each.connection), {})[name] = cost
            held.setdefault(("viewer" if each.is_viewer else "address", each.caller), {})[name] = cost
        assert all(sum(costs.values()) <= LIMIT[kind] for (kind, _), costs in held.items())
    for _, _, _, charge in open_charges:
        charge.give_back()
    assert len(budgets) == 0
    assert refused == 0 or len(steps) > 1


def numbered(alias: int, fields: int = 3) -> str:
    """A subscription like no other, whose events cost so much and one more."""
    return "subscription { numbers { " + " ".join(f"a{alias}_{n}: value" for n in range(fields)) + " } }"


async def accounts(stage: Stage) -> int:
    return len(stage.subscriptions._budgets)


def tighten(stage: Stage, **limits: int) -> None:
    stage.subscriptions._budgets = Budgets(replace(LIMITS, **limits))


async def test_a_subscription_beyond_the_budget_is_refused_with_its_fix(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        tighten(stage, stream_cost_per_socket=10)
        here = payer("socket", "address")
        opened = [await stage.open(Inbox(), numbered(n), payer=here) for n in range(2)]
        refused = await stage.try_open(Inbox(), numbered(2), payer=here)
        assert isinstance(refused, list)
        assert refused[0]["extensions"]["code"] == "COST_EXCEEDED"
        assert refused[0]["message"] == (
            "This subscription costs 4 a second: 4 an event, 1 events a second. Of the 10 a second that this connection"
            " may use, 2 are left. Ask for fewer fields at once. Or close another subscription first."
        )
        assert stage.subscriptions.counters.refusals == 1
        assert stage.subscriptions.groups == 2
        # What it says is so: fewer fields fit, an equal one costs nothing, and one that is closed makes room.
        await stage.open(Inbox(), numbered(2, fields=1), payer=here)
        await stage.open(Inbox(), numbered(0), payer=here)
        assert isinstance(await stage.try_open(Inbox(), numbered(3), payer=here), list)
        opened[1].close(EndReason.COMPLETED)
        await stage.open(Inbox(), numbered(3), payer=here)


async def test_sockets_of_one_viewer_are_charged_together(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        tighten(stage, stream_cost_per_viewer=8, stream_cost_per_address=4)
        for n in range(2):
            await stage.open(Inbox(), numbered(n), by=ALICE, payer=payer(n, ALICE, is_viewer=True))
        refused = await stage.try_open(Inbox(), numbered(2), by=ALICE, payer=payer(2, ALICE, is_viewer=True))
        assert isinstance(refused, list)
        assert "you, on all connections together," in refused[0]["message"]
        await stage.open(Inbox(), numbered(2), by=BOB, payer=payer(3, BOB, is_viewer=True))
        await stage.open(Inbox(), numbered(3), payer=payer(4, "address"))
        refused = await stage.try_open(Inbox(), numbered(4), payer=payer(5, "address"))
        assert isinstance(refused, list)
        assert "your address" in refused[0]["message"]
        await stage.open(Inbox(), numbered(4), payer=payer(5, "another address"))


async def test_every_end_gives_back(database: Database, redis: Redis) -> None:
    """Closed by the client, ended by us, refused, failed on its way in, or by a sink that fails."""
    async with stage_of(database, redis) as stage:
        here = payer("socket", "address")
        (await stage.open(Inbox(), numbered(1), payer=here)).close(EndReason.COMPLETED)
        assert await accounts(stage) == 0
        (await stage.open(Inbox(), numbered(1), payer=here)).finish(EndReason.FAILED, [])
        assert await accounts(stage) == 0
        # Nobody may follow `own`; nobody was ever given this cursor.
        assert isinstance(await stage.try_open(Inbox(), "subscription { own { number } }", payer=here), list)
        assert isinstance(await stage.try_open(Inbox(), numbered(1), payer=here, after="nonsense"), list)
        assert await accounts(stage) == 0

        class Broken(Inbox):
            def deliver(self, deliveries: Any) -> bool:
                raise OSError("gone")

        broken = Broken()
        await stage.open(broken, numbered(1), payer=here)
        await stage.append(1)
        await until(lambda: broken.finished)
        assert await accounts(stage) == 0
        await stage.open(Inbox(), numbered(1), payer=here)
        stage.subscriptions.stop()
        assert await accounts(stage) == 0


async def test_a_stream_that_is_pulled_is_charged_until_it_is_closed(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        tighten(stage, stream_cost_per_socket=4)
        here = payer("request", "address")
        prepared = stage.prepare(numbered(1))
        stream = iterate(stage.subscriptions, prepared, Context(stage.world, None), Transport.SSE, here)
        waiting = anext(stream)
        await stage.append(0)
        task = asyncio.ensure_future(waiting)
        await until(lambda: len(stage.subscriptions) == 1)
        other = iterate(
            stage.subscriptions, stage.prepare(numbered(2)), Context(stage.world, None), Transport.SSE, here
        )
        refused = [each async for each in other]
        assert [type(each) for each in refused] == [Failed]
        assert isinstance(refused[0], Failed)
        assert refused[0].errors[0]["extensions"]["code"] == "COST_EXCEEDED"
        task.cancel()
        await asyncio.wait([task])
        await stream.aclose()
        assert await accounts(stage) == 0
