"""Orders that are placed at once, and again under one key."""

import asyncio
from decimal import Decimal

import pytest

from app.domains.trading.orders.model import DuplicateClientOrderId, InsufficientPosition
from app.domains.trading.portfolios.model import InsufficientCash
from app.domains.trading.quantities.model import Side
from app.kit.errors import IdempotencyKeyReused
from tests.domains.trading.orders.trader import Trader, limit, order


@pytest.mark.usefixtures("warm")
async def test_one_client_order_id_at_once_is_one_order(trader: Trader) -> None:
    placed = await asyncio.gather(
        *(trader.place(limit(client_order_id="one")) for _ in range(20)), return_exceptions=True
    )
    [id] = [each for each in placed if not isinstance(each, BaseException)]
    assert {each.order_id for each in placed if isinstance(each, DuplicateClientOrderId)} == {id}
    assert sum(isinstance(each, DuplicateClientOrderId) for each in placed) == 19


@pytest.mark.usefixtures("warm")
async def test_a_hundred_full_balances_at_once_are_one_order(trader: Trader) -> None:
    placed = await asyncio.gather(
        *(trader.place(limit(quantity="99", price="100")) for _ in range(100)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in placed) == 1
    assert sum(isinstance(each, InsufficientCash) for each in placed) == 99
    assert await trader.reserved() == Decimal("9919.8")


@pytest.mark.usefixtures("warm")
async def test_a_hundred_full_positions_at_once_are_one_order(trader: Trader) -> None:
    await trader.hold("2")
    placed = await asyncio.gather(*(trader.place(order(Side.SELL, "2")) for _ in range(100)), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in placed) == 1
    assert sum(isinstance(each, InsufficientPosition) for each in placed) == 99
    assert await trader.coins() == 2


@pytest.mark.usefixtures("warm")
async def test_one_key_a_hundred_times_is_one_order(trader: Trader) -> None:
    ids = await asyncio.gather(*(trader.place(limit(), key="same") for _ in range(100)))
    assert len(set(ids)) == 1
    assert await trader.stage.owner.fetchval("SELECT count(*) FROM orders") == 1
    # Zeros at the end make no other request.
    assert await trader.place(limit(quantity="1.00", price="90.0"), key="same") == ids[0]
    with pytest.raises(IdempotencyKeyReused):
        await trader.place(limit(quantity="1.01"), key="same")
    with pytest.raises(IdempotencyKeyReused):
        await trader.place(limit(), await trader.stage.create(), key="same")


@pytest.mark.usefixtures("warm")
async def test_a_replay_is_not_refused(trader: Trader) -> None:
    id = await trader.place(limit(), key="same")
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    assert await trader.place(limit(), key="same") == id
