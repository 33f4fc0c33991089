"""Trades: round trips, and what was traded."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from app.domains.trading.performance.model import Disposal, RoundTrip
from app.domains.trading.performance.rules.numbers import ratio


class Outcome(NamedTuple):
    """What the round trips came to; the fields are those of `Performance`."""

    realized_pnl: Decimal
    win_rate: float | None
    profit_factor: float | None
    best: RoundTrip | None
    worst: RoundTrip | None


def round_trips_of(disposals: Iterable[Disposal]) -> list[RoundTrip]:
    """Returns a round trip for each order that sold, in the order in which they ended.

    One order may sell parts of many lots in many fills. Each counts once, or else the win rate would depend on how the
    fills were cut.
    """
    orders: dict[UUID, list[Disposal]] = {}
    for each in disposals:
        orders.setdefault(each.order_id, []).append(each)
    trips = [
        RoundTrip(
            order_id,
            sum((part.quantity for part in parts), Decimal(0)),
            sum((part.cost for part in parts), Decimal(0)),
            sum((part.proceeds for part in parts), Decimal(0)),
            min(part.acquired_at for part in parts),
            max(part.disposed_at for part in parts),
        )
        for order_id, parts in orders.items()
    ]
    return sorted(trips, key=lambda trip: (trip.disposed_at, trip.order_id))


def outcome_of(trips: Sequence[RoundTrip]) -> Outcome:
    """Returns what round trips came to.

    Win rate: `trips with pnl > 0 / trips`, null without trips. Profit factor: `sum of pnl > 0 / -sum of pnl < 0`, null
    without losses. Best and worst are by pnl, of equals the first.
    """
    profits = [trip.pnl for trip in trips if trip.pnl > 0]
    losses = [-trip.pnl for trip in trips if trip.pnl < 0]
    return Outcome(
        sum((trip.pnl for trip in trips), Decimal(0)),
        len(profits) / len(trips) if trips else None,
        ratio(sum(profits, Decimal(0)), sum(losses, Decimal(0))),
        max(trips, key=lambda trip: trip.pnl, default=None),
        min(trips, key=lambda trip: trip.pnl, default=None),
    )
