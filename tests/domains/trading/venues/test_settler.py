"""What is written of an exchange: by who leads alone, and each trade once."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest

from app.domains.trading.venues.model import Closing, RemoteStatus, VenueOrderState
from app.domains.trading.venues.services.settler import Settler
from app.kit.leadership import LeadershipLost
from tests.domains.trading.orders.trader import limit
from tests.domains.trading.venues.stage import VenueStage
from tests.waiting import until

POST = "POST /api/v3/order"
OPEN_ORDERS = "GET /api/v3/openOrders"

WRITES: dict[str, Callable[[Settler, VenueStage, UUID], Awaitable[object]]] = {
    "settle": lambda settler, live, id: settler.settle(
        0, live.account_id, "binance", [], [Closing(id, VenueOrderState.CLOSED, RemoteStatus.CANCELED)]
    ),
    "revive": lambda settler, _, id: settler.revive(0, id, "x"),
    "note_cancel": lambda settler, live, id: settler.note_cancel(0, id, live.stage.clock.now(), None),
    "finish": lambda settler, live, _: settler.finish(0, live.stage.alice.user_id, live.id),
}


@pytest.mark.parametrize("write", WRITES)
async def test_who_does_not_lead_writes_nothing(live: VenueStage, write: str) -> None:
    id = await live.place(limit())
    await live.step()
    before = await live.sent()
    with pytest.raises(LeadershipLost):
        await WRITES[write](live.stage.trading.venues.settler, live, id)
    assert await live.sent() == before
    assert (await live.ended(id))[0] == "pending"


async def test_an_order_that_the_exchange_calls_a_duplicate_is_looked_up(live: VenueStage) -> None:
    """There is one under this ID: it may be this one, whose reply was lost on the way."""
    live.stub.failing[POST] = ["duplicate after"]
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step(2)
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(1), "BTC")
    await live.step()
    assert await live.ended(id) == ("filled", 1, None)
    await live.check()


async def test_trades_of_two_markets_may_have_the_same_id(live: VenueStage) -> None:
    await live.stage.quote({"ETH": ("10", "15")})
    await live.market.tick("10", "ETH")
    await live.market.match()
    coin = await live.place(limit(quantity="1", price="99.5"))
    ether = await live.place(limit(quantity="1", price="9", symbol="ETH"))
    await live.step()
    for sent in live.stub.orders.values():
        live.stub.fill(sent, Decimal(1), sent.asset)
    first, second = live.stub.trades
    second["id"] = first["id"]
    await live.step()
    for id in (coin, ether):
        assert await live.ended(id) == ("filled", 1, None)
    await live.check()


async def test_a_comparison_during_which_something_changes_is_made_again(live: VenueStage) -> None:
    await live.stage.trading.reconciling.ask(live.stage.alice, live.account_id, adopts=False)
    live.stub.failing[OPEN_ORDERS] = ["late after"]
    before = live.stub.calls[OPEN_ORDERS]
    step = asyncio.create_task(live.venues.step())
    await until(lambda: live.stub.calls[OPEN_ORDERS] > before)
    # Money is reserved: what was read before is not what there is.
    await live.place(limit())
    live.stub.answers.set()
    await step
    attempts = "SELECT attempts FROM reconciliations WHERE status = 'asked'"
    assert await live.stage.owner.fetchval(attempts) == 1
    await live.until_still()
    assert await live.stage.owner.fetchval("SELECT count(*) FROM reconciliations WHERE status = 'equal'") == 1
