"""Tokens that are gone, and what has been kept long enough."""

import json
from datetime import timedelta

import pytest

from app.domains.trading.exchange.model import Reason
from app.domains.trading.orders.services import maintenance
from tests.domains.trading.orders.trader import Trader, limit, order

RENAME = "UPDATE tokens SET symbol = $1 WHERE symbol = $2"


async def delisted(trader: Trader) -> list[tuple[str, str]]:
    return [
        (row["symbol"], json.loads(row["payload"])["reason"]) for row in await trader.inbox() if row["kind"] == "delist"
    ]


async def test_a_token_that_is_no_longer_listed_ends_its_orders(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    assert await trader.stage.trading.maintenance.delist() == "0 tokens"
    await trader.stage.owner.execute("UPDATE tokens SET is_active = false WHERE symbol = 'BTC'")
    assert await trader.stage.trading.maintenance.delist() == "1 tokens"
    assert await trader.stage.trading.maintenance.delist() == "0 tokens"
    assert await delisted(trader) == [("BTC", "delisted")]
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.DELISTED)
    assert await trader.stage.trading.maintenance.delist() == "0 tokens"
    assert await trader.reserved() == 0


async def test_a_token_that_was_renamed_ends_its_orders(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    await trader.stage.owner.execute(RENAME, "NEW", "BTC")
    await trader.stage.trading.maintenance.delist()
    assert await delisted(trader) == [("BTC", "renamed")]
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.RENAMED)


async def test_a_symbol_that_is_another_tokens_now_ends_its_orders(trader: Trader) -> None:
    await trader.place(limit())
    await trader.market.match()
    await trader.stage.trading.maintenance.delist()
    for new, old in (("~", "BTC"), ("BTC", "ETH"), ("ETH", "~")):
        await trader.stage.owner.execute(RENAME, new, old)
    await trader.stage.trading.maintenance.delist()
    assert await delisted(trader) == [("BTC", "renamed")]


async def test_closed_orders_are_kept_for_seven_years_and_as_long_as_a_fill(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    cancelled = [await trader.place(limit()) for _ in range(5)]
    filled, opened = await trader.place(order()), await trader.place(limit())
    for id in cancelled:
        await trader.stage.trading.orders.cancel(trader.stage.alice, id)
    await trader.market.match()
    assert await trader.stage.trading.maintenance.delete_old_orders() == "0 orders"
    latest = await trader.stage.owner.fetchval("SELECT max(updated_at) FROM orders")
    trader.stage.clock.advance(latest - trader.stage.clock.now() + maintenance.ORDER_RETENTION + timedelta(seconds=1))
    assert await trader.stage.trading.maintenance.delete_old_orders() == "5 orders"
    left = {row["id"] for row in await trader.stage.owner.fetch("SELECT id FROM orders")}
    assert left == {filled, opened}


async def test_commands_are_kept_for_an_hour_and_until_they_are_done(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    for _ in range(3):
        await trader.place(limit())
    await trader.market.match()
    await trader.place(limit())
    trader.stage.clock.advance(maintenance.COMMAND_RETENTION)
    assert await trader.stage.trading.maintenance.delete_done_commands() == "1 commands"
    trader.stage.clock.advance(timedelta(seconds=1))
    assert await trader.stage.trading.maintenance.delete_done_commands() == "3 commands"
    assert [row["kind"] for row in await trader.inbox()] == ["place"]
