"""Durations are whole milliseconds in the graph, in whatever unit the program keeps them."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from app.engine.declarations.computed import FROM_PARENT
from app.engine.declarations.durations import DAY, MINUTE, SECOND, milliseconds, milliseconds_of, number_of


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (6.5, SECOND, 6500),
        (0.1, SECOND, 100),
        (0.0004, SECOND, 0),
        (1.0015, SECOND, 1002),
        (Decimal("11.95"), SECOND, 11_950),
        (15, MINUTE, 900_000),
        (2.5, DAY, 216_000_000),
        (timedelta(hours=1), SECOND, 3_600_000),
        (timedelta(microseconds=1500), MINUTE, 2),
    ],
)
def test_a_duration_is_shown_in_whole_milliseconds(value: Any, unit: timedelta, expected: int) -> None:
    shown = milliseconds(value, unit)
    assert (shown, type(shown)) == (expected, int)


def test_a_field_reads_its_attribute_and_null_stays_null() -> None:
    function = milliseconds_of("cooldown_s", description="The cooldown.").metadata[FROM_PARENT].function
    assert function(SimpleNamespace(cooldown_s=60)) == 60_000
    assert function(SimpleNamespace(cooldown_s=0)) == 0
    assert function(SimpleNamespace(cooldown_s=None)) is None


def test_an_input_is_a_whole_number_of_its_unit() -> None:
    assert number_of(SECOND, 60_000) == 60
    assert number_of(MINUTE, -60_000) == -1
    assert number_of(MINUTE, 60_001) == number_of(MINUTE, 59_999) == number_of(MINUTE, 0) == 0
