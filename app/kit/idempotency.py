"""A write with a key happens once: a replay gets the stored result, another request under the same key is refused.

`once` is the whole of such a write: it opens the transaction, claims the key, and only then calls what does the work.
So no limit, no balance and no check of any kind can refuse a replay: whatever may say no is part of the work.

What takes long, or waits for anything but the database, does not happen in a transaction: see `once_prepared`.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from app.kit.db import Database, Scope, Tx
from app.kit.errors import IdempotencyKeyReused, InvalidInput, Problem
from app.kit.sql import beside

Q = beside(__file__, "idempotency.sql")
T = TypeVar("T")


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for under a key. Keys of different owners are apart.

    `request` is everything that makes two requests different, in a form that depends on nothing but the request.
    """

    owner: str
    user_id: UUID | None
    key: str
    operation: str
    request: Any


async def once(
    database: Database,
    scope: Scope,
    keyed: Keyed,
    work: Callable[[Tx], Awaitable[Any]],
    then: Callable[[Tx, Any, bool], Awaitable[T]],
) -> T:
    """Runs `work` in a transaction unless the key has been used; then `then` makes the answer of its result.

    The result must be JSON: ids, not rows. `then` gets the transaction, the result, and whether it is fresh. Key,
    result and work commit or roll back together, and of several at once the others wait for the first: therefore
    `work` does everything over the transaction it is given, and waits for no other connection.

    Raises IdempotencyKeyReused when the key belongs to another request.
    """
    request_hash = _request_hash(keyed)

    async def write(tx: Tx) -> T:
        fresh = await tx.fetch_one(Q.claim_key, keyed.owner, keyed.key, keyed.operation, request_hash, keyed.user_id)
        if fresh is None:
            claimed = await _claimed(tx, keyed)
            # A row that we may not see belongs to somebody else; from here it is as good as another request.
            if claimed is None:
                raise IdempotencyKeyReused
            return await then(tx, claimed.result, False)
        # The first answer has the same types as a replay: a UUID is a string in both.
        result = msgspec.to_builtins(await work(tx))
        await tx.execute(Q.store_result, keyed.owner, keyed.key, result)
        return await then(tx, result, True)

    return await database.write(scope, write)


async def once_prepared(
    database: Database,
    scope: Scope,
    keyed: Keyed,
    prepare: Callable[[], AbstractAsyncContextManager[Callable[[Tx], Awaitable[Any]]]],
    then: Callable[[Tx, Any, bool], Awaitable[T]],
) -> T:
    """`once` for what takes long or waits: `prepare` gives the work, and holds no connection until it does.

    The key is looked up before, so that a replay costs nothing and is refused by nothing. It is looked up again when
    the first is refused anything: the same request may have been granted meanwhile, and be what it is refused for.
    """
    found = await replay_of(database, scope, keyed, then)
    if found is None:
        try:
            async with prepare() as work:
                return await once(database, scope, keyed, work, then)
        except IdempotencyKeyReused:
            raise
        except Problem:
            found = await replay_of(database, scope, keyed, then)
            if found is None:
                raise
    return found.answer


async def replay_of(
    database: Database, scope: Scope, keyed: Keyed, then: Callable[[Tx, Any, bool], Awaitable[T]]
) -> "_Replay[T] | None":
    """The answer of a key that has been used; None for another. Raises IdempotencyKeyReused."""

    async def read(tx: Tx) -> _Replay[T] | None:
        claimed = await _claimed(tx, keyed)
        return None if claimed is None else _Replay(await then(tx, claimed.result, False))

    return await database.read(scope, read)


class _Replay(NamedTuple, Generic[T]):
    answer: T


class _Claimed(NamedTuple):
    result: Any


async def _claimed(tx: Tx, keyed: Keyed) -> _Claimed | None:
    """What is stored under the key. Raises IdempotencyKeyReused when it belongs to another request."""
    request_hash = _request_hash(keyed)
    row = await tx.fetch_one(Q.claimed_key, keyed.owner, keyed.key)
    if row is None:
        return None
    if row["operation"] != keyed.operation or row["request_hash"] != request_hash:
        raise IdempotencyKeyReused
    return _Claimed(row["result"])


def _request_hash(keyed: Keyed) -> str:
    """Raises InvalidInput for what cannot be a key."""
    if not 1 <= len(keyed.key) <= 200 or not keyed.key.isprintable():
        raise InvalidInput("idempotencyKey", "An idempotency key has 1 to 200 printable characters.")
    return hashlib.sha256(_body(keyed)).hexdigest()


def _body(keyed: Keyed) -> bytes:
    body = [keyed.operation, keyed.request]
    try:
        return msgspec.json.encode(body, order="deterministic")
    except UnicodeEncodeError:
        # A lone surrogate is refused in the end, but by the work and in words that say which field has it.
        return json.dumps(msgspec.to_builtins(body, order="deterministic", str_keys=True)).encode()
