"""`python -m tests.streams.exchange --cycles 30`: what the test does, for as long as one likes."""

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.streams.deployment import running_deployment
from tests.streams.exchange.faults import Cycle, Faults, Kill, faults
from tests.streams.servers import killable_servers
from tests.waiting import now

console = Console()
command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def main(
    cycles: Annotated[int, typer.Option(min=1, help="How often something is killed: each in turn.")] = 30,
) -> None:
    """Kills the API, the worker that matches, Postgres and Valkey in turn under orders, and audits after each."""
    # Whatever this process itself misses while Postgres is down shows in its exceptions.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with (
        tempfile.TemporaryDirectory(prefix="moneta-faults-", ignore_cleanup_errors=True) as folder,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as progress,
    ):
        task = progress.add_task("starting", total=cycles)

        def note(kill: Kill, found: Faults) -> None:
            described = f"killing {kill}: {found.acknowledged:,} orders, {found.fills:,} fills"
            progress.update(task, description=described, completed=len(found.cycles))

        asyncio.run(run(Path(folder), cycles, note))


async def run(home: Path, cycles: int, note: Callable[[Kill, Faults], None]) -> None:
    """Runs so many cycles, and prints what they found."""
    with killable_servers(home / "servers") as servers:
        async with running_deployment(home, servers) as deployment:
            begun = now()
            async with faults(deployment) as here:
                for kill in islice(cycle(Kill), cycles):
                    note(kill, here)
                    await here.cycle(kill)
                    note(kill, here)
            show(here, now() - begun)


def show(found: Faults, lasted_s: float) -> None:
    """The figures."""
    refused, cancelled = Counter[str](), 0
    for trader in found.traders:
        refused.update(trader.refused)
        cancelled += len(trader.cancelled)
    console.print(
        f"{len(found.cycles)} cycles in {lasted_s:,.0f} s: {found.acknowledged:,} orders acknowledged,"
        f" {refused.total():,} refused {dict(refused)}, {cancelled:,} cancelled,"
        f" {found.desk.repeated:,} requests repeated, {found.fills:,} fills. None is lost, and none there twice.",
        highlight=False,
    )
    table = Table("killed", "times", "first match after (median)", "at most", "of it down (median)")
    for kill in Kill:
        done = [each for each in found.cycles if each.kill is kill]
        if done:
            table.add_row(kill, str(len(done)), *_figures(done))
    console.print(table)


def _figures(done: Sequence[Cycle]) -> list[str]:
    matched, down = [each.first_match_s for each in done], [each.down_s for each in done]
    return [f"{seconds:.2f} s" for seconds in (median(matched), max(matched), median(down))]


if __name__ == "__main__":
    command()
