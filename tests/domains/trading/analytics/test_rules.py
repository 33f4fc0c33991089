"""Which events can be tracked."""

from typing import Any

import pytest

from app.domains.trading.analytics.model import NewEvent
from app.domains.trading.analytics.rules import check_event, digestible
from app.kit.errors import InvalidInput


def _nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ({"type": ""}, {"type"}),
        ({"type": "Page"}, {"type"}),
        ({"type": "1"}, {"type"}),
        ({"type": "page\n"}, {"type"}),
        ({"type": "ünder"}, {"type"}),
        ({"type": "x" * 65}, {"type"}),
        ({"data": []}, {"data"}),
        ({"data": "x"}, {"data"}),
        ({"data": False}, {"data"}),
        ({"data": _nested(6)}, {"data"}),
        ({"data": _nested(100_000)}, {"data"}),
        ({"data": {str(number): 0 for number in range(65)}}, {"data"}),
        ({"data": {"a": "x" * 4096}}, {"data"}),
        ({"data": {"a\x00": 1}}, {"data"}),
        ({"data": {"a": ["\ud800"]}}, {"data"}),
        ({"data": {"\udfff": 1}}, {"data"}),
        ({"data": {"a": 2**53}}, {"data"}),
        ({"data": {"a": 10**5000}}, {"data"}),
        ({"data": {"a": float("nan")}}, {"data"}),
        ({"data": {"a": float("inf")}}, {"data"}),
        ({"client_session": ""}, {"client_session"}),
        ({"client_session": "a b"}, {"client_session"}),
        ({"client_session": "x" * 65}, {"client_session"}),
        ({"type": "?", "data": 5, "client_session": "?"}, {"type", "data", "client_session"}),
    ],
)
def test_all_that_is_wrong_is_named(event: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_event(NewEvent(**({"type": "x"} | event)))
    assert {fault.path[0] for fault in refused.value.fields} == fields


@pytest.mark.parametrize(
    "event",
    [
        {"type": "x"},
        {"type": "a_1.b" * 12},
        {"data": {}},
        {"data": _nested(5)},
        {"data": {str(number): 0 for number in range(64)}},
        {"data": {"a": "x" * 4088}},
        {"data": {"a": 2**53 - 1, "b": -0.5, "é\t": "\U0001f600"}},
        {"client_session": "Az0_.:-" * 9},
    ],
)
def test_the_largest_that_is_allowed(event: dict[str, Any]) -> None:
    check_event(NewEvent(**({"type": "x"} | event)))


def test_different_events_have_different_digests() -> None:
    given = [
        NewEvent(type=type, data=data, client_session=session)
        for type in ("x", "y")
        for data in (None, {"a": 1}, 5)
        for session in (None, "v")
    ]
    assert len({str(digestible(each)) for each in given}) == len(given)
    assert digestible(NewEvent(type="x")) == digestible(NewEvent(type="x", data={})), "no data are no data"
    assert len(str(digestible(NewEvent(type="x", data=_nested(100_000))))) < 100
