"""A performance as numbers to store."""

from decimal import Decimal

import msgspec
from hypothesis import given

from app.domains.trading.performance.model import Drawdown, Trading
from app.domains.trading.performance.rules.history import History
from app.domains.trading.performance.rules.metrics import metrics_of
from app.domains.trading.performance.rules.performance import performance
from tests.domains.trading.performance.rules.histories import YEAR, day, histories, tradings


@given(histories(), tradings())
def test_every_number_is_there_and_comes_back_as_it_was(history: History, trading: Trading) -> None:
    found = performance(history, YEAR, trading)
    stored = {each.type: each.value for each in metrics_of(found)}
    fields = msgspec.structs.asdict(found)
    for name in ("span", "measured_from", "measured_until", "estimated", "risk_free_rate"):
        del fields[name]
    fields["max_drawdown"] = found.max_drawdown.depth if found.max_drawdown else None
    assert stored.keys() == fields.keys()
    for name, value in fields.items():
        back = stored[name]
        assert back is None if value is None else type(value)(back) == value, name
        assert isinstance(back, Decimal | None)


def test_what_belongs_to_a_number_is_beside_it() -> None:
    found = msgspec.structs.replace(
        performance(History([], []), YEAR),
        measured_from=day(1),
        measured_until=day(2),
        estimated=True,
        max_drawdown=Drawdown(0.5, day(3), day(4)),
    )
    assert {each.type: each.metadata for each in metrics_of(found) if each.metadata} == {
        "opening_value": {"at": day(1)},
        "closing_value": {"at": day(2)},
        "time_weighted_return": {"estimated": True},
        "max_drawdown": {"peak_at": day(3), "trough_at": day(4)},
    }
