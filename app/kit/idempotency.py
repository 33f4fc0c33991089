"""A write with a key happens once: a replay gets the stored result, another request under the same key is refused.

`once` is the whole of such a write: it opens the transaction, claims the key, and only then calls what does the work.
So no limit, no balance and no check of any kind can refuse a replay: whatever may say no is part of the work.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.kit.db import Database, Scope, Tx
from app.kit.errors import IdempotencyKeyReused, InvalidInput
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
    if not 1 <= len(keyed.key) <= 200 or not keyed.key.isprintable():
        raise InvalidInput("idempotencyKey", "An idempotency key has 1 to 200 printable characters.")
    request_hash = hashlib.sha256(_body(keyed)).hexdigest()

    async def write(tx: Tx) -> T:
        fresh = await tx.fetch_one(Q.claim_key, keyed.owner, keyed.key, keyed.operation, request_hash, keyed.user_id)
        if fresh is None:
            return await then(tx, await _stored(tx, keyed, request_hash), False)
        # The first answer has the same types as a replay: a UUID is a string in both.
        result = msgspec.to_builtins(await work(tx))
        await tx.execute(Q.store_result, keyed.owner, keyed.key, result)
        return await then(tx, result, True)

    return await database.write(scope, write)


def _body(keyed: Keyed) -> bytes:
    body = [keyed.operation, keyed.request]
    try:
        return msgspec.json.encode(body, order="deterministic")
    except UnicodeEncodeError:
        # A lone surrogate is refused in the end, but by the work and in words that say which field has it.
        return json.dumps(msgspec.to_builtins(body, order="deterministic", str_keys=True)).encode()


async def _stored(tx: Tx, keyed: Keyed, request_hash: str) -> Any:
    claimed = await tx.fetch_one(Q.claimed_key, keyed.owner, keyed.key)
    # A row that we may not see belongs to somebody else; from here it is as good as another request.
    if claimed is None or claimed["operation"] != keyed.operation or claimed["request_hash"] != request_hash:
        raise IdempotencyKeyReused
    return claimed["result"]
