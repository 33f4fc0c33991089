"""What a process that simulates is given, and what it answers."""

from typing import TypeAlias

import msgspec

from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model.reports import Metrics, Report, Run


class Part(msgspec.Struct, frozen=True):
    """One simulation, over the candles from one number until before another."""

    run: Run
    first: int
    end: int


class Task(msgspec.Struct, frozen=True):
    """Simulations over the same candles. `whole` is whether the reports are wanted, and not the metrics alone."""

    candles: list[Candle]
    has_second: bool
    parts: list[Part]
    whole: bool


class Heard(msgspec.Struct, frozen=True, tag=True):
    """So many candles of a part are done."""

    part: int
    candles: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """A part is done."""

    part: int
    metrics: Metrics
    report: Report | None


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A part cannot be simulated, however often it is tried."""

    part: int
    reason: str


Message: TypeAlias = Heard | Done | Failed
