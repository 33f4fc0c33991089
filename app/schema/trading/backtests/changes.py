"""Asking for back-tests and sweeps, and cancelling them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.market.prices import model as prices
from app.domains.trading.backtests import loaders, model
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.backtests.services.backtests import Backtests
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import POSITION_USD, STOP_LOSS_PERCENTAGE, TAKE_PROFIT_PERCENTAGE
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.market.prices.candles import Interval
from app.schema.numbers import exact
from app.schema.trading.backtests.backtests import Backtest
from app.schema.trading.backtests.sweeps import BacktestSweep
from app.schema.trading.bot_settings import COOL_DOWN, LOSS_LIMIT, POSITION, RISK, STOP_LOSS, TAKE_PROFIT, known
from app.schema.trading.strategies import RiskLevel, StrategyInput

_CASH = Decimal(10_000)
_OF_SWEEP = ("axes", "train_fraction", "idempotency_key")
"""The inputs of a sweep that are not those of its back-tests."""


@problem_type(model.CandlesMissing)
class CandlesMissing(Problem):
    """No candles of this token and interval are stored in this span of time."""


@problem_type(model.BacktestTooLarge)
class BacktestTooLarge(Problem):
    """That is more than one request can ask for; the message says of what."""

    limit: int = strawberry.field(name="maxCount", description="How many there can be.")
    asked: int = strawberry.field(
        name="requestedCount", description="How many were asked for; of candles, this many or more."
    )


@problem_type(model.TooManyBacktests)
class TooManyBacktests(Problem):
    """As many back-tests and sweeps of the viewer wait or run as can at once."""

    limit: int = strawberry.field(description="How many can wait or run at once.")


@problem_type(model.BacktestNotRunning)
class BacktestNotRunning(Problem):
    """It has ended."""


REFUSALS = (
    InvalidInput,
    NotFound,
    CandlesMissing,
    BacktestTooLarge,
    TooManyBacktests,
    ResultDeleted,
    IdempotencyKeyReused,
)


@strawberry.input
class BacktestInput:
    """A bot, and the candles that it is to be simulated over."""

    symbol: str = strawberry.field(description="The symbol of the token, in any case.")
    strategy: StrategyInput = strawberry.field(description="What the bot decides by.")
    interval: Interval | None = strawberry.field(
        default=None, description="The length of the candles that it decides on. Null: ONE_HOUR."
    )
    since: datetime | None = strawberry.field(
        name="startsAt",
        default=None,
        description=f"From when on candles open. Null: from the oldest of the {model.MAX_CANDLES:,} newest.",
    )
    until: datetime | None = strawberry.field(
        name="endsAt", default=None, description="Until when candles have closed. Null: until now."
    )
    initial_cash_usd: Decimal | None = strawberry.field(
        default=None,
        description=f"The cash that the bot begins with: 1 to {model.MAX_CASH_USD:,f} dollars, with at most 8 decimals."
        f" Null: {_CASH:,f}.",
    )
    max_position_usd: Decimal | None = strawberry.field(
        default=None, description=f"{POSITION} Null: {POSITION_USD:,f}."
    )
    stop_loss_percentage: float | None = strawberry.field(
        default=None, description=f"{STOP_LOSS} Null: {STOP_LOSS_PERCENTAGE:f}."
    )
    take_profit_percentage: float | None = strawberry.field(
        default=None, description=f"{TAKE_PROFIT} Null: {TAKE_PROFIT_PERCENTAGE:f}."
    )
    risk_level: RiskLevel | None = strawberry.field(default=None, description=f"{RISK} Null: MEDIUM.")
    daily_loss_limit_usd: Decimal | None = strawberry.field(default=None, description=f"{LOSS_LIMIT} Null: no limit.")
    cool_down_ms: Milliseconds | None = strawberry.field(default=None, description=f"{COOL_DOWN} Null: 0.")

    def asked(self) -> model.Asked:
        """The back-test to run."""
        names = set(BotTerms.__struct_fields__) - {"symbol", "config"}
        given = {name: exact(value) for name, value in vars(self).items() if name in names and value is not None}
        return model.Asked(
            bot=BotTerms(symbol=self.symbol, config=self.strategy.config(), **given),
            interval=prices.Interval.ONE_HOUR if self.interval is None else self.interval,
            initial_cash_usd=_CASH if self.initial_cash_usd is None else self.initial_cash_usd,
            since=self.since,
            until=self.until,
        )


@strawberry.input
class RunBacktestInput(BacktestInput):
    """The back-test to run."""

    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class BacktestSweepAxisInput:
    """A setting that runs differ in, and the values that it has in turn."""

    field: model.SweepField = strawberry.field(description="The setting: one of the strategy, or one of every bot.")
    values: list[Decimal] = strawberry.field(
        description="Its values, each once, in the unit and within the limits of the setting."
    )


@strawberry.input
class RunSweepInput:
    """The sweep to run: every combination of the values of its axes."""

    backtest: BacktestInput = strawberry.field(description="What all runs have in common.")
    axes: list[BacktestSweepAxisInput] = strawberry.field(
        description=f"The settings that differ, 1 to {model.MAX_AXES}: at most {model.MAX_RUNS} combinations, and at"
        f" most {model.MAX_SWEEP_CANDLES:,} candles in all of them together."
    )
    train_fraction: float | None = strawberry.field(
        default=None,
        description="The part of the candles, from the first on, that runs are tuned on, 0.1 to 0.9: each run is"
        " measured on it, and apart on the rest. Null: on all together.",
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class CancelBacktestInput:
    """The back-test to cancel."""

    id: strawberry.ID = strawberry.field(description="The global ID of the back-test.")


@strawberry.input
class CancelSweepInput:
    """The sweep to cancel."""

    id: strawberry.ID = strawberry.field(description="The global ID of the sweep.")


@strawberry.type
class RunBacktestPayload:
    """The back-test is asked for, now or when the idempotency key was first used. `backtestProgress` says how far it
    is.
    """

    backtest: Backtest = strawberry.field(description="The back-test as it is now.")


@strawberry.type
class RunSweepPayload:
    """The sweep is asked for, now or when the idempotency key was first used. `backtestSweepProgress` says how far it
    is.
    """

    sweep: BacktestSweep = strawberry.field(description="The sweep as it is now.")


@strawberry.type
class CancelBacktestPayload:
    """The back-test was cancelled. It ends within a second, and stores nothing."""

    backtest: Backtest = strawberry.field(description="The back-test as it is now.")


@strawberry.type
class CancelSweepPayload:
    """The sweep was cancelled. It ends within a second, and stores no run."""

    sweep: BacktestSweep = strawberry.field(description="The sweep as it is now.")


@strawberry.type
class BacktestMutation:
    """Asking for back-tests."""

    @mutation(RunBacktestPayload, *REFUSALS)
    async def run_backtest(self, info: Info, input: RunBacktestInput) -> Any:
        """Asks for a back-test: a bot over stored candles, by the rules of the paper exchange. A worker runs it."""
        viewer = info.context.require_viewer()
        id = await known(_backtests(info).run(viewer, input.asked(), input.idempotency_key))
        return RunBacktestPayload(backtest=await _read(info, id))

    @mutation(RunSweepPayload, *REFUSALS)
    async def run_sweep(self, info: Info, input: RunSweepInput) -> Any:
        """Asks for back-tests of one bot with every combination of some settings. A worker runs them."""
        viewer = info.context.require_viewer()
        asked = model.AskedSweep(
            asked=input.backtest.asked(),
            axes=tuple(model.Axis(each.field, tuple(each.values)) for each in input.axes),
            train_fraction=exact(input.train_fraction),
        )
        try:
            id = await known(_backtests(info).sweep(viewer, asked, input.idempotency_key))
        except errors.Problem as problem:
            problem.move(lambda path: path if path[0] in _OF_SWEEP else ("backtest", *path))
            raise
        return RunSweepPayload(sweep=await _read_sweep(info, id))

    @mutation(CancelBacktestPayload, NotFound, BacktestNotRunning)
    async def cancel_backtest(self, info: Info, input: CancelBacktestInput) -> Any:
        """Cancels a back-test that waits or runs."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Backtest)
        await _backtests(info).cancel(viewer, id)
        return CancelBacktestPayload(backtest=await _read(info, id))

    @mutation(CancelSweepPayload, NotFound, BacktestNotRunning)
    async def cancel_sweep(self, info: Info, input: CancelSweepInput) -> Any:
        """Cancels a sweep that waits or runs."""
        viewer, id = info.context.require_viewer(), key_of(input.id, BacktestSweep)
        await _backtests(info).cancel_sweep(viewer, id)
        return CancelSweepPayload(sweep=await _read_sweep(info, id))


def _backtests(info: Info) -> Backtests:
    return info.context.services[TradingServices].backtests


async def _read(info: Info, id: Any) -> Any:
    return await info.context.reads.one(loaders.backtest_by_id, id)


async def _read_sweep(info: Info, id: Any) -> Any:
    return await info.context.reads.one(loaders.sweep_by_id, id)
