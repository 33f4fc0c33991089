"""A measurement on disk: JSON for machines, a table and a plot for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
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
    """What one bench found. `other_load` is the share of all cores that was busy before each part began."""

    name: str
    title: str
    unit: str
    """What `bars` measure."""
    target: float | None = None
    other_load: list[float]
    conditions: list[str]
    """What a reader must know to judge the figures, a sentence each."""
    columns: list[str]
    rows: list[list[str]]
    bars: list[Bar]
    raw: Any


def save(report: Report) -> None:
    """Writes `<date>-<name>.json`, `.md` and `.png`, and prints the table."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%d}-{report.name}"
    document = {"measured_at": now, "machine": describe(), **msgspec.structs.asdict(report)}
    encoded = msgspec.json.encode(document, enc_hook=str)
    path.with_suffix(".json").write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
    text = _markdown(report, now, path)
    path.with_suffix(".md").write_text(text)
    _plot(report, path.with_suffix(".png"))
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _markdown(report: Report, now: datetime, path: Path) -> str:
    machine = describe()
    busy = max(report.other_load, default=0.0)
    lines = [
        f"# {report.title}",
        "",
        f"{now:%Y-%m-%d %H:%M} UTC, commit {machine.commit}. {machine.processor}, {machine.cores} cores, "
        f"{machine.memory_gib} GiB, Linux {machine.kernel}, Python {machine.python}, "
        f"Strawberry {machine.strawberry}, graphql-core {machine.graphql_core}. "
        f"Other work kept the cores up to {busy:.0%} busy before the runs.",
        "",
        *_table(report.columns, report.rows),
        "",
        *(f"- {condition}" for condition in report.conditions),
        "",
        f"![{report.unit}]({path.with_suffix('.png').name})",
        "",
    ]
    return "\n".join(lines)


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
        if report.target is not None:
            axis.axhline(report.target, color="grey", linestyle="--", linewidth=1)
        axis.set_title(group)
        axis.set_xticks([])
        axis.margins(y=0.18)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel(report.unit)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(series), frameon=False)
    figure.suptitle(report.title, fontsize=11)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, dpi=140)
    pyplot.close(figure)
