"""What was found, as a report."""

import os
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from bench.fanout.crowd import EVENTS_MEANWHILE_PER_S, Crowd, Return
from bench.fanout.fullpath import MONETA, FullPath
from bench.fanout.private import EVENTS_PER_S
from bench.fanout.runs import SUSTAINED, Run
from bench.fanout.stage import SETTINGS, Size
from bench.report import Bar, Report

TARGET_PER_S: Final = 80_000.0
IDLE_KIB: Final = 30.0
OPENED_PER_S: Final = 1_000.0
RETURN_S: Final = 15.0

Row = list[str]


def report(size: Size, full: FullPath, crowd: Crowd, private: list[Run]) -> Report:
    """The table, the plot, and what to know about them."""
    runs = [*_side_by_side(full), *full.at_target, *crowd.runs, *private]
    rows = [
        *(_highest(server, group, full) for server, group in full.highest.items()),
        *(
            _latency(f"{server}: {group[0].asked:,.0f}/s to {size.sockets:,} sockets", "", group)
            for server, group in full.alike.items()
        ),
        _latency(f"{full.at_target[0].asked:,.0f}/s to {size.sockets:,} sockets", "p99 <= 25 ms", full.at_target),
        _latency(f"{crowd.runs[0].asked:,.0f}/s to {size.crowd:,} sockets", "p99 <= 200 ms", crowd.runs),
        *_idle(crowd),
        *_opened(crowd),
        _returns(crowd.returns),
        _latency(
            f"{EVENTS_PER_S:g} events/s to {private[0].sockets:,} viewers, a stream each",
            "p50 <= 15 ms, p99 <= 60 ms",
            private,
        ),
    ]
    return Report(
        name="fanout",
        title="Events to thousands of sockets",
        unit="median and range",
        target=TARGET_PER_S,
        other_load=[run.other_load for run in runs],
        conditions=_conditions(size, full, runs, [*full.highest.values()]),
        columns=["", "target", "median", "range", "p50", "p99", "server's core", "client's core"],
        rows=rows,
        bars=[*_bars(full)],
        raw={"size": size, "full_path": full, "crowd": crowd, "private": private},
    )


def void(full: FullPath, crowd: Crowd, private: list[Run]) -> list[str]:
    """Measurements that are not valid."""
    runs: list[Run | Return] = [*full.at_target, *crowd.runs, *crowd.returns, *private, *_side_by_side(full)]
    return [run.void for run in runs if run.void]


def _side_by_side(full: FullPath) -> list[Run]:
    return [run for group in (*full.highest.values(), *full.alike.values()) for run in group]


def _highest(server: str, runs: list[Run], full: FullPath) -> Row:
    rates = [run.achieved for run in runs]
    name = f"{server}: highest rate sustained, {runs[0].sockets:,} sockets"
    if server != MONETA:
        ratio = median(ours.achieved / run.achieved for ours, run in zip(full.highest[MONETA], runs, strict=True))
        name += f" (Moneta: {ratio:.1f} times)"
    target = f">= {TARGET_PER_S:,.0f}/s" if server == MONETA else ""
    return [name, target, f"{median(rates):,.0f}/s", f"{min(rates):,.0f}-{max(rates):,.0f}", *_common(runs)]


def _latency(name: str, target: str, runs: list[Run]) -> Row:
    rates = [run.achieved for run in runs]
    kept = f"{median(rates):,.0f}/s" + ("" if all(run.sustained for run in runs) else " (not sustained)")
    return [name, target, kept, f"{min(rates):,.0f}-{max(rates):,.0f}", *_common(runs)]


def _common(runs: Sequence[Run]) -> Row:
    if any(run.void for run in runs):
        return ["VOID", "VOID", "", ""]

    def middle(value: Callable[[Run], float]) -> float:
        return median(value(run) for run in runs)

    return [
        f"{middle(lambda run: run.p50_ms):.1f} ms",
        f"{middle(lambda run: run.p99_ms):.1f} ms",
        f"{middle(lambda run: run.server_cpu):.0%}",
        f"{middle(lambda run: run.client_cpu):.0%}",
    ]


def _idle(crowd: Crowd) -> list[Row]:
    return [
        [f"memory of an idle subscribed socket, of {sockets:,}", f"<= {IDLE_KIB:g} KiB", f"{kib:.1f} KiB", *[""] * 5]
        for sockets, kib in crowd.idle_kib.items()
    ]


def _opened(crowd: Crowd) -> list[Row]:
    return [
        [
            f"connect, token, subscribe; {in_flight} in flight",
            f">= {OPENED_PER_S:,.0f}/s",
            f"{median(rates):,.0f}/s",
            f"{min(rates):,.0f}-{max(rates):,.0f}",
            *[""] * 4,
        ]
        for in_flight, rates in crowd.opened_per_s.items()
    ]


def _returns(returns: list[Return]) -> Row:
    seconds = [each.seconds for each in returns]
    verdict = "VOID" if any(each.void for each in returns) else "none lost, none twice"
    return [
        f"{returns[0].sockets:,} sockets resume after SIGKILL",
        f"<= {RETURN_S:g} s, none lost",
        f"{median(seconds):.1f} s, {verdict}",
        f"{min(seconds):.1f}-{max(seconds):.1f} s",
        *[""] * 4,
    ]


def _bars(full: FullPath) -> list[Bar]:
    bars = []
    values: dict[str, Callable[[Run], float]] = {
        "deliveries/s": lambda run: run.achieved,
        "p50 at that rate, ms": lambda run: run.p50_ms,
        "p99 at that rate, ms": lambda run: run.p99_ms,
    }
    for group, value in values.items():
        for server, runs in full.highest.items():
            found = [value(run) for run in runs]
            bars.append(Bar(group, server, median(found), min(found), max(found)))
    return bars


def _conditions(size: Size, full: FullPath, runs: list[Run], groups: list[list[Run]]) -> list[str]:
    frames = ", ".join(f"{group[0].server} {group[0].frame_bytes}" for group in groups)
    return [
        "One server process on core 0. On core 1: the client, the publisher, the relay's worker, Postgres and Valkey.",
        f"Medians of {size.rounds} runs of {size.seconds:g} s, the servers by turns. A rate counts as sustained when "
        f"{SUSTAINED:.0%} of what was asked for was delivered between the first commit and the last receipt.",
        "Moneta does all the work: facts appended in Postgres transactions and on disk, relayed to Valkey, executed "
        "with their SQL, sent. Its latency begins just before COMMIT is sent. The two others are handed the ready "
        "event by PUBLISH and ask no database, which favours them; their latency begins just before PUBLISH.",
        f"Frames, in bytes: {frames}. No compression; every socket has a subscription id of its own.",
        "Every run was reconciled with the publisher's log: each socket got each event exactly once and in order, or "
        "the run says VOID.",
        f"The client alone took {full.client_alone_per_s:,.0f} deliveries/s from a server that only sends, with "
        f"{full.client_alone_cpu:.0%} of its core. In the runs above it used at most "
        f"{max(run.client_cpu for run in runs):.0%}.",
        f"Resuming: the clients knew their last cursors, {EVENTS_MEANWHILE_PER_S:g} events/s went on; the time is from "
        "the kill, with the restart, until everybody had the first event committed after the last one was back.",
        f"Raised for this bench: {', '.join(f'{name}={value}' for name, value in SETTINGS.items())}.",
        "A server that is behind may write several events at once, and Moneta does: its highest rate is one of "
        "batches. Against the server that only sends, the client had one event at a time.",
        "Where all sockets get all events, latency is that of every tenth socket. The client looks at those every "
        "millisecond, which is part of the latency, and at the others every 50 ms: were it to look at all of them all "
        "the time, it would keep the core that Postgres, Valkey and the relay share with it. All are reconciled.",
        *(["All processes of the bench ran with real-time priority."] if os.sched_getscheduler(0) else []),
        *full.absent,
    ]
