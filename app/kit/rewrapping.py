"""Moving stored secrets to the active key-encryption key."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import Query

R = TypeVar("R")

BATCH = 100


class Stored(NamedTuple):
    """A secret as it is stored: of what it is, and what it is bound to."""

    id: Any
    sealed: Sealed
    aad: bytes


async def rewrap_all(
    database: Database,
    keyring: Keyring,
    others: Query[R],
    stored: Callable[[R], Stored],
    store: Callable[[Tx, Sequence[Any], Sequence[bytes]], Awaitable[object]],
) -> AsyncGenerator[int, None]:
    """Rewraps every data key that is not under the active key-encryption key; yields how many so far, after each batch.

    `others` locks those that are under others: the ID of the active one, how many. `store` is given IDs and data keys.
    Each batch commits on its own, so that what was interrupted can be taken up again. Raises SealBroken or UnknownKey
    at the first secret that cannot be decrypted.
    """

    async def batch(tx: Tx) -> int:
        found = [stored(each) for each in await tx.fetch(others, keyring.active, BATCH)]
        if found:
            wrapped = [keyring.rewrap(each.sealed, each.aad).wrapped_key for each in found]
            await store(tx, [each.id for each in found], wrapped)
        return len(found)

    rewrapped = 0
    while made := await database.write(SYSTEM, batch):
        rewrapped += made
        yield rewrapped
