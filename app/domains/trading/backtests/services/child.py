"""A process that simulates: it reads one task from its input, and writes messages to its output.

It ends when nobody reads them any more.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

from app.domains.market.analysis.rules.series import MalformedSeries
from app.domains.trading.backtests.model import CandlesMissing
from app.domains.trading.backtests.model.tasks import Done, Failed, Heard, Message, Part, Task
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation

HEARD: Final = 20
"""How often a part is heard of, at most."""
LENGTH_BYTES: Final = 4
NICENESS: Final = 10
"""Matching and requests come first."""
_DEFECT: Final = "It could not be computed; the log says why."


def frame_of(message: Message | Task) -> bytes:
    """A message with its length before it."""
    encoded = msgspec.msgpack.encode(message)
    return len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded


def simulate(task: Task, output: BinaryIO) -> None:
    """Does all parts, one after the other."""

    def write(message: Message) -> None:
        output.write(frame_of(message))
        output.flush()

    market = Market(task.candles, has_second=task.has_second)
    for number, part in enumerate(task.parts):
        try:
            write(_done(task, market, number, part, write))
        except (CandlesMissing, MalformedSeries) as problem:
            reason = str(problem).rstrip(".")
            write(Failed(number, f"{reason[:1].upper()}{reason[1:]}."))
        except OSError:
            raise
        except Exception:
            traceback.print_exc()
            write(Failed(number, _DEFECT))


def _done(task: Task, market: Market, number: int, part: Part, write: Callable[[Message], None]) -> Done:
    every = max(1, -(-(part.end - part.first) // HEARD))

    def advance(candles: int) -> None:
        if candles % every == 0:
            write(Heard(number, candles))

    report = Simulation(part.run, market, part.first, part.end).run(advance)
    return Done(number, report.metrics, report if task.whole else None)


def main() -> None:
    """Does the task that is read from the input."""
    os.nice(NICENESS)
    length = int.from_bytes(sys.stdin.buffer.read(LENGTH_BYTES), "big")
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(length), type=Task)
    try:
        simulate(task, sys.stdout.buffer)
    except BrokenPipeError:
        # The worker has ended, or the run was cancelled.
        os._exit(1)


if __name__ == "__main__":
    main()
