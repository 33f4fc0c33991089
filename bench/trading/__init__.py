"""Trading: the pure exchange, orders through the graph, the matcher with its database, and what watching costs."""

from rich.progress import Progress

from app.dev.embedded import Embedded
from bench.report import Report
from bench.trading import book, placing
from bench.trading.figures import COLUMNS
from bench.trading.stage import set_up


def measure(servers: Embedded, seconds: float, rounds: int, progress: Progress) -> Report:
    """Each measurement `rounds` times."""
    stage = set_up(servers, progress)
    parts = {
        "placing": placing.measure(stage, seconds, rounds, progress),
        "book": book.measure(rounds, progress),
    }
    figures = [figure for part in parts.values() for figure in part.figures]
    return Report(
        name="trading",
        title="Trading",
        unit="per second, median and range",
        target=placing.TARGET_PER_S,
        other_load=[load for part in parts.values() for load in part.other_load],
        conditions=[condition for part in parts.values() for condition in part.conditions],
        columns=list(COLUMNS),
        rows=[figure.row for figure in figures],
        bars=[figure.drawn for figure in figures if figure.bar],
        raw=parts,
    )
