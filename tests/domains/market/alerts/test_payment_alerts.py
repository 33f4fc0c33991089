"""Alerts on large payments: each payment is evaluated once."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import Rearm, WhaleTransaction
from app.domains.market.alerts.services.payment_alerts import PaymentAlerts
from app.domains.market.providers.model.chain import Chain, ChainTransfer
from tests.domains.market.alerts.stage import Stage


@dataclass
class FakeChain:
    """A chain with payments of these amounts."""

    stage: Stage
    amounts: list[int] = field(default_factory=list)
    confirmed_before: timedelta = timedelta()
    source: str = "TEST_CHAIN"
    symbol: str = "BTC"

    async def transactions_after(self, seq: int, limit: int) -> list[ChainTransfer]:
        return [
            ChainTransfer(
                place, f"{place:064x}", "", "", Decimal(amount), place, self.stage.clock.now() - self.confirmed_before
            )
            for place, amount in enumerate(self.amounts, start=1)
        ][seq : seq + limit]

    async def position(self) -> int:
        return len(self.amounts)

    @property
    def payment_alerts(self) -> PaymentAlerts:
        market = self.stage.market
        return PaymentAlerts(
            self.stage.database, self.stage.clock, market.dispatcher, market.matcher, cast(Chain, self)
        )


async def test_a_large_payment_fires_once(stage: Stage, bob: Viewer) -> None:
    chain = FakeChain(stage, [1000])
    await stage.create(WhaleTransaction(Decimal(100)), rearm=Rearm.EVERY_TIME)
    await stage.create(WhaleTransaction(Decimal(500)), by=bob)
    assert await chain.payment_alerts.evaluate() == "0 payments followed, 0 alerts fired"
    chain.amounts += [99, 100, 499, 5, 500]
    assert await chain.payment_alerts.evaluate() == "5 payments followed, 4 alerts fired"
    assert await chain.payment_alerts.evaluate() == "0 payments followed, 0 alerts fired"
    assert sorted(await stage.titles()) == ["100 BTC were moved", "499 BTC were moved", "500 BTC were moved"]
    assert await stage.titles(bob) == ["500 BTC were moved"]
    # In the order in which they were confirmed.
    assert [fact["value"] for fact in await stage.facts()] == [f"{amount}.000000000000" for amount in (100, 499, 500)]


async def test_payments_while_no_alert_is_armed_are_skipped(stage: Stage) -> None:
    chain = FakeChain(stage)
    await chain.payment_alerts.evaluate()
    chain.amounts += [1000]
    await chain.payment_alerts.evaluate()
    await stage.create(WhaleTransaction(Decimal(100)))
    await chain.payment_alerts.evaluate()
    assert await stage.titles() == []
    chain.amounts += [2000]
    await chain.payment_alerts.evaluate()
    assert await stage.titles() == ["2,000 BTC were moved"]


async def test_a_payment_that_was_confirmed_before_an_alert_was_armed_does_not_fire_it(
    stage: Stage, bob: Viewer
) -> None:
    chain = FakeChain(stage, confirmed_before=timedelta(minutes=30))
    await stage.create(WhaleTransaction(Decimal(100)), by=bob)
    await chain.payment_alerts.evaluate()
    # Nobody follows for an hour; then there is much to catch up with.
    chain.amounts += [2000]
    stage.clock.advance(timedelta(hours=1))
    await stage.create(WhaleTransaction(Decimal(100)))
    assert await chain.payment_alerts.evaluate() == "1 payments followed, 1 alerts fired"
    assert (await stage.titles(), await stage.titles(bob)) == ([], ["2,000 BTC were moved"])


@pytest.mark.usefixtures("warm")
async def test_four_that_evaluate_at_once_fire_once_for_each_payment(stage: Stage) -> None:
    chain = FakeChain(stage)
    await stage.create(WhaleTransaction(Decimal(1)), rearm=Rearm.EVERY_TIME)
    await chain.payment_alerts.evaluate()
    chain.amounts += list(range(1, 1201))
    await asyncio.gather(*(chain.payment_alerts.evaluate() for _ in range(4)))
    await chain.payment_alerts.evaluate()
    assert [fact["value"] for fact in await stage.facts()] == [f"{number}.000000000000" for number in range(1, 1201)]
