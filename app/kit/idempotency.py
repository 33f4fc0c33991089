"""A write with a key happens once: a replay gets the stored result, another request under the same key is refused.

`once` claims the key, in the transaction of the write, before it calls what does the work. So no limit, no balance and
no check of any kind can refuse a replay: everything that may refuse is part of the work.

What takes long, or waits for anything but the database, does not happen in a transaction: see `once_prepared`.
"""

import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, Self, TypeVar
from uuid import UUID

import msgspec

from app.kit.db import Database, Scope, Tx
from app.kit.errors import Faults, IdempotencyKeyReused, InvalidInput, Problem
from app.kit.sql import Command, Query, Statements

T = TypeVar("T")

MAX_KEY_CHARS: Final = 200
MALFORMED_KEY: Final = f"An idempotency key has 1 to {MAX_KEY_CHARS} printable characters."


class KeyedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request under an idempotency key. Keys of different owners do not collide.

    `request` holds everything that distinguishes two requests, in a canonical form.
    """

    owner: str
    user_id: UUID | None
    key: str
    operation: str
    request: Any

    @classmethod
    def of(cls, user_id: UUID, key: str, operation: str, request: Any) -> Self:
        """A user's request under a key of their own."""
        return cls(owner=str(user_id), user_id=user_id, key=key, operation=operation, request=request)


def check_key(key: str, check: Callable[[], object]) -> None:
    """Raises InvalidInput for what cannot be a key. It then also names what `check`, which needs no database, refuses.

    Call it before anything else is checked. No replay is refused: nothing was ever done under such a key.
    """
    if _is_key(key):
        return
    with Faults() as faults:
        # Any other problem is one of an input whose fields are in order.
        with contextlib.suppress(Problem), faults.at():
            check()
        faults.add("idempotency_key", MALFORMED_KEY)


class Made(msgspec.Struct, frozen=True):
    """The result of a write that created one row."""

    id: UUID


class Outcome(msgspec.Struct, Generic[T], frozen=True):
    """The result of a keyed write, and whether it is a replay of an earlier request."""

    result: T
    replayed: bool


class ClaimedKey(msgspec.Struct, frozen=True):
    """What a key was claimed for; `result` is null until the write has given one."""

    operation: str
    request_hash: str
    result: Any


class IdempotencySql(Statements, file="idempotency.sql"):
    """The statements about idempotency keys."""

    claim_key: Query[bool]
    claimed_key: Query[ClaimedKey]
    store_result: Command


async def once(tx: Tx, keyed: KeyedRequest, work: Callable[[], Awaitable[T]], result_type: type[T]) -> Outcome[T]:
    """Does the work unless the key has been used. Call it first in a transaction: nothing may refuse a replay before.

    The result must be JSON of `result_type`: ids, not rows. Key, result and work commit or roll back together, and of
    several at once the others wait for the first: therefore `work` does everything over this transaction, and waits
    for no other connection.

    Raises InvalidInput, and IdempotencyKeyReused when the key belongs to another request.
    """
    if (earlier := await _claim(tx, keyed, result_type, None)) is not None:
        return earlier
    result = await work()
    await tx.execute(IdempotencySql.store_result, keyed.owner, keyed.key, msgspec.to_builtins(result))
    return Outcome(result, replayed=False)


async def once_known(tx: Tx, keyed: KeyedRequest, result: T, work: Callable[[], Awaitable[None]]) -> Outcome[T]:
    """As `once`, where the result is known before the work, such as new IDs: it is stored with the claim."""
    if (earlier := await _claim(tx, keyed, type(result), result)) is not None:
        return earlier
    await work()
    return Outcome(result, replayed=False)


async def once_prepared(
    database: Database,
    scope: Scope,
    keyed: KeyedRequest,
    prepare: Callable[[], AbstractAsyncContextManager[Callable[[Tx], Awaitable[T]]]],
    result_type: type[T],
) -> Outcome[T]:
    """A keyed write whose work takes long or waits: `prepare` returns the work, and holds no connection before.

    The key is looked up first, so that a replay does no work and cannot be refused. It is looked up again when the work
    is refused: the same request may have succeeded meanwhile, and be the reason for the refusal.
    """

    async def replay(tx: Tx) -> Outcome[T] | None:
        return await replay_of(tx, keyed, result_type)

    earlier = await database.read(scope, replay)
    if earlier is not None:
        return earlier
    try:
        async with prepare() as work:
            return await database.write(scope, lambda tx: once(tx, keyed, lambda: work(tx), result_type))
    except IdempotencyKeyReused:
        raise
    except Problem:
        earlier = await database.read(scope, replay)
        if earlier is None:
            raise
        return earlier


async def _claim(tx: Tx, keyed: KeyedRequest, result_type: type[T], result: T | None) -> Outcome[T] | None:
    """Claims the key; returns the earlier outcome if it was used. Raises InvalidInput, IdempotencyKeyReused."""
    known = None if result is None else msgspec.to_builtins(result)
    claim = (keyed.owner, keyed.key, keyed.operation, _request_hash(keyed), keyed.user_id, known)
    if await tx.fetch_one(IdempotencySql.claim_key, *claim) is not None:
        return None
    earlier = await replay_of(tx, keyed, result_type)
    # A row that we may not see belongs to another user, and counts as another request.
    if earlier is None:
        raise IdempotencyKeyReused
    return earlier


async def replay_of(tx: Tx, keyed: KeyedRequest, result_type: type[T]) -> Outcome[T] | None:
    """Returns the stored outcome of the key, or None for a key that has not been used. Raises IdempotencyKeyReused."""
    request_hash = _request_hash(keyed)
    claimed = await tx.fetch_one(IdempotencySql.claimed_key, keyed.owner, keyed.key)
    if claimed is None:
        return None
    if claimed.operation != keyed.operation or claimed.request_hash != request_hash:
        raise IdempotencyKeyReused
    return Outcome(msgspec.convert(claimed.result, result_type), replayed=True)


def _request_hash(keyed: KeyedRequest) -> str:
    """Raises InvalidInput for what cannot be a key."""
    if not _is_key(keyed.key):
        raise InvalidInput("idempotency_key", MALFORMED_KEY)
    return hashlib.sha256(_body(keyed)).hexdigest()


def _is_key(key: str) -> bool:
    return 1 <= len(key) <= MAX_KEY_CHARS and key.isprintable()


def _body(keyed: KeyedRequest) -> bytes:
    body = [keyed.operation, keyed.request]
    try:
        return msgspec.json.encode(body, order="deterministic")
    except UnicodeEncodeError:
        # The work refuses a lone surrogate, with an error that names the field.
        return json.dumps(msgspec.to_builtins(body, order="deterministic", str_keys=True)).encode()
