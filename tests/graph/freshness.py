"""Whether what a mutation shows was read after what it has written."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from unittest import mock
from weakref import WeakKeyDictionary

from app.kit.db import Database
from app.kit.reads import Reads

_watched: ContextVar[list[str] | None] = ContextVar("watched", default=None)


@contextlib.contextmanager
def stale_reads() -> Iterator[list[str]]:
    """Fills with the loads that are asked of reads which are older than the last write.

    With an earlier mutation in the same document, or a check before the write, they show the past. What others write in
    this process meanwhile does not matter.
    """
    stale: list[str] = []
    _watched.set(stale)
    writes = 0
    born: WeakKeyDictionary[Reads, int] = WeakKeyDictionary()
    write, load = Database.write, Reads._load

    async def counted(self: Database, *arguments: Any, **options: Any) -> Any:
        nonlocal writes
        try:
            return await write(self, *arguments, **options)
        finally:
            writes += _watched.get() is stale

    def asked(self: Reads, group: Any, *rest: Any) -> Any:
        # The snapshot opens with the first load: until then it is of no moment yet.
        if born.setdefault(self, writes) < writes:
            stale.append(group[0].query.name)
        return load(self, group, *rest)

    with (
        mock.patch.object(Database, "write", counted),
        mock.patch.object(Reads, "_load", asked),
    ):
        yield stale
