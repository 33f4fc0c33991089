"""Owners make, change and delete their alerts while prices cross them."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import AlertChanges, Rearm
from app.domains.market.prices.model import Move
from app.kit.errors import NotFound
from tests.domains.market.alerts.stage import Stage, above, below

TICKS = 150
SYMBOLS = ("BTC", "ETH", "SOL")


@pytest.mark.usefixtures("warm")
async def test_alerts_that_are_made_changed_and_deleted_amid_ticks(stage: Stage, bob: Viewer) -> None:
    chance = random.Random(5)
    # These are not changed by the others.
    steady = {
        (await stage.create(condition(str(price)), symbol=symbol, by=by, rearm=Rearm.EVERY_TIME)).id: (
            symbol,
            kind,
            price,
        )
        for symbol in SYMBOLS
        for by in (stage.alice, bob)
        for kind, condition in (("above", above), ("below", below))
        for price in (3, 5, 7)
    }
    expected = dict.fromkeys(steady, 0)
    done = asyncio.Event()

    async def tick() -> None:
        prices = dict.fromkeys(SYMBOLS, 1)
        for _ in range(TICKS):
            after = {symbol: chance.randint(1, 9) for symbol in SYMBOLS}
            stage.clock.advance(timedelta(seconds=1))
            await stage.move(*(Move(s, Decimal(prices[s]), Decimal(after[s])) for s in SYMBOLS))
            for id, (symbol, kind, price) in steady.items():
                one, other = prices[symbol], after[symbol]
                expected[id] += (one < price <= other) if kind == "above" else (other <= price < one)
            prices = after
        done.set()

    async def meddle(by: Viewer, seed: int) -> None:
        own = random.Random(seed)
        mine: list[UUID] = []
        while not done.is_set():
            with suppress(NotFound):
                match own.randint(0, 3):
                    case 0 | 1:
                        made = await stage.create(
                            own.choice((above, below))(str(own.randint(1, 9))),
                            symbol=own.choice(SYMBOLS),
                            by=by,
                            rearm=own.choice((Rearm.ONCE, Rearm.EVERY_TIME)),
                        )
                        mine.append(made.id)
                    case 2 if mine:
                        await stage.market.alerts.update(by, own.choice(mine), AlertChanges(enabled=own.random() < 0.8))
                    case 3 if mine:
                        await stage.market.alerts.delete(by, mine.pop(own.randrange(len(mine))))
                    case _:
                        await asyncio.sleep(0)

    await asyncio.gather(tick(), *(meddle(by, seed) for seed in range(3) for by in (stage.alice, bob)))
    notified = await stage.owner.fetch("SELECT alert_id, count(*) FROM notifications GROUP BY 1")
    counts = {row[0]: row[1] for row in notified}
    assert {id: counts.get(id, 0) for id in steady} == expected
