"""The mempool: the transactions that wait for a block, and what comes into it and leaves it."""

import strawberry

from app.domains.ledger import loaders
from app.domains.ledger.streams import MEMPOOL_STREAM, MempoolChange
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.enums import declare_enum
from app.schema.ledger.blocks import Block
from app.schema.ledger.filters import MempoolFilter
from app.schema.ledger.transactions import Transaction

MEMPOOL_UPDATES = frozenset(MempoolChange)

declare_enum(
    MempoolChange,
    name="MempoolUpdateKind",
    description="How the mempool changed.",
    ACCEPTED="A transaction was accepted.",
    CONFIRMED="A block confirmed transactions: all of its own but the coinbase.",
    FAILED="A transaction failed.",
)


@strawberry.type
class MempoolUpdateEvent(StreamEvent):
    """A transaction came into the mempool or failed, or a block took transactions out of it."""

    kind: MempoolChange = strawberry.field(description="How the mempool changed.")
    transaction_hash: strawberry.Private[str | None]
    block_hash: strawberry.Private[str | None]
    transaction: Transaction | None = related(
        loaders.transaction_by_hash,
        key="transaction_hash",
        description="The transaction that was accepted or failed, as it is now. Null for CONFIRMED.",
    )
    block: Block | None = related(
        loaders.block_by_hash,
        key="block_hash",
        description="The block whose transactions left the mempool. Null unless the kind is CONFIRMED.",
    )


def _mempool_event(event: Event) -> MempoolUpdateEvent | None:
    if event.kind not in MEMPOOL_UPDATES:
        return None
    kind, digest = MempoolChange(event.kind), event.payload["hash"]
    is_block = kind is MempoolChange.CONFIRMED
    return MempoolUpdateEvent(
        kind=kind, transaction_hash=None if is_block else digest, block_hash=digest if is_block else None
    )


@strawberry.type
class MempoolQuery:
    """The mempool."""

    mempool: Connection[Transaction] = paged(
        loaders.mempool,
        stream=lambda _: MEMPOOL_STREAM,
        filter=MempoolFilter,
        description="The transactions that wait for a block, in the order of acceptance.",
    )


@strawberry.type
class MempoolSubscription:
    """The stream of the mempool."""

    @durable(MempoolUpdateEvent, payload=_mempool_event, audience=Audience.PUBLIC, per_s=5.0)
    async def mempool_updates(self) -> str:
        """Each change of the mempool, in order: one event for each transaction that is accepted or fails, and one for
        each block that confirms transactions. Public.
        """
        return MEMPOOL_STREAM
