"""Tokens that are gone, and what has been kept long enough."""

import json
from datetime import timedelta

import pytest

from app.domains.trading.exchange.model import Reason
from app.domains.trading.orders.services import maintenance
from tests.domains.trading.orders.desk import Desk, limit, order

RENAME = "UPDATE tokens SET symbol = $1 WHERE symbol = $2"


async def delisted(desk: Desk) -> list[tuple[str, str]]:
    return [
        (row["symbol"], json.loads(row["payload"])["reason"]) for row in await desk.inbox() if row["kind"] == "delist"
    ]


async def test_a_token_that_is_no_longer_listed_ends_its_orders(desk: Desk) -> None:
    id = await desk.place(limit())
    await desk.market.match()
    assert await desk.stage.trading.maintenance.delist() == "0 tokens"
    await desk.stage.owner.execute("UPDATE tokens SET is_active = false WHERE symbol = 'BTC'")
    assert await desk.stage.trading.maintenance.delist() == "1 tokens"
    assert await desk.stage.trading.maintenance.delist() == "0 tokens"
    assert await delisted(desk) == [("BTC", "delisted")]
    await desk.market.match()
    assert await desk.ended(id) == ("cancelled", 0, Reason.DELISTED)
    assert await desk.stage.trading.maintenance.delist() == "0 tokens"
    assert await desk.reserved() == 0


async def test_a_token_that_was_renamed_ends_its_orders(desk: Desk) -> None:
    id = await desk.place(limit())
    await desk.market.match()
    await desk.stage.owner.execute(RENAME, "NEW", "BTC")
    await desk.stage.trading.maintenance.delist()
    assert await delisted(desk) == [("BTC", "renamed")]
    await desk.market.match()
    assert await desk.ended(id) == ("cancelled", 0, Reason.RENAMED)


async def test_a_symbol_that_is_another_tokens_now_ends_its_orders(desk: Desk) -> None:
    await desk.place(limit())
    await desk.market.match()
    await desk.stage.trading.maintenance.delist()
    for new, old in (("~", "BTC"), ("BTC", "ETH"), ("ETH", "~")):
        await desk.stage.owner.execute(RENAME, new, old)
    await desk.stage.trading.maintenance.delist()
    assert await delisted(desk) == [("BTC", "renamed")]


async def test_closed_orders_are_kept_for_seven_years_and_as_long_as_a_fill(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    cancelled = [await desk.place(limit()) for _ in range(5)]
    filled, opened = await desk.place(order()), await desk.place(limit())
    for id in cancelled:
        await desk.stage.trading.orders.cancel(desk.stage.alice, id)
    await desk.market.match()
    assert await desk.stage.trading.maintenance.delete_old_orders() == "0 orders"
    latest = await desk.stage.owner.fetchval("SELECT max(updated_at) FROM orders")
    desk.stage.clock.advance(latest - desk.stage.clock.now() + maintenance.ORDER_RETENTION + timedelta(seconds=1))
    assert await desk.stage.trading.maintenance.delete_old_orders() == "5 orders"
    left = {row["id"] for row in await desk.stage.owner.fetch("SELECT id FROM orders")}
    assert left == {filled, opened}


async def test_commands_are_kept_for_an_hour_and_until_they_are_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    for _ in range(3):
        await desk.place(limit())
    await desk.market.match()
    await desk.place(limit())
    desk.stage.clock.advance(maintenance.COMMAND_RETENTION)
    assert await desk.stage.trading.maintenance.delete_done_commands() == "1 commands"
    desk.stage.clock.advance(timedelta(seconds=1))
    assert await desk.stage.trading.maintenance.delete_done_commands() == "3 commands"
    assert [row["kind"] for row in await desk.inbox()] == ["place"]
