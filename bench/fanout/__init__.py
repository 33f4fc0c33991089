"""Fan-out: one event to thousands of sockets, over the whole path, and their reconnection after a kill of the server.

DESIGN section 9. Every run is compared with the publisher's log; a run that does not match is reported as VOID.
"""

from rich.progress import Progress

from app.dev.embedded import Embedded
from bench.fanout import crowd, fullpath, private
from bench.fanout.children import worker
from bench.fanout.stage import QUICK, Size, allow_descriptors, load_on_its_core, set_up
from bench.fanout.table import report, void
from bench.report import Report, console

__all__ = ["QUICK", "Size", "measure"]


def measure(servers: Embedded, size: Size, progress: Progress) -> Report:
    """All of it. bench/data.py must have filled the database that the events are about."""
    allow_descriptors()
    with load_on_its_core(servers):
        stage = set_up(servers, progress)
        with worker(stage.environment):
            full = fullpath.measure(stage, size, progress)
            many = crowd.measure(stage, size, progress)
            own = private.measure(stage, size, progress)
    for reason in void(full, many, own):
        console.print(f"VOID: {reason}", style="bold red", markup=False)
    return report(size, full, many, own)
