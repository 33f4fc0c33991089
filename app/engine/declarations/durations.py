"""Durations: whole milliseconds in the graph, whatever unit the program uses."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NewType

from app.engine.declarations.computed import from_parent

Milliseconds = NewType("Milliseconds", int)

MAX_MILLISECONDS: Final = 2**53 - 1
"""The largest whole number that every JSON parser keeps exact."""
MILLISECOND: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


def milliseconds(value: Any, unit: timedelta = SECOND) -> Milliseconds:
    """A duration for the graph: a timedelta, or a number of `unit`."""
    if isinstance(value, timedelta):
        value, unit = value / SECOND, SECOND
    factor = unit // MILLISECOND
    return Milliseconds(round(value * factor if isinstance(value, int | Decimal) else Decimal(str(value)) * factor))


def milliseconds_of(attribute: str, *, unit: timedelta = SECOND, description: str) -> Any:
    """A field with the duration that the parent's `attribute` holds as a number of `unit`; null if that is null."""

    def convert(root: Any) -> Any:
        value = getattr(root, attribute)
        return None if value is None else milliseconds(value, unit)

    return from_parent(convert, description=description)


def number_of(unit: timedelta, value: int) -> int:
    """How many `unit` the milliseconds of an input field are; 0 if not a whole number, which rules refuse like 0."""
    number, rest = divmod(value, unit // MILLISECOND)
    return 0 if rest else number
