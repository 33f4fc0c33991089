"""Paying play money into portfolios and out of them."""

import asyncio
from decimal import Decimal

import pytest

from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import (
    InsufficientCash,
)
from app.kit.errors import InvalidInput
from tests.domains.trading.stage import Stage

DEFAULTS = "SELECT id FROM portfolios WHERE user_id = $1 AND is_default"
USD = Currency.USD


async def test_play_money_is_paid_in_and_out(stage: Stage) -> None:
    id = await stage.create()
    portfolios = stage.trading.portfolios
    await portfolios.deposit(stage.alice, id, Decimal("0.00000001"), USD, stage.key)
    await portfolios.withdraw(stage.alice, id, Decimal("10000.00000001"), USD, stage.key)
    assert await stage.cash(id) == (0, 0, 0)
    assert await stage.kinds(id) == ["opening", "deposit", "withdrawal"]
    assert await stage.findings() == []


@pytest.mark.parametrize(
    "amount", ["0", "-1", "1000000000.00000001", "1e30", "0.000000001", "1.123456789", "NaN", "Infinity", "-Infinity"]
)
async def test_of_a_bad_amount_nothing_moves(stage: Stage, amount: str) -> None:
    id = await stage.create()
    portfolios = stage.trading.portfolios
    for move in (portfolios.deposit, portfolios.withdraw):
        with pytest.raises(InvalidInput) as refused:
            await move(stage.alice, id, Decimal(amount), USD, stage.key)
        assert refused.value.path == ("amount",)
    with pytest.raises(InvalidInput) as refused:
        await stage.create(initial_balance=Decimal(amount) if amount != "0" else Decimal(-1))
    assert refused.value.path == ("initial_balance",)
    assert await stage.kinds(id) == ["opening"]
    assert await stage.owner.fetchval("SELECT count(*) FROM portfolios") == 1


async def test_what_is_reserved_is_not_paid_out(stage: Stage) -> None:
    id = await stage.create()
    await stage.owner.execute("UPDATE cash_balances SET reserved = 9999.5")
    with pytest.raises(InsufficientCash) as refused:
        await stage.trading.portfolios.withdraw(stage.alice, id, Decimal("0.50000001"), USD, stage.key)
    assert (refused.value.available, refused.value.currency) == (Decimal("0.5"), "USD")
    await stage.trading.portfolios.withdraw(stage.alice, id, Decimal("0.5"), USD, stage.key)
    assert await stage.cash(id) == (Decimal("9999.5"), Decimal("9999.5"), Decimal("9999.5"))


@pytest.mark.usefixtures("warm")
async def test_of_many_that_take_everything_one_does(stage: Stage) -> None:
    id = await stage.create()

    async def take(number: int) -> bool:
        try:
            await stage.trading.portfolios.withdraw(stage.alice, id, Decimal(10_000), USD, f"all {number}")
        except InsufficientCash:
            return False
        return True

    assert sum(await asyncio.gather(*map(take, range(40)))) == 1
    assert await stage.cash(id) == (0, 0, 0)


async def test_paying_in_has_an_end(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(1_000_000_000))
    await stage.owner.execute("ALTER TABLE journal_lines DISABLE TRIGGER ALL")
    await stage.owner.execute("UPDATE cash_balances SET balance = 99999999999.99999999")
    with pytest.raises(InvalidInput, match="at most"):
        await stage.trading.portfolios.deposit(stage.alice, id, Decimal("0.00000002"), USD, stage.key)


async def test_the_currency_has_to_be_that_of_the_portfolio(stage: Stage) -> None:
    id = await stage.create(currency=Currency.AUD)
    for move in (stage.trading.portfolios.deposit, stage.trading.portfolios.withdraw):
        with pytest.raises(InvalidInput) as refused:
            await move(stage.alice, id, Decimal(1), USD, stage.key)
        assert refused.value.path == ("currency",)
    assert await stage.cash(id) == (10_000, 0, 10_000)
