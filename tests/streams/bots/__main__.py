"""`python -m tests.streams.bots --cycles 30`: what the test does, for as long as one likes."""

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from tests.streams.bots.workers import BOTS, WORKERS, Outcome, workers_with_bots
from tests.streams.servers import killable_servers
from tests.waiting import now

console = Console()
command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def main(cycles: Annotated[int, typer.Option(min=1, help="How often a worker is killed.")] = 30) -> None:
    """Kills a worker again and again while bots decide, and audits what they did."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="moneta-bots-", ignore_cleanup_errors=True) as folder:
        begun = now()
        outcome = asyncio.run(run(Path(folder), cycles))
    console.print(
        f"{WORKERS} workers, {BOTS} bots, {outcome.kills} kills in {now() - begun:,.0f} s: {outcome.candles} candles,"
        f" {outcome.decisions:,} of {outcome.due:,} decisions, {outcome.signals:,} signals, {outcome.orders:,} orders,"
        f" {outcome.fills:,} fills. None is there twice, and all books agree.",
        highlight=False,
    )


async def run(home: Path, cycles: int) -> Outcome:
    """Runs so many cycles."""
    with killable_servers(home / "servers") as servers:
        async with workers_with_bots(home, servers) as workers:
            for number in range(cycles):
                await workers.cycle()
                console.print(f"{number + 1} of {cycles}", highlight=False)
            return await workers.end()


if __name__ == "__main__":
    command()
