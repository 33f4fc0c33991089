"""Tokens that are gone, and what has been kept long enough."""

import json
from datetime import timedelta

import pytest

from app.domains.market.services import MarketServices
from app.domains.market.tokens.model import Listing
from app.domains.trading.exchange.model import Reason
from app.domains.trading.orders.model import MarketClosed
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
    assert await trader.stage.trading.maintenance.follow_listings() == "0 tokens"
    await trader.stage.owner.execute("UPDATE tokens SET is_active = false WHERE symbol = 'BTC'")
    assert await trader.stage.trading.maintenance.follow_listings() == "1 tokens"
    assert await trader.stage.trading.maintenance.follow_listings() == "0 tokens"
    assert await delisted(trader) == [("BTC", "delisted")]
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.DELISTED)
    assert await trader.stage.trading.maintenance.follow_listings() == "0 tokens"
    assert await trader.reserved() == 0


async def test_a_token_that_was_renamed_ends_its_orders(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    await trader.stage.owner.execute(RENAME, "NEW", "BTC")
    await trader.stage.trading.maintenance.follow_listings()
    assert await delisted(trader) == [("BTC", "renamed")]
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.RENAMED)


async def test_a_symbol_that_is_another_tokens_now_ends_its_orders(trader: Trader) -> None:
    await trader.place(limit())
    await trader.market.match()
    await trader.stage.trading.maintenance.follow_listings()
    for new, old in (("~", "BTC"), ("BTC", "ETH"), ("ETH", "~")):
        await trader.stage.owner.execute(RENAME, new, old)
    await trader.stage.trading.maintenance.follow_listings()
    assert await delisted(trader) == [("BTC", "renamed")]


class Lister:
    """A provider that lists BTC and ETH with each other's symbols, and XMR no more."""

    name = "coingecko"

    async def tokens(self, _: int) -> list[Listing]:
        return [Listing("bitcoin", "ETH", "Bitcoin", 1), Listing("ethereum", "BTC", "Ethereum", 2)]


async def test_a_refresh_of_the_tokens_ends_books_in_its_transaction(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is filled at another token's price until the next run of the job."""
    tokens, owner = trader.stage.services[MarketServices].tokens, trader.stage.owner
    await owner.execute("DELETE FROM tokens WHERE symbol NOT IN ('BTC', 'ETH')")
    await owner.execute("INSERT INTO tokens (coingecko_id, symbol, name) VALUES ('monero', 'XMR', 'Monero')")
    await trader.market.tick("10", "XMR")
    await trader.market.match()
    ids = [await trader.place(limit(symbol=symbol, price="9")) for symbol in ("BTC", "XMR")]
    await trader.market.match()
    monkeypatch.setattr(tokens, "_provider", Lister())
    await tokens.refresh()
    assert sorted(await delisted(trader)) == [("BTC", "renamed"), ("XMR", "delisted")]
    await trader.market.tick("8", "BTC")
    assert await trader.market.match() == 0
    assert [await trader.ended(id) for id in ids] == [
        ("cancelled", 0, Reason.RENAMED),
        ("cancelled", 0, Reason.DELISTED),
    ]


async def test_a_token_that_is_listed_again_is_traded_again_and_without_its_old_orders(trader: Trader) -> None:
    old = await trader.place(limit())
    await trader.market.match()
    for is_active, due in ((False, "1 tokens"), (True, "1 tokens")):
        await trader.stage.owner.execute("UPDATE tokens SET is_active = $1 WHERE symbol = 'BTC'", is_active)
        assert await trader.stage.trading.maintenance.follow_listings() == due
        assert await trader.stage.trading.maintenance.follow_listings() == "0 tokens"
        await trader.market.match()
    assert isinstance(await trader.refused(order()), MarketClosed)
    await trader.market.tick("50")
    await trader.market.match()
    new = await trader.place(order())
    await trader.market.match()
    assert (await trader.ended(new))[0] == "filled"
    assert await trader.ended(old) == ("cancelled", 0, Reason.DELISTED)
    # As it is stored, too.
    await trader.stage.trading.matcher.lead()
    again = await trader.place(order())
    await trader.market.match()
    # What is left of the house's best price, and the next.
    assert (await trader.ended(again))[0] == "filled"
    await trader.market.check()


async def test_a_symbol_that_another_token_took_over_begins_anew(trader: Trader) -> None:
    old = await trader.place(limit())
    await trader.market.match()
    await trader.stage.trading.maintenance.follow_listings()
    for new, taken in (("~", "BTC"), ("BTC", "ETH"), ("ETH", "~")):
        await trader.stage.owner.execute(RENAME, new, taken)
    for _ in range(2):
        assert await trader.stage.trading.maintenance.follow_listings() == "1 tokens"
        await trader.market.match()
    assert await trader.stage.trading.maintenance.follow_listings() == "0 tokens"
    assert await trader.ended(old) == ("cancelled", 0, Reason.RENAMED)
    row = await trader.stage.owner.fetchrow(
        "SELECT b.token_id = t.id, b.is_delisted, b.price_usd FROM exchange_books b JOIN tokens t USING (symbol)"
        " WHERE b.symbol = 'BTC'"
    )
    assert row is not None
    assert tuple(row) == (True, False, None)
    await trader.market.tick("10")
    await trader.market.match()
    placed = await trader.place(order())
    await trader.market.match()
    assert (await trader.ended(placed))[0] == "filled"


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
