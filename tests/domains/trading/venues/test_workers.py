"""Workers that end in the middle of something, and exchanges that are busy."""

import asyncio
import contextlib
import signal
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from app.dev.embedded import Embedded
from app.domains.trading.venues.services import account_worker
from app.kit.leadership import LeadershipLost
from tests.domains.trading.orders.trader import limit
from tests.domains.trading.venues.stage import STILL, VenueStage
from tests.sources import ROOT
from tests.waiting import until

POST = "POST /api/v3/order"
DELETE = "DELETE /api/v3/order"


async def states(live: VenueStage) -> list[str]:
    return [row["state"] for row in await live.sent()]


@pytest.mark.parametrize("is_killed", [True, False])
async def test_what_a_worker_was_sending_is_looked_up_by_the_next(live: VenueStage, *, is_killed: bool) -> None:
    """It ends between the commit of `sending` and the reply; or it goes on, and does not know of the next."""
    live.stub.failing[POST] = ["late after"]
    id = await live.place(limit(quantity="1", price="99.5"))
    old = live.venues
    sending = asyncio.create_task(old.step())
    await until(lambda: live.stub.taken[id.hex] == 1)
    assert await states(live) == ["sending"]
    live.venues = live.worker()
    await live.venues.lead()
    if is_killed:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
    await live.step()
    assert await states(live) == ["open"]
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(1), "BTC")
    await live.step()
    live.stub.answers.set()
    if not is_killed:
        with pytest.raises(LeadershipLost):
            await sending
    await old.close()
    assert await live.ended(id) == ("filled", 1, None)
    assert live.stub.received == {id.hex: 1}
    await live.check()


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_process_that_is_killed_while_it_sends_has_sent_once(
    live: VenueStage, database_url: str, servers: Embedded, *, arrives: bool
) -> None:
    """After `sending` was committed, and before the reply: whether the exchange has it or not, it is not sent again."""
    live.stub.failing[POST] = ["late after" if arrives else "silence before"]
    id = await live.place(limit(quantity="1", price="99.5"))
    addresses = (database_url, servers.redis_url, live.stub.address, live.stage.clock.now().isoformat())
    module = "tests.domains.trading.venues.sender"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *addresses, cwd=ROOT)
    try:
        await until(lambda: live.stub.calls[POST] == 1 and live.stub.taken[id.hex] == int(arrives))
        assert await states(live) == ["sending"]
    finally:
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    await live.venues.lead()
    await live.step()
    live.stage.clock.advance(STILL)
    await live.step(2)
    assert await states(live) == ["open" if arrives else "absent"]
    assert await live.ended(id) == (("pending", 0, None) if arrives else ("rejected", 0, "not_sent"))
    assert live.stub.calls[POST] == 1
    live.stub.answers.set()
    await live.check()


async def test_what_was_not_handed_over_in_time_is_not_sent_any_more(
    live: VenueStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was suspended after it noted that it sends: others have looked for the order since."""
    monkeypatch.setattr(account_worker, "SEND_WITHIN_S", -1.0)
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    assert await states(live) == ["sending"]
    monkeypatch.undo()
    live.stage.clock.advance(STILL)
    await live.step(2)
    assert live.stub.calls[POST] == 0
    assert await live.ended(id) == ("rejected", 0, "not_sent")


@pytest.mark.parametrize("filled", ["0", "0.25"])
async def test_what_is_found_rejected_is_rejected_unless_it_was_traded(live: VenueStage, filled: str) -> None:
    live.stub.failing[POST] = ["cut after"]
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step(seconds=0)
    [sent] = live.stub.orders.values()
    assert await states(live) == ["sending"]
    if Decimal(filled):
        live.stub.fill(sent, Decimal(filled), "BTC")
    live.stub._end(sent, "REJECTED")
    live.stage.clock.advance(timedelta(seconds=2))
    await live.step(2)
    expected = ("cancelled", Decimal(filled), "refused") if Decimal(filled) else ("rejected", 0, "refused")
    assert await live.ended(id) == expected
    assert await states(live) == ["closed" if Decimal(filled) else "refused"]
    await live.check()


async def test_an_order_with_a_key_that_is_not_accepted_is_rejected(live: VenueStage) -> None:
    """By a new client, which does not take that for a pause of the exchange."""
    await live.venues.close()
    live.stub.refuses_keys = True
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    assert await live.ended(id) == ("rejected", 0, "refused")
    [sent] = await live.sent()
    assert (sent["state"], sent["failure"]) == ("refused", "AuthenticationError")
    assert await live.stage.owner.fetchval("SELECT failure FROM exchange_accounts") == "credentials"
    live.stub.refuses_keys = False
    await live.place(limit(quantity="1", price="99.5"))
    await live.step(2)
    assert await live.stage.owner.fetchval("SELECT failure FROM exchange_accounts") is None
    assert len(live.stub.orders) == 1


async def test_what_was_replaced_by_another_worker_sends_nothing(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    old, live.venues = live.venues, live.worker()
    await live.venues.lead()
    with pytest.raises(LeadershipLost):
        await old.step()
    await old.close()
    assert live.stub.received == {}
    await live.step()
    assert live.stub.received == {id.hex: 1}


async def test_a_worker_that_runs_sends_at_once_and_halts_at_once(live: VenueStage) -> None:
    running = asyncio.create_task(live.venues.run())
    try:
        id = await live.place(limit())
        await until(lambda: live.stub.taken[id.hex] == 1)
        assert await live.stage.trading.halts.halt_own(live.stage.alice) == [id]
        await until(lambda: [each.status for each in live.stub.orders.values()] == ["CANCELED"])

        async def has_ended() -> bool:
            return await live.ended(id) == ("cancelled", 0, "trading_halted")

        await until(has_ended)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), (str(10**12), 3600), ("Mon, 30 Nov 2026", 1), (None, 1)])
async def test_an_exchange_is_left_alone_as_long_as_it_asks(live: VenueStage, asked: str | None, seconds: int) -> None:
    live.stub.retry_after = asked
    live.stub.failing[POST] = ["429"]
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step(seconds=0)
    before = live.stub.calls.copy()
    assert await states(live) == ["waiting"]
    live.stage.clock.advance(timedelta(seconds=seconds) - timedelta(milliseconds=1))
    await live.step(seconds=0)
    assert live.stub.calls == before
    live.stage.clock.advance(timedelta(milliseconds=1))
    await live.step(seconds=0)
    assert live.stub.calls != before
    await live.step(3, seconds=3600 * 24 * 365)
    assert live.stub.taken == {id.hex: 1}


async def test_pauses_become_longer_and_end_with_the_first_answer(live: VenueStage) -> None:
    live.stub.failing["GET /api/v3/openOrders"] = ["429"] * 3
    await live.place(limit())
    for seconds in (1, 2, 4, 0):
        before = live.stub.calls["GET /api/v3/openOrders"]
        await live.step(seconds=0)
        assert live.stub.calls["GET /api/v3/openOrders"] == before + 1
        if seconds:
            live.stage.clock.advance(timedelta(seconds=seconds) - timedelta(milliseconds=1))
            await live.step(seconds=0)
            assert live.stub.calls["GET /api/v3/openOrders"] == before + 1
            live.stage.clock.advance(timedelta(milliseconds=1))


async def test_a_cancellation_that_is_not_answered_is_said_and_tried_again(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    live.stub.failing[DELETE] = ["cut before"] * 100
    await live.stage.trading.halts.halt_own(live.stage.alice)
    reason = "SELECT count(*) FROM events WHERE kind = 'order' AND payload->>'reason' = 'cancel_failed'"
    for seen in (0, 0, 1, 1):
        await live.step(seconds=60)
        assert await live.stage.owner.fetchval(reason) == seen
    assert (await live.ended(id))[0] == "pending"
    live.stub.failing[DELETE] = []
    await live.step(2, seconds=60)
    assert await live.ended(id) == ("cancelled", 0, "trading_halted")
