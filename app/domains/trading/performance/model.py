"""What performance is measured from, and what is measured.

Money is in the portfolio's currency. Returns, rates and shares are fractions: 0.05 is 5 per cent.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.journal.model import Currency


class Period(StrEnum):
    """A part of the calendar, in UTC. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Span(msgspec.Struct, frozen=True):
    """The time from `begins_at` to before `ends_at`."""

    begins_at: datetime
    ends_at: datetime


class ValuePoint(msgspec.Struct, frozen=True, gc=False):
    """What a portfolio was worth: cash and positions at the prices of that time.

    If there is a flow at the same time, this is the value before it.
    """

    at: datetime
    value: Decimal
    cash: Decimal
    """The part of the value that is cash, reserved or not."""


class Flow(msgspec.Struct, frozen=True):
    """Money from or to outside the portfolio: a deposit is positive, a withdrawal negative."""

    at: datetime
    amount: Decimal


class Trading(msgspec.Struct, frozen=True):
    """What a portfolio traded in a span, added up in its currency, as there may be any number of fills.

    A round trip is what one order sold in the span, of however many lots and in however many fills, or the win rate
    would depend on how the fills were cut. Its profit is what was received less what was paid for it, after all fees.
    """

    trades: int = 0
    """Orders that filled, in part or whole."""
    fills: int = 0
    turnover: Decimal = Decimal(0)
    """The sum of quantity times price, of buys and of sales."""
    fees: Decimal = Decimal(0)
    round_trips: int = 0
    wins: int = 0
    """Round trips with a profit. One that broke even is none."""
    profits: Decimal = Decimal(0)
    losses: Decimal = Decimal(0)
    """The sum of the losses, as a positive amount."""
    best: Decimal | None = None
    worst: Decimal | None = None


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall below an earlier high, as a fraction of it: from 0 to 1. The times are null if it is 0."""

    depth: float
    peak_at: datetime | None
    trough_at: datetime | None


class Performance(msgspec.Struct, frozen=True):
    """What a portfolio did in a span. No number is infinite or not a number: what is undefined is null."""

    span: Span

    measured_from: datetime | None
    """The time of the opening value: the last one until the span begins, else the first in it. Null without values."""
    measured_until: datetime | None
    """The time of the closing value: the last one until the span ends."""
    opening_value: Decimal | None
    closing_value: Decimal | None
    net_flow: Decimal
    """Deposits less withdrawals from the opening value until the closing value."""
    gain: Decimal | None
    """closing value - opening value - net flow. Null without values."""

    time_weighted_return: float | None
    """The return of a unit of money that stayed, of the span and not of a year.

    The product of (1 + return) of the intervals between values, less 1. Deposits and withdrawals do not change it. Null
    without two values, if there was never money in the portfolio, or if an interval has no return (`Intervals`).
    """
    estimated: bool
    """Whether a flow has no value at its time, so that the return of its interval is an estimate."""
    money_weighted_return: float | None
    """The rate, for the span, at which opening value and flows grow to the closing value: the internal rate of return.

    It has the sign of the gain. Null without two values, if there was never money in the portfolio, or if no rate with
    that sign and up to 10^12 does.
    """
    max_drawdown: Drawdown | None
    """The deepest fall of what a unit of money grew to, so that a withdrawal is no fall.

    Null where the time-weighted return is.
    """

    daily_returns: int
    """The number of days with a time-weighted return: what the next three are computed from."""
    volatility: float | None
    """The sample deviation of the daily returns times the square root of 365, as the market never closes.

    Null with fewer than two daily returns.
    """
    sharpe: float | None
    """The mean of the daily returns over the risk-free one, by their sample deviation, times the square root of 365.

    Null with fewer than two daily returns, or if all are equal.
    """
    sortino: float | None
    """As `sharpe`, by the root of the mean of the squares of what is below the risk-free return, over all days.

    Null with fewer than two daily returns, or if none is below.
    """
    risk_free_rate: float
    """The return of a year without risk that `sharpe` and `sortino` compare with."""

    exposure: float | None
    """The mean share of the value that is in positions, weighted by time, from 0 to 1.

    Null without two values, or if the value was always 0.
    """
    time_in_market: float | None
    """The share of the time in which there were positions, from 0 to 1. Null where `exposure` is."""

    trades: int
    """The number of orders that filled, in part or whole."""
    fills: int
    turnover: Decimal
    """The sum of the amounts of the fills, of buys and sales."""
    turnover_ratio: float | None
    """`turnover` by the mean value, weighted by time. Null without two values, or if the value was always 0."""
    fees: Decimal

    round_trips: int
    realized_pnl: Decimal
    """The sum of the profits and losses of the round trips."""
    win_rate: float | None
    """The share of round trips with a profit, after fees. One that broke even is none. Null without round trips."""
    profit_factor: float | None
    """The sum of the profits by the sum of the losses. Null without losses."""
    best_pnl: Decimal | None
    """The largest profit of a round trip, or else the smallest loss. Null without round trips."""
    worst_pnl: Decimal | None
    """The largest loss of a round trip, or else the smallest profit. Null without round trips."""


DAYS_KEPT: Final = timedelta(days=2 * 365)
"""How long what was measured of days is kept; weeks, months and years for ever."""


class RecordedValue(msgspec.Struct, frozen=True):
    """A value as it was recorded: the first one of an hour or day, or the one before a flow."""

    at: datetime
    value: Decimal
    cash: Decimal
    contributed: Decimal
    """What the life of the portfolio had been given when this was recorded, which may be after `at`."""
    is_flow: bool


class Measured(msgspec.Struct, frozen=True):
    """How far a portfolio is measured in a period."""

    portfolio_id: UUID
    life: int
    life_began_at: datetime
    period: Period
    open_from: datetime | None
    """When the first one that is not final began, of this life. Null: none."""
    computed_at: datetime | None
    """When that one was last computed."""
    final_until: datetime | None
    """When the last final one ended, of any life. Null: none."""


class Metric(msgspec.Struct, frozen=True):
    """A number of a performance as it is stored."""

    type: str
    value: Decimal | None
    metadata: dict[str, datetime | bool | None]


class PeriodPerformance(msgspec.Struct, frozen=True):
    """What a portfolio did in a day, week, month or year. What the numbers are is said in `Performance`."""

    portfolio_id: UUID
    period: Period
    period_start: datetime
    period_end: datetime
    life: int
    is_final: bool
    computed_at: datetime
    currency: Currency
    measured_from: datetime | None
    measured_until: datetime | None
    opening_value: Decimal | None
    closing_value: Decimal | None
    net_flow: Decimal
    gain: Decimal | None
    time_weighted_return: float | None
    is_estimated: bool
    money_weighted_return: float | None
    max_drawdown: float | None
    peak_at: datetime | None
    trough_at: datetime | None
    daily_returns: int
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    exposure: float | None
    time_in_market: float | None
    trades: int
    fills: int
    turnover: Decimal
    turnover_ratio: float | None
    fees: Decimal
    round_trips: int
    realized_pnl: Decimal
    win_rate: float | None
    profit_factor: float | None
    best_pnl: Decimal | None
    worst_pnl: Decimal | None
