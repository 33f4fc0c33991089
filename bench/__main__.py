"""`python -m bench [names] [--seconds 5] [--quick]`: measures what is named, or all; reports, gates nothing."""

import asyncio
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.dev.embedded import Embedded, EmbeddedError
from bench import (
    alerts,
    backtests,
    blocks,
    bots,
    campaigns,
    data,
    documents,
    fanout,
    feed,
    imports,
    keys,
    login,
    promises,
    queries,
    trading,
    transfers,
    watched,
)
from bench.report import Report, console, save, show
from bench.servers import embedded_servers
from bench.trading import matching

ROUNDS = 3
command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Name(StrEnum):
    """What can be measured."""

    QUERIES = "queries"
    TRANSFERS = "transfers"
    BLOCKS = "blocks"
    FANOUT = "fanout"
    ALERTS = "alerts"
    FEED = "feed"
    PROMISES = "promises"
    DOCUMENTS = "documents"
    LOGIN = "login"
    KEYS = "keys"
    TRADING = "trading"
    WATCHED = "watched"
    BACKTESTS = "backtests"
    BOTS = "bots"
    CAMPAIGNS = "campaigns"
    IMPORTS = "imports"


@command.command()
def main(
    names: Annotated[list[Name] | None, typer.Argument(help="What to measure; all when nothing is named.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each run lasts.", min=0.5)] = 5.0,
    quick: Annotated[bool, typer.Option("--quick", help="One run of one second of each: does it work at all?")] = False,
) -> None:
    """Measures Moneta on this machine. Results go to bench/results, those of --quick nowhere; nothing is gated."""
    seconds = 1.0 if quick else seconds
    try:
        with embedded_servers() as servers:
            for name in names or list(Name):
                with Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeElapsedColumn(),
                    console=console,
                ) as progress:
                    report = _measure(name, servers, seconds, progress, quick=quick)
                show(report)
                if not quick:
                    save(report)
    except EmbeddedError as error:
        console.print(str(error), style="red", markup=False)
        raise SystemExit(1) from None


_ALIKE = {
    Name.BLOCKS: blocks.measure,
    Name.PROMISES: promises.measure,
    Name.BOTS: bots.measure,
    Name.IMPORTS: imports.measure,
}


def _measure(name: Name, servers: Embedded, seconds: float, progress: Progress, *, quick: bool) -> Report:
    rounds = 1 if quick else ROUNDS
    match name:
        case Name.QUERIES:
            database_url = asyncio.run(data.read_database(servers.database_url, progress))
            return queries.measure(servers, database_url, seconds, rounds, progress)
        case Name.TRANSFERS:
            return transfers.measure(servers, seconds, rounds, progress)
        case Name.BLOCKS | Name.PROMISES | Name.BOTS | Name.IMPORTS:
            return asyncio.run(_ALIKE[name](servers, rounds, progress))
        case Name.FANOUT:
            asyncio.run(data.read_database(servers.database_url, progress))
            size = fanout.QUICK if quick else fanout.Size(rounds=rounds, seconds=seconds)
            return fanout.measure(servers, size, progress)
        case Name.ALERTS:
            return asyncio.run(alerts.measure(servers, 1 if quick else alerts.TICKS, progress))
        case Name.DOCUMENTS:
            return documents.measure(rounds, progress)
        case Name.FEED:
            return feed.measure(servers, seconds if quick else feed.MEASURED_S, progress)
        case Name.LOGIN:
            return login.measure(servers, rounds, progress)
        case Name.KEYS:
            return keys.measure(servers, rounds, 100 if quick else keys.REQUESTS, progress)
        case Name.TRADING | Name.CAMPAIGNS:
            sized = {
                Name.TRADING: partial(trading.measure, open_orders=matching.FEW_OPEN if quick else matching.OPEN),
                Name.CAMPAIGNS: partial(campaigns.measure, people=campaigns.FEW if quick else campaigns.PEOPLE),
            }
            return sized[name](servers, seconds, rounds, progress)
        case Name.BACKTESTS:
            return backtests.measure(rounds, progress)
        case Name.WATCHED:
            return asyncio.run(watched.measure(servers, 1 if quick else watched.TICKS, progress))


if __name__ == "__main__":
    command()
