"""The history of a portfolio: the checked and sorted input of every rule about its performance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from app.domains.trading.performance.model import Flow, Span, ValuePoint

AMOUNT_LIMIT: Final = Decimal(10) ** 18
"""Amounts are below it, so that sums of them with 8 decimals are exact in the 28 digits of Decimal."""
DECIMALS_LIMIT: Final = 18


class MalformedHistory(ValueError):
    """What was given is not the history of one portfolio."""


@dataclass(frozen=True)
class History:
    """What is known of a portfolio, each in the order of its times."""

    values: Sequence[ValuePoint]
    flows: Sequence[Flow]

    def within(self, span: Span) -> "History":
        """Returns the part that a span is measured by.

        Its values begin with the last one until the span begins, if there is one, and end with the last one until it
        ends. Flows go from the first of these values until before the last, so that the spans of a calendar share
        their borders: no gain and no flow is in two of them, or in none.
        """
        values = [point for point in self.values if point.at <= span.ends_at]
        opening = max((i for i, point in enumerate(values) if point.at <= span.begins_at), default=0)
        values = values[opening:]
        return History(
            values,
            [flow for flow in self.flows if values and values[0].at <= flow.at < values[-1].at],
        )


def history_of(values: Iterable[ValuePoint], flows: Iterable[Flow] = ()) -> History:
    """Returns the history of one life of a portfolio, from records in any order. Raises MalformedHistory.

    Give a value at the time of each flow, the one before it: without it the return of its interval is an estimate.
    Invalid are: a time without zone, two values of the same time, an amount that is not a number, not below
    AMOUNT_LIMIT or with more than DECIMALS_LIMIT decimals, and cash below 0 or above the value.
    """
    values, flows = list(values), list(flows)
    for point in values:
        _check((point.at,), (point.value, point.cash))
        if not 0 <= point.cash <= point.value:
            raise MalformedHistory("cash below 0 or above the value")
    for flow in flows:
        _check((flow.at,), (flow.amount,))
    if len({point.at for point in values}) < len(values):
        raise MalformedHistory("two values of the same time")
    return History(
        sorted(values, key=lambda point: point.at),
        sorted(flows, key=lambda flow: flow.at),
    )


def _check(times: Iterable[datetime], amounts: Iterable[Decimal]) -> None:
    if any(at.tzinfo is None for at in times):
        raise MalformedHistory("a time without a zone")
    for amount in amounts:
        exponent = amount.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -DECIMALS_LIMIT or abs(amount) >= AMOUNT_LIMIT:
            raise MalformedHistory("an amount that is not a number below 10^18 with at most 18 decimals")
