"""Decisions as the strategies write them: how sure they are, and the numbers in their words.

A BUY or SELL has a confidence of 100 - 50 / (1 + x), rounded down, where x is how far what decided is beyond its
threshold, in the unit that each strategy states: 50 at the threshold, 75 at one unit, towards 100. A HOLD has 50; where
the strategy could compute nothing, 1.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from app.domains.market.analysis.rules.series import Series
from app.domains.trading.strategies.model import Decision, SignalType, State

HOLD_CONFIDENCE: Final = 50
UNKNOWING_CONFIDENCE: Final = 1
"""Of a HOLD that nothing was computed for."""


def confidence_of(excess: float) -> int:
    """The confidence of a signal that is so far beyond its threshold."""
    return int(100 - 50 / (1 + max(0.0, excess)))


def hold(
    reasoning: str, indicators: Mapping[str, float | None] | None = None, *, state: State | None = None
) -> Decision:
    """Does nothing."""
    return Decision(
        type=SignalType.HOLD,
        confidence=HOLD_CONFIDENCE,
        reasoning=reasoning,
        indicators=known(indicators or {}),
        state=state,
    )


def unknowing(reasoning: str) -> Decision:
    """Does nothing, because nothing can be computed."""
    return Decision(type=SignalType.HOLD, confidence=UNKNOWING_CONFIDENCE, reasoning=reasoning)


def signal(kind: SignalType, excess: float, reasoning: str, indicators: Mapping[str, float | None]) -> Decision:
    """Buys or sells."""
    return Decision(type=kind, confidence=confidence_of(excess), reasoning=reasoning, indicators=known(indicators))


def too_few(series: Series, needed: int) -> Decision | None:
    """The decision where a strategy needs more candles than there are; null where there are enough."""
    if len(series) >= needed:
        return None
    return unknowing(f"It has {len(series)} of the {needed} closed candles that its indicators need.")


def known(indicators: Mapping[str, float | None]) -> dict[str, float]:
    """The indicators that could be computed."""
    return {name: value for name, value in indicators.items() if value is not None and math.isfinite(value)}


def number(value: float | Decimal) -> str:
    """A number in words: five significant digits, without an exponent."""
    return _in_words(f"{value:.4e}")


@lru_cache(maxsize=10_000)
def _in_words(rounded: str) -> str:
    return f"{Decimal(rounded).normalize() + 0:,f}"


def usd(value: float | Decimal) -> str:
    """A price in words."""
    return f"${number(value)}"
