"""Who matches, in which order, and what happens when a batch cannot be stored."""

from collections import Counter
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from app.domains.market.prices.model import Move
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.matching.model import PlaceOrder, Prices, Replace
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.matching.services import matcher as matcher_module
from app.domains.trading.matching.services import storing
from app.domains.trading.matching.services.matcher import (
    ATTEMPTS,
    MOST_PASSED_OVER,
    Matcher,
    MatchingStalled,
)
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.orders.model import NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from app.domains.trading.services import TradingServices
from app.kit.db import SYSTEM
from app.kit.errors import Repeatable
from app.kit.leadership import LeadershipLost
from tests.databases import Owner
from tests.domains.trading.matching.market import Market
from tests.domains.trading.stage import Stage

pytestmark = pytest.mark.asyncio


def another(trading: TradingServices) -> Matcher:
    """The matcher of another process."""
    one = trading.matcher
    parts = (one._database, one._clock, one._events, one._finish_closing, one._settle_bots)
    return Matcher(*parts, one._publish, quote_age_ms=one._quote_age_ms)


async def test_a_new_leader_ends_what_the_old_one_can_store(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    newer = another(stage.trading)
    await newer.lead()
    order = await market.place(portfolio, Side.BUY, "1")
    with pytest.raises(LeadershipLost):
        await stage.trading.matcher.match()
    assert (await market.status(order))[0] == "pending"
    assert (await newer.match()).commands == 1
    assert (await market.status(order))[0] == "filled"
    await market.check()


async def test_a_new_leader_goes_on_from_what_is_stored(stage: Stage, market: Market) -> None:
    alice, bob = await stage.create(), await stage.create(stage.bob)
    await market.place(bob, Side.BUY, "3")
    await market.match()
    resting = await market.place(bob, Side.SELL, "2", type="limit", price="99.99")
    second = await market.place(bob, Side.SELL, "1", type="limit", price="99.99")
    stop = await market.place(alice, Side.BUY, "1", type="stop", stop_price="120", protection_price="126")
    entry, take_profit, stop_loss = await market.bracket(alice, "1", "130", "80", type="limit", price="99")
    await market.match()
    newer = another(stage.trading)
    await newer.lead()
    purchase = await market.place(alice, Side.BUY, "2.5")
    assert (await newer.match()).commands == 1
    assert [fill["counter_order_id"] for fill in await market.fills(purchase)] == [resting, second]
    await market.tick("98")
    await market.tick("121")
    await newer.match()
    assert (await market.status(entry))[0] == "filled"
    assert (await market.status(stop))[0] == "filled"
    assert (await market.order(take_profit))["priority"] is not None
    await market.tick("79")
    await newer.match()
    assert (await market.status(stop_loss))[0] == "filled"
    await market.check()


async def test_what_commits_late_is_not_passed_over(stage: Stage, market: Market, owner: Owner) -> None:
    portfolio = await stage.create()
    late = await market.place(portfolio, Side.BUY, "1", type="limit", price="90")
    [id] = await owner.fetch("DELETE FROM exchange_inbox WHERE number IS NULL RETURNING id")
    early = await market.place(portfolio, Side.BUY, "1", type="limit", price="91")
    await market.match()
    assert (await market.order(early))["priority"] is not None
    # Its row is older, and is seen only now.
    await owner.execute(
        "INSERT INTO exchange_inbox (id, kind, order_id, symbol, created_at) OVERRIDING SYSTEM VALUE"
        " VALUES ($1, 'place', $2, 'BTC', $3)",
        id[0],
        late,
        stage.clock.now(),
    )
    await market.match()
    assert (await market.order(late))["priority"] is not None
    numbers = await owner.fetch("SELECT number FROM exchange_inbox ORDER BY number")
    assert [row[0] for row in numbers] == list(range(1, len(numbers) + 1))


async def test_a_batch_that_cannot_be_stored_changes_no_book(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    order = await market.place(portfolio, Side.BUY, "1")
    store, failures = storing.store_fills, [1]

    async def fails_once(*args: Any) -> None:
        if failures:
            failures.pop()
            raise asyncpg.DataError("no such number")
        await store(*args)

    monkeypatch.setattr(matcher_module, "store_fills", fails_once)
    assert (await stage.trading.matcher.match()).commands == 0
    assert (await market.status(order))[0] == "pending"
    assert (await stage.trading.matcher.match()).commands == 1
    assert (await market.status(order))[:2] == ("filled", Decimal(1))
    await market.check()


async def test_a_batch_that_meets_others_in_the_database_is_no_failed_one(
    stage: Stage, market: Market, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    order = await market.place(portfolio, Side.BUY, "1")
    store, deadlocks = storing.store_fills, [1] * (ATTEMPTS + 1)

    async def meets_others(*args: Any) -> None:
        if deadlocks:
            deadlocks.pop()
            raise Repeatable
        await store(*args)

    monkeypatch.setattr(matcher_module, "store_fills", meets_others)
    for _ in range(ATTEMPTS + 1):
        assert (await stage.trading.matcher.match()).commands == 0
    assert (await stage.trading.matcher.match()).commands == 1
    assert (await market.status(order))[:2] == ("filled", Decimal(1))
    assert await owner.fetchval("SELECT count(*) FROM exchange_inbox WHERE failure IS NOT NULL") == 0
    await market.check()


async def test_a_command_that_never_can_be_matched_is_passed_over(
    stage: Stage, market: Market, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    apply, poisoned = Venue.apply, list[Any]()

    def fails(venue: Venue, command: Any, at: int) -> Any:
        if getattr(getattr(command, "order", None), "id", None) in poisoned:
            raise ZeroDivisionError
        return apply(venue, command, at)

    monkeypatch.setattr(Venue, "apply", fails)
    before = await market.place(portfolio, Side.BUY, "1")
    poisoned.append(await market.place(portfolio, Side.BUY, "2"))
    after = await market.place(portfolio, Side.BUY, "3")
    for _ in range(8):
        await stage.trading.matcher.match()
    assert await market.status(poisoned[0]) == ("rejected", Decimal(0), "invalid")
    assert [(await market.status(each))[0] for each in (before, after)] == ["filled", "filled"]
    failed = await owner.fetch("SELECT order_id FROM exchange_inbox WHERE failure IS NOT NULL")
    assert [row[0] for row in failed] == poisoned
    await market.check()


async def test_a_bracket_that_is_passed_over_is_rejected_whole(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio, apply = await stage.create(), Venue.apply

    def fails(venue: Venue, command: Any, at: int) -> Any:
        if isinstance(command, PlaceOrder):
            raise ZeroDivisionError
        return apply(venue, command, at)

    monkeypatch.setattr(Venue, "apply", fails)
    orders = await market.bracket(portfolio, "1", "110", "90", type="limit", price="98")
    for _ in range(ATTEMPTS + 1):
        await stage.trading.matcher.match()
    assert [await market.status(each) for each in orders] == [("rejected", Decimal(0), "invalid")] * 3
    await market.check()


async def test_a_change_that_is_passed_over_releases_what_was_reserved_for_it(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, apply = await stage.create(), Venue.apply
    order = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(90))
    placed = await stage.trading.orders.place(stage.alice, id, order, stage.key)
    await market.match()
    before = await stage.cash(id)
    await stage.trading.orders.replace(stage.alice, placed, OrderChanges(quantity=Decimal(2)), stage.key)
    assert (await stage.cash(id))[1] > before[1]

    def fails(venue: Venue, command: Any, at: int) -> Any:
        if isinstance(command, Replace):
            raise ZeroDivisionError
        return apply(venue, command, at)

    monkeypatch.setattr(Venue, "apply", fails)
    for _ in range(ATTEMPTS + 1):
        await stage.trading.matcher.match()
    assert await stage.cash(id) == before
    assert (await market.status(placed))[0] == "pending"
    await market.check()


async def test_an_end_that_is_passed_over_is_asked_for_again(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, matcher, maintenance = await stage.create(), stage.trading.matcher, stage.trading.maintenance
    await stage.create()
    await market.place(id, Side.BUY, "1", type="limit", price="90")
    await market.match()

    async def fails(*_: Any) -> list[Any]:
        raise ZeroDivisionError

    await stage.trading.portfolios.delete(stage.alice, id)
    assert await maintenance.close_again() == "0 portfolios"
    with monkeypatch.context() as patch:
        patch.setattr(matcher, "_finish_closing", fails)
        for _ in range(ATTEMPTS + 3):
            await matcher.match()
    assert await stage.owner.fetchval("SELECT status FROM portfolios WHERE id = $1", id) == "deleting"
    assert await maintenance.close_again() == "1 portfolios"
    assert await maintenance.close_again() == "0 portfolios"
    await market.match()
    assert await stage.owner.fetchval("SELECT status FROM portfolios WHERE id = $1", id) == "deleted"
    assert await stage.findings() == []


async def match_on(matcher: Matcher) -> None:
    for _ in range(100):
        await matcher.match()


async def test_what_fails_for_everybody_rejects_few_orders(
    stage: Stage, market: Market, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio, store = await stage.create(), storing.store_fills
    orders = [await market.place(portfolio, Side.BUY, "0.1") for _ in range(MOST_PASSED_OVER + 5)]

    async def fails(_: Any, fills: Any) -> None:
        if fills:
            raise asyncpg.UndefinedTableError("no such partition")

    monkeypatch.setattr(matcher_module, "store_fills", fails)
    for _ in range(2):
        with pytest.raises(MatchingStalled):
            await match_on(stage.trading.matcher)
        await stage.trading.matcher.lead()
    monkeypatch.setattr(matcher_module, "store_fills", store)
    await market.match()
    ended = Counter([(await market.status(each))[0] for each in orders])
    assert ended == {"rejected": MOST_PASSED_OVER, "filled": 5}
    await market.check()


async def test_a_token_whose_price_cannot_be_matched_keeps_no_other_waiting(
    stage: Stage, market: Market, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the tick lost for them, or matched twice."""
    apply, symbols = Venue.apply, ["BTC", "ETH", "USDT", "DOGE", "SOL"]
    matched = list[str]()

    def fails(venue: Venue, command: Any, at: int) -> Any:
        if isinstance(command, Prices):
            if "DOGE" in command.prices:
                raise ZeroDivisionError
            matched.extend(command.prices)
        return apply(venue, command, at)

    async def tick(usd: str, aud: str) -> None:
        await stage.quote(dict.fromkeys(symbols, (usd, aud)))
        moves = [Move(symbol, None, Decimal(usd)) for symbol in symbols]
        await stage.database.write(SYSTEM, lambda tx: PriceNotes(stage.clock).note(tx, "simulated", moves))

    portfolio = await stage.create()
    await tick("100", "150")
    stop = await market.place(portfolio, Side.BUY, "1", type="stop", stop_price="105", protection_price="110")
    await market.match()
    monkeypatch.setattr(Venue, "apply", fails)
    await tick("106", "159")
    after = await market.place(portfolio, Side.BUY, "1", protection_price="110")
    while await owner.fetchval("SELECT count(*) FROM exchange_inbox WHERE number IS NULL"):
        await stage.trading.matcher.match()
    assert sorted(matched) == sorted(set(symbols) - {"DOGE"})
    assert [(await market.status(each))[0] for each in (stop, after)] == ["filled", "filled"]
    failed = await owner.fetch("SELECT kind FROM exchange_inbox WHERE failure IS NOT NULL")
    assert [row[0] for row in failed] == ["prices"]
    # The next tick does not look for the token again: the others, the token that fails, and what is passed over.
    matched.clear()
    await tick("107", "160.5")
    for _ in range(3):
        await stage.trading.matcher.match()
    assert sorted(matched) == sorted(set(symbols) - {"DOGE"})
    assert await owner.fetchval("SELECT count(*) FROM exchange_inbox WHERE failure IS NOT NULL") == 2
    assert not await stage.trading.matcher.is_due()
    # Once it can be matched again, nothing is matched apart.
    monkeypatch.setattr(Venue, "apply", apply)
    for usd, aud, batches in (("108", "162", 2), ("109", "163.5", 1)):
        await tick(usd, aud)
        for _ in range(batches):
            assert (await stage.trading.matcher.match()).commands == 1
        assert not await stage.trading.matcher.is_due()
    await market.check()


@pytest.mark.parametrize(
    "command",
    [
        '(\'prices\', NULL, NULL, \'{"BTC": {"usd": "no number"}}\')',
        "('cancel', 'BTC', NULL, '{\"reason\": \"no reason\"}')",
        "('replace', 'BTC', NULL, '{}')",
        "('close', NULL, '{portfolio}', '{}')",
    ],
)
async def test_what_cannot_even_be_read_is_passed_over(
    stage: Stage, market: Market, owner: Owner, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = await stage.create()
    resting = await market.place(portfolio, Side.BUY, "1", type="limit", price="90")
    await market.match()

    async def cannot_end(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(stage.trading.matcher, "_finish_closing", cannot_end)
    values = command.replace("{portfolio}", str(portfolio))
    order = f"'{resting}'" if "cancel" in command or "replace" in command else "NULL"
    await owner.execute(
        f"INSERT INTO exchange_inbox (kind, symbol, portfolio_id, payload, order_id) VALUES {values[:-1]}, {order})"
    )
    after = await market.place(portfolio, Side.BUY, "1")
    for _ in range(8):
        await stage.trading.matcher.match()
    assert (await market.status(after))[0] == "filled"
    assert (await market.status(resting))[0] == "pending"
    assert await owner.fetchval("SELECT count(*) FROM exchange_inbox WHERE failure IS NOT NULL") == 1
    await market.check()
