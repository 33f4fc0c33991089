"""Stored candles, and back-tests that are asked for and run as the worker does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.history import History
from app.domains.trading.backtests import loaders
from app.domains.trading.backtests.model import Asked, AskedSweep, Axis, Backtest, BacktestSweep, SweepField
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.backtests.services.backtests import BACKTEST_JOB
from app.domains.trading.strategies.model import Breakout, Config
from app.kit.reads import Reads
from tests.domains.trading.backtests.rules.scripts import walk_of
from tests.domains.trading.stage import Stage

CASH = Decimal(10_000)
CONFIG = Breakout(entry_period=5, exit_period=3)


@dataclass
class Shop:
    """Alice and Bob, and hourly candles of BTC."""

    stage: Stage
    candles: Sequence[Candle]

    def asked(self, config: Config = CONFIG, **terms: Any) -> Asked:
        bot = BotTerms(symbol=terms.pop("symbol", "BTC"), config=config)
        own = {name: terms.pop(name) for name in list(terms) if name in BotTerms.__struct_fields__}
        return Asked(bot=replace(bot, **own), **{"interval": Interval.ONE_HOUR, "initial_cash_usd": CASH, **terms})

    def sweep(self, train_fraction: str | None = None, **values: Sequence[str]) -> AskedSweep:
        axes = tuple(Axis(SweepField(name), tuple(map(Decimal, each))) for name, each in values.items())
        fraction = None if train_fraction is None else Decimal(train_fraction)
        return AskedSweep(asked=self.asked(), axes=axes, train_fraction=fraction)

    async def ask(self, asked: Asked | None = None, by: Viewer | None = None, key: str | None = None) -> UUID:
        viewer = by or self.stage.alice
        return await self.stage.trading.backtests.run(viewer, asked or self.asked(), key or self.stage.key)

    async def ask_sweep(self, asked: AskedSweep, by: Viewer | None = None, key: str | None = None) -> UUID:
        return await self.stage.trading.backtests.sweep(by or self.stage.alice, asked, key or self.stage.key)

    async def jobs(self) -> list[dict[str, Any]]:
        """What is enqueued."""
        rows = await self.stage.owner.fetch(
            "SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", BACKTEST_JOB
        )
        return [msgspec.json.decode(row["payload"]) for row in rows]

    async def work(self, **payload: Any) -> None:
        """Does a job as a worker does."""
        await self.stage.trading.backtest_runner.run({name: str(value) for name, value in payload.items()})

    async def run(self, asked: Asked | None = None) -> UUID:
        """A back-test that was run."""
        id = await self.ask(asked)
        await self.work(id=id)
        return id

    async def backtest(self, id: UUID, by: Viewer | None = None) -> Backtest | None:
        found: Backtest | None = await self._one(loaders.backtest_by_id, id, by)
        return found

    async def found(self, id: UUID) -> Backtest:
        found = await self.backtest(id)
        assert found is not None
        return found

    async def found_sweep(self, id: UUID, by: Viewer | None = None) -> BacktestSweep | None:
        found: BacktestSweep | None = await self._one(loaders.sweep_by_id, id, by)
        return found

    async def facts(self, id: UUID) -> list[tuple[str, int, int]]:
        """What its stream says, in order."""
        rows = await self.stage.owner.fetch(
            "SELECT payload FROM events WHERE stream = $1 ORDER BY seq", f"backtest:{id}"
        )
        found = [msgspec.json.decode(row[0]) for row in rows]
        return [(each["status"], each["done"], each["total"]) for each in found]

    async def stored(self, id: UUID) -> list[Any]:
        """What is stored of a run, but for when it was done."""
        sql = "SELECT status, status_reason, report::text, candles_done, candles_total FROM backtests WHERE id = $1"
        trades = "SELECT * FROM backtest_trades WHERE backtest_id = $1 ORDER BY number"
        owner = self.stage.owner
        return [
            tuple(await owner.fetchrow(sql, id) or ()),
            *(tuple(row)[2:] for row in await owner.fetch(trades, id)),
        ]

    async def _one(self, loader: Any, id: UUID, by: Viewer | None) -> Any:
        reads = Reads(self.stage.database, (by or self.stage.alice).scope)
        try:
            return await reads.one(loader, id)
        finally:
            await reads.aclose()


async def open_shop(stage: Stage, count: int = 300) -> Shop:
    """Candles until the present hour."""
    until = stage.clock.now().replace(minute=0, second=0, microsecond=0)
    walk = walk_of(count, seed=7, step=0.02)
    begin = until - count * timedelta(hours=1)
    candles = [replace(each, opened_at=begin + number * timedelta(hours=1)) for number, each in enumerate(walk)]
    assert await History(stage.database).ingest(candles) == count
    return Shop(stage, candles)
