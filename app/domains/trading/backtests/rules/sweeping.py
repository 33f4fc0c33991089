"""The runs of a sweep, as simulations: of all candles, or of the part that is tuned on and of the rest apart. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from app.domains.market.prices.model import Interval
from app.domains.trading.backtests.model import Axis, BacktestSweep, CandlesMissing, SweepRun
from app.domains.trading.backtests.model.reports import BotTerms, Metrics, Run
from app.domains.trading.backtests.model.tasks import Part
from app.domains.trading.backtests.rules.checks import Settings, fitting


class Sweeping(msgspec.Struct, frozen=True):
    """A sweep over candles. Part n is of run n // parts_of_run."""

    runs: list[Settings]
    parts: list[Part]
    split: int | None
    """The number of the first candle that is not tuned on. Null: all are."""

    @property
    def parts_of_run(self) -> int:
        """How many simulations a run is."""
        return 1 if self.split is None else 2

    def shares(self, count: int) -> list[list[int]]:
        """The parts, shared out: each has one run of so many, in turn, so that all take about as long."""
        per = self.parts_of_run
        runs = (range(begin, len(self.runs), count) for begin in range(count))
        return [[run * per + part for run in share for part in range(per)] for share in runs]


def sweeping_of(sweep: BacktestSweep, first: int, end: int) -> Sweeping:
    """The simulations of a sweep over these candles. Raises CandlesMissing where there are too few to be parted."""
    bot = msgspec.convert(sweep.bot, BotTerms, strict=False)
    axes = msgspec.convert(sweep.axes, tuple[Axis, ...], strict=False)
    split = split_of(sweep.train_fraction, first, end)
    spans = [(first, end)] if split is None else [(first, split), (split, end)]
    found = fitting(bot, axes)
    parts = [
        Part(
            Run(bot=each, interval=Interval(sweep.interval), initial_cash_usd=sweep.initial_cash_usd, tier=sweep.tier),
            begin,
            until,
        )
        for _, each in found
        for begin, until in spans
    ]
    return Sweeping([settings for settings, _ in found], parts, split)


def split_of(train_fraction: Decimal | None, first: int, end: int) -> int | None:
    """Where the part ends that is tuned on, which has a candle at least, as the other has."""
    if train_fraction is None:
        return None
    if end - first < 2:
        raise CandlesMissing
    return first + min(max(1, int((end - first) * train_fraction)), end - first - 1)


def runs_of(sweep: BacktestSweep, sweeping: Sweeping, metrics: Mapping[int, Metrics]) -> Sequence[SweepRun]:
    """The runs with what came of their parts, by the numbers of those."""
    return [
        _run(sweep, number, settings, metrics[first], metrics.get(first + 1) if sweeping.split is not None else None)
        for number, settings in enumerate(sweeping.runs, 1)
        for first in [(number - 1) * sweeping.parts_of_run]
    ]


def _run(sweep: BacktestSweep, number: int, settings: Settings, train: Metrics, test: Metrics | None) -> SweepRun:
    return SweepRun(
        sweep_id=sweep.id,
        number=number,
        settings={field.value: f"{value:f}" for field, value in settings.items()},
        train=msgspec.to_builtins(train),
        test=None if test is None else msgspec.to_builtins(test),
        train_return=train.return_fraction,
        train_drawdown=train.max_drawdown,
        train_sharpe=train.sharpe,
        train_sortino=train.sortino,
        train_profit_factor=train.profit_factor,
        test_return=None if test is None else test.return_fraction,
        test_drawdown=None if test is None else test.max_drawdown,
        test_sharpe=None if test is None else test.sharpe,
        test_sortino=None if test is None else test.sortino,
        test_profit_factor=None if test is None else test.profit_factor,
    )
