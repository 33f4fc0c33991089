"""A write with a key happens once: a replay gets the stored result, another request under the same key is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec

from app.kit.db import Tx
from app.kit.errors import IdempotencyKeyReused, InvalidInput
from app.kit.sql import beside

Q = beside(__file__, "idempotency.sql")


async def once(
    tx: Tx,
    *,
    owner: str,
    user_id: UUID | None,
    key: str,
    operation: str,
    request: Any,
    work: Callable[[], Awaitable[Any]],
) -> Any:
    """Runs `work` unless `key` has been used, and returns its result, which must be JSON: ids, not rows.

    `request` is everything that makes two requests different. Raises IdempotencyKeyReused when the key belongs to
    another request. The key, the result and the work commit or roll back together.
    """
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise InvalidInput("idempotencyKey", "An idempotency key has 1 to 200 printable characters.")
    body = msgspec.json.encode([operation, request], order="deterministic")
    request_hash = hashlib.sha256(body).hexdigest()
    if await tx.fetch_one(Q.claim_key, owner, key, operation, request_hash, user_id):
        # The first answer has the same types as a replay: a UUID is a string in both.
        result = msgspec.to_builtins(await work())
        await tx.execute(Q.store_result, owner, key, result)
        return result
    claimed = await tx.fetch_one(Q.claimed_key, owner, key)
    # A row that we may not see belongs to somebody else; from here it is as good as another request.
    if claimed is None or claimed["operation"] != operation or claimed["request_hash"] != request_hash:
        raise IdempotencyKeyReused
    return claimed["result"]
