"""The findings of the risk analysis. All shares and returns are fractions: 0.05 is 5 per cent."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domains.market.prices.model import Interval


class RiskLevel(StrEnum):
    """How risky the token is; see `risk_level_of` for the bounds."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    EXTREME = "extreme"


class TailRisk(msgspec.Struct, frozen=True):
    """The possible loss within a day at a confidence, as a fraction of the value held. A loss is positive.

    Null: too few days for such a rare loss.
    """

    confidence: float
    historical_var: float | None
    historical_cvar: float | None
    parametric_var: float | None
    days_needed: int


class Drawdown(msgspec.Struct, frozen=True):
    """The largest fall from a previous high, as a fraction of it."""

    depth: float
    peak_at: datetime
    peak_price: Decimal
    trough_at: datetime
    trough_price: Decimal


class MarketDependence(msgspec.Struct, frozen=True):
    """How the token moves with Bitcoin. Both are null with too few common returns, or if one price does not move."""

    beta: float | None
    correlation: float | None
    observations: int


class RiskFindings(msgspec.Struct, frozen=True):
    """The risk of holding a token, from a series of candles. Null: there are too few returns."""

    interval: Interval | None
    candles: int
    returns: int
    returns_needed: int
    days: float
    level: RiskLevel | None
    volatility: float | None
    ewma_volatility: float | None
    downside_deviation: float | None
    tails: tuple[TailRisk, ...]
    max_drawdown: Drawdown | None
    current_drawdown: float | None
    risk_free_rate: float
    sharpe: float | None
    sortino: float | None
    bitcoin: MarketDependence
