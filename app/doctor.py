"""The checks of what is stored: `python -m app doctor <check>`."""

import sys
from datetime import date
from typing import Annotated

import typer

from app.console import err, fail, located, out, progress_bar, run, settings_or_fail, table
from app.settings import Settings

doctor = typer.Typer(no_args_is_help=True, help="Checks of what is stored. Each says the first thing that is wrong.")


@doctor.command("chain")
def doctor_chain() -> None:
    """Replays the chain from genesis: every hash, root, signature, spend and reward, then the unspent set."""
    from app.maintenance import doctor_chain as check

    with progress_bar() as progress:
        report = run(check(located(settings_or_fail()), progress))
    if report.reason is not None:
        fail(f"wrong at height {report.wrong_height}: {report.reason} ({report.blocks} blocks before it are right)")
    out.print(f"{report.blocks} blocks, {report.transactions} transactions: all right")
    if report.ahead:
        out.print(
            f"{report.ahead} blocks state a time that was still to come when they were connected: a clock was wrong"
        )
    out.print(f"unspent set {report.utxo_set_hash}")


@doctor.command("audit")
def doctor_audit() -> None:
    """Checks the audit log's hash chain, and the changes of orders against it: an edit or a deletion shows."""
    from app.maintenance import doctor_audit as check

    verdicts = run(check(located(settings_or_fail())))
    for verdict in verdicts:
        if not verdict.ok:
            fail(verdict.message)
        out.print(verdict.message)


@doctor.command("books")
def doctor_books() -> None:
    """Compares the journal with balances, positions and lots: money that came from nowhere or went there shows."""
    from app.maintenance import doctor_books as check

    with progress_bar() as progress:
        report = run(check(located(settings_or_fail()), progress))
    for finding in report.findings:
        err.print(f"{finding.subject}: {finding.message}", highlight=False, markup=False, soft_wrap=True)
    if report.findings:
        fail("the books do not agree")
    out.print(f"{report.portfolios} portfolios, {report.entries} entries, {report.lines} lines: all right")


@doctor.command("data")
def doctor_data(
    repair: Annotated[bool, typer.Option("--repair", help="Counts anew what differs, and stores it.")] = False,
) -> None:
    """Finds rows whose parents are missing, also those of another tenant or mode, and counters that differ.

    Only counters are mended: what becomes of orphans a person decides.
    """
    from app.maintenance import doctor_data as check

    with progress_bar() as progress:
        report = run(check(located(settings_or_fail()), progress, repairs=repair))
    if report.repairs:
        lines = [(each.counter, each.mended, each.examples) for each in report.repairs]
        out.print(table("Mended", "Number", lines))
    if report.findings:
        out.print(table("Wrong", "Number", [(each.check, each.found, each.examples) for each in report.findings]))
        fail("the data do not agree" if repair else "the data do not agree; --repair mends counters")
    out.print(f"{report.checks} checks: all right", highlight=False)


@doctor.command("archives")
def doctor_archives(
    month: Annotated[
        str | None, typer.Option("--print", help="Prints the events of a month, such as 2026-01, as JSON lines.")
    ] = None,
) -> None:
    """Reads the archives of events of projects: every file is what its manifest says."""
    from app.maintenance import doctor_archives as check

    settings = settings_or_fail()
    if month is not None:
        _print_archive(settings, month)
        return
    with progress_bar() as progress:
        verdicts = run(check(located(settings), progress))
    faults = [verdict for verdict in verdicts if verdict.fault is not None]
    for verdict in faults:
        err.print(f"{verdict.month}: {verdict.fault}", highlight=False, markup=False, soft_wrap=True)
    if faults:
        fail(f"{len(faults)} of {len(verdicts)} archives in {settings.archives} are damaged")
    events = sum(verdict.events for verdict in verdicts)
    out.print(f"{len(verdicts)} archives, {events:,} events: all right", highlight=False)


def _print_archive(settings: Settings, month: str) -> None:
    from app.domains.campaigns.analytics.services.archive_files import ArchiveDamaged, ArchiveFolder

    try:
        wanted = date.fromisoformat(f"{month}-01")
        for line in ArchiveFolder(settings.archives).lines(wanted):
            sys.stdout.buffer.write(line)
        sys.stdout.flush()
    except ValueError:
        fail(f"{month} is no month: write it as 2026-01")
    except (ArchiveDamaged, OSError) as error:
        fail(str(error))


@doctor.command("soak")
def doctor_soak(
    steps: Annotated[int, typer.Option(min=1, help="How many random steps.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed does the same.")] = 1,
) -> None:
    """Drives the rules of trading with random steps, and checks after each what must always hold. Needs no server."""
    from app.dev.soak.histories import soak

    with progress_bar() as progress:
        task = progress.add_task("soaking", total=steps)
        soaked = soak(steps, seed, lambda done: progress.update(task, completed=done))
    for name, count in sorted(soaked.matched.items()):
        out.print(f"{count:>12,} {name}", highlight=False)
    if soaked.failure is not None:
        failure = soaked.failure
        for step in failure.steps:
            err.print(str(step), highlight=False, markup=False, soft_wrap=True)
        err.print(failure.problem, highlight=False, markup=False, soft_wrap=True)
        fail(f"step {soaked.steps:,} of seed {seed} broke something (history {failure.seed}); above are steps that do")
    out.print(f"{soaked.steps:,} steps with seed {seed}: all right", highlight=False)
