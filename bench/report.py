"""A measurement on disk: JSON for machines, a table and a plot for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from rich.console import Console

from bench.machine import describe

RESULTS: Final = Path(__file__).parent / "results"
console = Console()


class Bar(msgspec.Struct, frozen=True):
    """One bar of the plot: the median, and the least and greatest of the runs."""

    group: str
    series: str
    median: float
    least: float
    greatest: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one bench found. `other_load` is the share of all cores that was busy just before each run."""

    name: str
    title: str
    unit: str
    """What `bars` measure."""
    target: float | None = None
    """For the first group."""
    other_load: list[float]
    conditions: list[str]
    """The conditions of the measurement, a sentence each."""
    columns: list[str]
    rows: list[list[str]]
    bars: list[Bar]
    raw: Any


def show(report: Report) -> None:
    """Prints the table and what to know about it."""
    console.print("\n".join(_text(report)), highlight=False, markup=False, soft_wrap=True)


def save(report: Report) -> None:
    """Writes `<date>-<name>.json`, `.md` and `.png`."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%d}-{report.name}"
    document = {"measured_at": now, "machine": describe(), **msgspec.structs.asdict(report)}
    encoded = msgspec.json.encode(document, enc_hook=str)
    path.with_suffix(".json").write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
    picture = path.with_suffix(".png")
    path.with_suffix(".md").write_text("\n".join([*_text(report), "", f"![{report.unit}]({picture.name})", ""]))
    _plot(report, picture)


def _text(report: Report) -> list[str]:
    machine = describe()
    return [
        f"# {report.title}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {machine.commit}. {machine.processor}, {machine.cores} cores, "
        f"{machine.memory_gib} GiB, Linux {machine.kernel}, Python {machine.python}, "
        f"Strawberry {machine.strawberry}, graphql-core {machine.graphql_core}. "
        f"Just before each run, other work kept the cores {median(report.other_load):.0%} busy (median; at most "
        f"{max(report.other_load):.0%}).",
        "",
        *_table(report.columns, report.rows),
        "",
        *(f"- {condition}" for condition in report.conditions),
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    header = [f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}"]
    return header + [f"| {' | '.join(row)} |" for row in rows]


def _plot(report: Report, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    groups = list(dict.fromkeys(bar.group for bar in report.bars))
    series = list(dict.fromkeys(bar.series for bar in report.bars))
    # Groups may differ by orders of magnitude: each has an axis of its own.
    figure, axes = pyplot.subplots(1, len(groups), figsize=(3.2 * len(groups) + 1, 3.6), squeeze=False)
    for axis, group in zip(axes[0], groups, strict=True):
        for bar in (bar for bar in report.bars if bar.group == group):
            place = series.index(bar.series)
            span = [[bar.median - bar.least], [bar.greatest - bar.median]]
            drawn = axis.bar(place, bar.median, yerr=span, capsize=4, color=f"C{place}", label=bar.series)
            axis.bar_label(drawn, fmt="{:,.0f}" if bar.median >= 10 else "{:,.2f}", padding=3)
        axis.set_title(group)
        axis.set_xticks([])
        axis.margins(y=0.18)
        axis.spines[["top", "right"]].set_visible(False)
    if report.target is not None:
        axes[0][0].axhline(report.target, color="grey", linestyle="--", linewidth=1)
    axes[0][0].set_ylabel(report.unit)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(series), frameon=False)
    figure.suptitle(report.title, fontsize=11)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, dpi=140)
    pyplot.close(figure)
