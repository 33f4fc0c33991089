"""What a measurement of trading found."""

from statistics import median
from typing import Final

import msgspec

from bench.report import Bar

COLUMNS: Final = ("what", "median", "least", "greatest", "target")


class Figure(msgspec.Struct, frozen=True):
    """Values of several runs, and how they are written."""

    what: str
    values: list[float]
    form: str
    target: str = ""
    bar: str = ""
    """The name of its bar in the plot. Empty: it has none."""

    @property
    def row(self) -> list[str]:
        """Its row of the table."""
        found = (median(self.values), min(self.values), max(self.values))
        return [self.what, *(self.form.format(value) for value in found), self.target]

    @property
    def drawn(self) -> Bar:
        """Its bar."""
        return Bar(self.bar, "Moneta", median(self.values), min(self.values), max(self.values))


class Found(msgspec.Struct, frozen=True):
    """Figures, the share of all cores that was busy just before each run, and what to know about them."""

    figures: list[Figure]
    other_load: list[float]
    conditions: list[str]


def percentile(values: list[float], part: float) -> float:
    """The value that this part of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
