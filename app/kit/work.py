"""The current unit of work: its party, how many statements it took, and whether it holds a connection."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Final

SHARED: Final = "shared"
"""The party of work that serves many callers: public streams, and answers computed once."""


class Work:
    """One request, one event or one job, with all the tasks that it starts."""

    __slots__ = ("begun_by", "is_passing", "open_transactions", "party", "statements")

    def __init__(self, party: Hashable = None, begun_by: "Work | None" = None) -> None:
        """`party` shares the database fairly with the others; None is Moneta itself."""
        self.party = party
        self.begun_by = begun_by
        self.statements = 0
        self.open_transactions = 0
        """While there is one, this work holds a connection: it must not wait for anything else, nor for another one."""
        self.is_passing = False
        """Whether this work is a single transaction only."""


_work: ContextVar[Work | None] = ContextVar("work", default=None)


def current_work() -> Work | None:
    """Returns the work that this task belongs to, or None."""
    work = _work.get()
    # The task that began a passing one, and every task begun within, still has it when it is over.
    return None if work is None or (work.is_passing and not work.open_transactions) else work


def begin_transaction() -> Work:
    """Notes that the current work holds a connection; what belongs to none is a work of its own meanwhile.

    The caller subtracts 1 from `open_transactions` at its end, which may be in another task.
    """
    work = current_work()
    if work is None:
        work = Work()
        work.is_passing = True
        _work.set(work)
    work.open_transactions += 1
    return work


def count_statement() -> None:
    """Counts a statement for the current work, and for the work that began it."""
    work = _work.get()
    while work is not None:
        work.statements += 1
        work = work.begun_by


def free_to_wait(for_what: str) -> None:
    """Checks that the current task may wait for something other than the database, or take long.

    Raises RuntimeError, a defect, while its work holds a connection that others wait for.
    """
    work = current_work()
    if work is not None and work.open_transactions:
        raise RuntimeError(f"this work holds a connection and may not wait for {for_what}")


@contextmanager
def working(work: Work) -> Iterator[Work]:
    """Everything within, and every task begun within, belongs to `work`."""
    token = _work.set(work)
    try:
        yield work
    finally:
        _work.reset(token)


def detached_context() -> Context:
    """Returns a context for a shared task, which outlives the work that happened to begin it."""
    context = copy_context()
    context.run(_work.set, Work(SHARED, begun_by=current_work()))
    return context
