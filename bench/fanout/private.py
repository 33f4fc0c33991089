"""Every socket belongs to another viewer and sees the events of a stream of its own: from commit to client."""

from typing import Final

from rich.progress import Progress

from bench.fanout.children import publisher
from bench.fanout.runs import Run, audience
from bench.fanout.stage import Size, Stage
from bench.servers import moneta_server, serving

EVENTS_PER_S: Final = 200.0
DOCUMENT: Final = (
    "subscription($after: Cursor) { transactionUpdates(after: $after) { cursor transaction { hash amount status } } }"
)


def measure(stage: Stage, size: Size, progress: Progress) -> list[Run]:
    """One socket for each viewer."""
    runs = []
    sockets = len(stage.wallets.streams)
    server = moneta_server(stage.database_url, stage.redis_url, stage.environment)
    with serving(server) as target, publisher(stage.wallets) as publish:
        task = progress.add_task(f"{sockets:,} viewers, a stream each", total=size.rounds)
        with audience(target, publish, stage.wallets) as listeners:
            listeners.open(sockets, stage.tokens, document=DOCUMENT)
            for _ in range(size.rounds):
                runs.append(listeners.run(EVENTS_PER_S, size.seconds))
                progress.advance(task)
    return runs
