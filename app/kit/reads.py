"""All that one request reads: equal loads are made once, and loads of the same turn are one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from app.kit.db import PUBLIC, Database, Executor, Scope, Tx
from app.kit.errors import Repeatable
from app.kit.list_pages import fetch_counts, fetch_pages
from app.kit.lists import PageRequest, PageResult
from app.kit.loaders import Audience, Many, One, Page
from app.kit.snapshots import ExternalResults, SnapshotMode, StatementSnapshots

R = TypeVar("R")
T = TypeVar("T")

COUNT_LIMIT = 1000
"""Lists are counted exactly up to here; beyond, a count says 'at least'."""


class _Load:
    """The load of one key: its outcome, or the callers that wait for it.

    Each caller waits on a future of its own, so that cancelling one caller does not affect the others.
    """

    __slots__ = ("_loop", "_settled", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._settled: asyncio.Future[Any] | None = None
        self._waiting: list[asyncio.Future[Any]] = []

    def wait(self) -> "asyncio.Future[Any]":
        if self._settled is not None:
            return self._settled
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(future)
        return future

    def succeed(self, result: Any) -> None:
        for future in self._settle():
            future.set_result(result)

    def fail(self, error: Exception) -> None:
        for future in self._settle():
            future.set_exception(error)
            # Marks it as retrieved: a request that failed elsewhere may never read it.
            future.exception()

    def cancel(self) -> None:
        if self._settled is None:
            for future in self._settle():
                future.cancel()

    def _settle(self) -> "list[asyncio.Future[Any]]":
        self._settled = self._loop.create_future()
        return [self._settled, *(future for future in self._waiting if not future.done())]


_Batch = dict[Any, _Load]
"""Keys requested in one turn of the event loop."""


class Reads:
    """All that one request reads. Equal loads are made once; loads of the same turn are one statement.

    Loads of an anonymous caller, who sees only public data, run in autocommit on the pool; for those of a viewer see
    `SnapshotMode`.
    """

    def __init__(self, database: Database, scope: Scope) -> None:
        self.database = database
        self.scope = scope
        self.snapshot_mode = SnapshotMode.AS_DECLARED
        self.is_repeated = True
        """Whether the request is repeated as a whole where the database was changing under it. A mutation is not: what
        it shows is then read on from other snapshots."""
        self._external = ExternalResults()
        self._many = StatementSnapshots(database, scope)
        self._loads: dict[Any, _Load] = {}
        self._batches: dict[Any, _Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()
        self._snapshot: asyncio.Future[Tx] | None = None
        self._closed = False

    async def aclose(self) -> None:
        """Ends the snapshot. Loads still under way are cancelled."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._snapshot is not None and not self._snapshot.done():
                await asyncio.wait([self._snapshot])
        finally:
            if self._snapshot is not None:
                # A close that is cancelled while the snapshot is being opened leaks no connection.
                self._snapshot.cancel()
            # A failure holds its frames, and they hold these reads.
            self._loads.clear()
            await self._stack.aclose()

    def one(self, loader: One[R], key: Any) -> Awaitable[R | None]:
        """The record with this key, or None."""
        return self._load((loader,), key, self._load_one)

    def many(self, loader: Many[R], key: Any) -> Awaitable[list[R]]:
        """The records that belong to this key."""
        return self._load((loader,), key, self._load_many)

    def page(self, loader: Page[R], key: Any, request: PageRequest) -> Awaitable[PageResult[R]]:
        """One page of the records that belong to this key; `key` is None for a list of its own."""
        return self._load((loader, request), key, self._load_page)

    def count(self, loader: Page[Any], key: Any, filters: tuple[tuple[str, Any], ...]) -> Awaitable[int]:
        """How many records the list holds, counted up to COUNT_LIMIT + 1."""
        return self._load((loader, filters), key, self._load_count)

    def anew(self, scope: Scope) -> "Reads":
        """New reads for the same request from a later snapshot, possibly for another scope."""
        reads = Reads(self.database, scope)
        reads.snapshot_mode, reads.is_repeated, reads._external = self.snapshot_mode, self.is_repeated, self._external
        return reads

    async def external(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """A result that others make with connections of their own, made once for each key.

        It is not waited for while this request holds a connection: ResultPending is raised instead, and after
        `make_pending` the request is repeated.
        """
        if self.scope == PUBLIC or self.snapshot_mode is not SnapshotMode.SINGLE:
            if self._snapshot is not None:
                raise RuntimeError("these reads hold a connection and may not wait for others")
            return await make()
        made: T = self._external.get(key, make)
        return made

    async def make_pending(self) -> bool:
        """Waits for what is due from others; False where nothing is. The request holds no connection now."""
        return await self._external.make()

    async def executor(self, audience: Audience) -> Executor:
        """Returns the executor for statements of this audience."""
        self._check_open()
        if self._snapshot is None:
            is_public = audience is Audience.PUBLIC and self.snapshot_mode is not SnapshotMode.SINGLE
            if self.scope == PUBLIC or is_public:
                return self.database
            if self.snapshot_mode is SnapshotMode.PER_STATEMENT:
                return self._many
            self._snapshot = asyncio.ensure_future(self._open_snapshot())
            self._snapshot.add_done_callback(_see_error)
        return await asyncio.shield(self._snapshot)

    def _check_open(self) -> None:
        # A resolver that begins once its operation has failed would open a snapshot that nobody ends.
        if self._closed:
            raise RuntimeError("these reads have ended")

    async def _open_snapshot(self) -> Tx:
        return await self._stack.enter_async_context(self.database.snapshot(self.scope))

    def _load(self, group: tuple[Any, ...], key: Any, run: Callable[..., Any]) -> "asyncio.Future[Any]":
        cache_key = (*group, key)
        if (known := self._loads.get(cache_key)) is not None:
            return known.wait()
        self._check_open()
        loop = asyncio.get_running_loop()
        load = self._loads[cache_key] = _Load(loop)
        batch = self._batches.get(group)
        if batch is None:
            batch = self._batches[group] = {}
            # Two turns: resolvers of one level that resume from the same future all get to add their keys.
            loop.call_soon(loop.call_soon, self._dispatch, group, batch, run)
        batch[key] = load
        return load.wait()

    def _dispatch(self, group: tuple[Any, ...], batch: _Batch, run: Callable[..., Any]) -> None:
        del self._batches[group]
        task = asyncio.get_running_loop().create_task(self._run(group, batch, run))
        self._tasks.add(task)
        if self._closed:
            task.cancel()

        def finished(_: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            # A task that was cancelled, perhaps before its first step, has settled no load.
            for load in batch.values():
                load.cancel()

        task.add_done_callback(finished)

    async def _run(self, group: tuple[Any, ...], batch: _Batch, run: Callable[..., Any]) -> None:
        keys, mode = list(batch), self.snapshot_mode
        try:
            try:
                results: Mapping[Any, Any] = await run(keys, *group)
            except Exception as error:
                # Others that were under way in the same snapshot fail with it, each in its own way.
                lost = mode is not self.snapshot_mode
                if self.is_repeated or self._closed or not (lost or isinstance(error, Repeatable)):
                    raise
                await self._read_on()
                results = await run(keys, *group)
            outcomes = [(load, results[key]) for key, load in batch.items()]
        except Exception as error:
            for load in batch.values():
                load.fail(error)
        else:
            for load, result in outcomes:
                load.succeed(result)

    async def _read_on(self) -> None:
        """Ends the snapshot. Each further statement reads from a snapshot of its own."""
        self.snapshot_mode = SnapshotMode.PER_STATEMENT
        stack, self._stack, self._snapshot = self._stack, AsyncExitStack(), None
        await stack.aclose()

    async def _load_one(self, keys: list[Any], loader: One[Any]) -> Mapping[Any, Any]:
        executor = await self.executor(loader.audience)
        found: dict[Any, Any] = dict.fromkeys(keys)
        for record in await executor.fetch(loader.query, keys):
            found[getattr(record, loader.key)] = record
        return found

    async def _load_many(self, keys: list[Any], loader: Many[Any]) -> Mapping[Any, Any]:
        executor = await self.executor(loader.audience)
        return await executor.fetch_keyed(loader.query, keys)

    async def _load_page(self, keys: list[Any], loader: Page[Any], request: PageRequest) -> Mapping[Any, Any]:
        executor = await self.executor(loader.audience)
        return await fetch_pages(executor, loader, keys, request)

    async def _load_count(
        self, keys: list[Any], loader: Page[Any], filters: tuple[tuple[str, Any], ...]
    ) -> Mapping[Any, Any]:
        executor = await self.executor(loader.audience)
        return await fetch_counts(executor, loader, keys, COUNT_LIMIT + 1, filters)


def _see_error(snapshot: "asyncio.Future[Tx]") -> None:
    # Every load that wanted the snapshot may be gone by the time it fails to open.
    if not snapshot.cancelled():
        snapshot.exception()
