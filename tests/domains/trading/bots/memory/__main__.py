"""`python -m tests.domains.trading.bots.memory --steps 1000000`: the walks of the test, for as long as one likes."""

import asyncio
import logging
from typing import Annotated

import pytest
import structlog
import typer
from rich.console import Console

from tests.domains.trading.bots.memory.walk import walks
from tests.domains.trading.bots.walks.chance import draw_decisions

console = Console()
command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def main(
    steps: Annotated[int, typer.Option(min=1)] = 100_000,
    seed: Annotated[int, typer.Option(help="Other walks.")] = 1,
) -> None:
    """Walks bots at random, and says what was met. Ends with the law that is broken, if one is."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with pytest.MonkeyPatch.context() as patch:
        draw_decisions(patch)
        met = asyncio.run(walks(steps, seed, lambda done: console.print(f"{done:,}", end="\r")))
    for what, count in sorted(met.items()):
        console.print(f"{count:>12,} {what}", highlight=False)
    console.print(f"{steps:,} steps with seed {seed}: all right")


if __name__ == "__main__":
    command()
