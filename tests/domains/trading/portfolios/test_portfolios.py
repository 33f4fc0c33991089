"""Portfolios: limits, defaults, play money, resets and deletions, alone and all at once."""

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import (
    LastPortfolio,
    LiveTradingUnavailable,
    Mode,
    NewPortfolio,
    PaperPortfolioRequired,
    PortfolioChanges,
    PortfolioLimitReached,
    PortfolioNotOpen,
)
from app.domains.trading.quantities.model import Side
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.trading.stage import Stage

DEFAULTS = "SELECT id FROM portfolios WHERE user_id = $1 AND is_default"
USD = Currency.USD


async def test_a_portfolio_begins_with_its_opening(stage: Stage) -> None:
    first, second = await stage.create(), await stage.create(name=" Growth ", currency=Currency.AUD)
    empty = await stage.create(initial_balance=Decimal(0))
    assert await stage.cash(first) == (10_000, 0, 10_000)
    assert await stage.cash(empty) == (0, 0, 0)
    assert [await stage.kinds(id) for id in (first, empty)] == [["opening"], []]
    shown = [await stage.portfolio(id) for id in (first, second)]
    assert [(each.name, each.is_default, each.life, each.status) for each in shown if each] == [
        ("Default Portfolio", True, 1, "open"),
        ("Growth", False, 1, "open"),
    ]
    lines = await stage.owner.fetch(
        "SELECT account, asset, amount FROM journal_lines WHERE portfolio_id = $1 ORDER BY line_no", second
    )
    assert [tuple(line) for line in lines] == [("cash", "AUD", 10_000), ("external", "AUD", -10_000)]
    assert await stage.findings() == []


@pytest.mark.usefixtures("warm")
async def test_of_many_at_once_no_more_than_the_limit_are_made(stage: Stage) -> None:
    portfolios = stage.limited(3)

    async def create(number: int) -> object:
        try:
            return await portfolios.create(stage.alice, NewPortfolio(), f"at once {number}")
        except PortfolioLimitReached as refused:
            return refused.limit

    made = await asyncio.gather(*map(create, range(12)))
    assert sum(isinstance(each, UUID) for each in made) == 3
    assert {each for each in made if isinstance(each, int)} == {3}
    assert len(await stage.owner.fetch(DEFAULTS, stage.alice.user_id)) == 1
    assert await stage.owner.fetchval("SELECT count(*) FROM portfolios") == 3
    # Another user's do not count.
    await portfolios.create(stage.bob, NewPortfolio(), "of bob")


async def test_live_portfolios_need_a_venue(stage: Stage) -> None:
    with pytest.raises(LiveTradingUnavailable):
        await stage.create(mode=Mode.LIVE)
    assert await stage.owner.fetchval("SELECT count(*) FROM portfolios") == 0


@pytest.mark.usefixtures("warm")
async def test_fifty_that_set_the_default_at_once_leave_one(stage: Stage) -> None:
    ids = [await stage.create() for _ in range(10)]

    async def choose(id: UUID) -> None:
        await stage.trading.portfolios.update(stage.alice, id, PortfolioChanges(default=True))

    await asyncio.gather(*map(choose, ids * 5))
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] in ids


@pytest.mark.usefixtures("warm")
async def test_defaults_are_set_while_others_are_deleted(stage: Stage) -> None:
    ids = [await stage.create() for _ in range(8)]
    portfolios = stage.trading.portfolios

    async def choose(id: UUID) -> None:
        try:
            await portfolios.update(stage.alice, id, PortfolioChanges(default=True))
        except NotFound:
            return

    await asyncio.gather(*map(choose, ids), *(portfolios.delete(stage.alice, id) for id in ids[:6]))
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] in ids[6:]
    await portfolios.delete(stage.alice, default["id"])
    [last] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert last["id"] in set(ids[6:]) - {default["id"]}
    assert await stage.findings() == []


@pytest.mark.usefixtures("warm")
async def test_of_all_that_are_deleted_at_once_one_survives(stage: Stage) -> None:
    for _ in range(5):
        await stage.create()
        await stage.create()
        ids = await stage.owned()

        async def delete(id: UUID) -> bool:
            try:
                await stage.trading.portfolios.delete(stage.alice, id)
            except LastPortfolio:
                return False
            return True

        deleted = await asyncio.gather(*map(delete, ids))
        assert sorted(deleted) == [False, *[True] * (len(ids) - 1)]
        assert await stage.owned() == [ids[deleted.index(False)]]
        assert len(await stage.owner.fetch(DEFAULTS, stage.alice.user_id)) == 1
    assert await stage.findings() == []


async def test_what_is_being_deleted_is_no_other_portfolio(stage: Stage) -> None:
    first, second, third = [await stage.create() for _ in range(3)]
    portfolios = stage.trading.portfolios
    await stage.owner.execute("UPDATE portfolios SET status = 'deleting' WHERE id = $1", second)
    await portfolios.delete(stage.alice, first)
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] == third
    with pytest.raises(LastPortfolio):
        await portfolios.delete(stage.alice, third)
    # What is being reset stays.
    await stage.owner.execute("UPDATE portfolios SET status = 'resetting' WHERE id = $1", second)
    await portfolios.delete(stage.alice, third)
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] == second


async def test_the_oldest_becomes_the_default_of_a_deleted_one(stage: Stage) -> None:
    ids = [await stage.create() for _ in range(3)]
    await stage.trading.portfolios.delete(stage.alice, ids[0])
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] == ids[1]


async def test_only_another_can_replace_the_default(stage: Stage) -> None:
    id = await stage.create()
    with pytest.raises(InvalidInput) as refused:
        await stage.trading.portfolios.update(stage.alice, id, PortfolioChanges(name=" ", default=False))
    assert [field.path for field in refused.value.fields] == [("name",), ("default",)]
    [default] = await stage.owner.fetch(DEFAULTS, stage.alice.user_id)
    assert default["id"] == id


async def test_the_portfolio_of_another_is_none(stage: Stage) -> None:
    id = await stage.create()
    portfolios = stage.trading.portfolios
    for strange in (id, uuid4()):
        for attempt in (
            portfolios.deposit(stage.bob, strange, Decimal(1), USD, stage.key),
            portfolios.withdraw(stage.bob, strange, Decimal(1), USD, stage.key),
            portfolios.reset(stage.bob, strange, stage.key),
            portfolios.delete(stage.bob, strange),
            portfolios.update(stage.bob, strange, PortfolioChanges(name="Mine", default=True)),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await stage.portfolio(id, stage.bob) is None
    shown = await stage.portfolio(id)
    assert shown is not None
    assert shown.name == "Default Portfolio"
    assert await stage.kinds(id) == ["opening"]


@pytest.mark.parametrize("status", ["resetting", "deleting"])
async def test_nothing_is_done_with_a_portfolio_that_waits_for_its_orders(stage: Stage, status: str) -> None:
    id = await stage.create()
    await stage.owner.execute("UPDATE portfolios SET status = $1", status)
    portfolios = stage.trading.portfolios
    for attempt in (
        portfolios.deposit(stage.alice, id, Decimal(1), USD, stage.key),
        portfolios.withdraw(stage.alice, id, Decimal(1), USD, stage.key),
        portfolios.reset(stage.alice, id, stage.key),
        portfolios.delete(stage.alice, id),
        portfolios.update(stage.alice, id, PortfolioChanges(name="Mine")),
    ):
        with pytest.raises(PortfolioNotOpen):
            await attempt
    assert await stage.kinds(id) == ["opening"]


async def test_real_money_is_not_paid_in_out_or_reset(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(0))
    await stage.owner.execute("UPDATE portfolios SET mode = 'live'")
    portfolios = stage.trading.portfolios
    for attempt in (
        portfolios.deposit(stage.alice, id, Decimal(1), USD, stage.key),
        portfolios.withdraw(stage.alice, id, Decimal(1), USD, stage.key),
        portfolios.reset(stage.alice, id, stage.key),
    ):
        with pytest.raises(PaperPortfolioRequired):
            await attempt
    assert await stage.kinds(id) == []


async def test_a_reset_begins_the_next_life_and_keeps_the_journal(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(500))
    await stage.trading.portfolios.deposit(stage.alice, id, Decimal(100), USD, stage.key)
    await stage.fill(id, Side.BUY, "2", "100", "1")
    posted = await stage.trading.portfolios.reset(stage.alice, id, stage.key)
    assert len(posted.entries) == 2
    assert await stage.cash(id) == (500, 0, 500)
    assert await stage.position(id) is None
    assert await stage.kinds(id) == ["opening", "deposit", "fill", "reset", "opening"]
    lives = await stage.owner.fetch("SELECT life FROM journal_entries WHERE portfolio_id = $1 ORDER BY id", id)
    assert [row[0] for row in lives] == [1, 1, 1, 1, 2]
    lines = await stage.owner.fetch(
        "SELECT account, asset, amount FROM journal_lines WHERE entry_id = $1 ORDER BY line_no", posted.entries[0]
    )
    assert [tuple(line) for line in lines] == [
        ("cash", "USD", -399),
        ("external", "USD", 399),
        ("position", "BTC", -2),
        ("house", "BTC", 2),
    ]
    # The next life begins as the first did, and its lots are its own.
    await stage.fill(id, Side.BUY, "1", "100")
    await stage.fill(id, Side.SELL, "1", "110")
    assert await stage.position(id) == (0, 0, 10)
    assert await stage.findings() == []


async def test_a_life_in_which_everything_was_lost_ends_as_well(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(100))
    await stage.fill(id, Side.BUY, "1", "100")
    await stage.fill(id, Side.SELL, "1", "0.000000001")
    assert await stage.cash(id) == (0, 0, 100)
    await stage.trading.portfolios.reset(stage.alice, id, stage.key)
    assert await stage.cash(id) == (100, 0, 100)
    assert await stage.kinds(id) == ["opening", "fill", "fill", "reset", "opening"]
    assert await stage.findings() == []


async def test_a_deleted_portfolio_is_nobodys_and_its_journal_stays(stage: Stage) -> None:
    id, _ = await stage.create(name="Alice's own"), await stage.create()
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.trading.portfolios.delete(stage.alice, id)
    assert await stage.portfolio(id) is None
    found = await stage.owner.fetchrow("SELECT user_id, name, status, is_default FROM portfolios WHERE id = $1", id)
    assert found is not None
    assert tuple(found) == (None, "Deleted", "deleted", False)
    assert await stage.kinds(id) == ["opening", "fill", "closing"]
    assert await stage.cash(id) == (0, 0, 0)
    for table in ("cash_balances", "positions", "lots", "disposals", "journal_entries", "journal_lines"):
        columns = "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'user_id'"
        assert await stage.owner.fetch(columns, table) == []
    with pytest.raises(NotFound):
        await stage.trading.portfolios.delete(stage.alice, id)
    assert await stage.findings() == []


async def test_portfolios_survive_their_user(stage: Stage) -> None:
    id = await stage.create(name="Alice's own")
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.owner.execute("DELETE FROM users WHERE id = $1", stage.alice.user_id)
    found = await stage.owner.fetchrow("SELECT user_id, name, status, deleted_at IS NULL FROM portfolios")
    assert found is not None
    assert tuple(found) == (None, "Deleted", "deleted", False)
    assert await stage.kinds(id) == ["opening", "fill"]
    assert await stage.findings() == []


@pytest.mark.usefixtures("warm")
async def test_a_key_moves_once_and_another_request_under_it_is_refused(stage: Stage) -> None:
    id, other = await stage.create(), await stage.create()
    portfolios = stage.trading.portfolios
    made = await asyncio.gather(
        *(portfolios.deposit(stage.alice, id, Decimal(amount), USD, "once") for amount in ["5", "5.00", "5.0"] * 34)
    )
    assert len({each.entries[0] for each in made}) == 1
    assert await stage.cash(id) == (10_005, 0, 10_005)
    for attempt in (
        portfolios.deposit(stage.alice, id, Decimal(6), USD, "once"),
        portfolios.deposit(stage.alice, other, Decimal(5), USD, "once"),
        portfolios.withdraw(stage.alice, id, Decimal(5), USD, "once"),
        portfolios.reset(stage.alice, id, "once"),
    ):
        with pytest.raises(IdempotencyKeyReused):
            await attempt
    await portfolios.delete(stage.alice, id)
    with pytest.raises(ResultDeleted):
        await portfolios.deposit(stage.alice, id, Decimal(5), USD, "once")


async def test_changes_of_a_portfolio_are_audited_in_the_name_of_its_user(stage: Stage) -> None:
    id = await stage.create(name="First")
    await stage.trading.portfolios.update(stage.alice, id, PortfolioChanges(name="Second"))
    rows = await stage.owner.fetch(
        "SELECT user_id, action, details #>> '{new,name}' AS name FROM audit_logs"
        " WHERE resource_type = 'portfolios' AND resource_id = $1 ORDER BY seq",
        str(id),
    )
    assert [tuple(row) for row in rows] == [
        (stage.alice.user_id, "insert", "First"),
        (stage.alice.user_id, "update", "Second"),
    ]


@pytest.mark.usefixtures("warm")
async def test_resets_and_payments_at_once_leave_true_books(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(100))
    portfolios = stage.trading.portfolios
    for round in range(3):
        await asyncio.gather(
            *(portfolios.reset(stage.alice, id, f"reset {round} {number}") for number in range(6)),
            *(portfolios.deposit(stage.alice, id, Decimal(1), USD, f"pay {round} {number}") for number in range(12)),
        )
    assert await stage.findings() == []
    kinds = await stage.kinds(id)
    assert [kinds.count(kind) for kind in ("opening", "reset", "deposit")] == [19, 18, 36]
    shown = await stage.portfolio(id)
    assert shown is not None
    assert shown.life == 19
