"""Mining: the miners' searches for the next block."""

import strawberry

from app.domains.ledger import loaders
from app.domains.ledger.services.miner import MINING_TOPIC, SLICE_S
from app.engine.declarations.relations import related
from app.engine.declarations.subscriptions import volatile
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.schema.ledger.wallets import Wallet
from app.schema.scalars import BigInt


@strawberry.type
class MiningProgress:
    """The current state of a search for the next block. Volatile: only the latest state is sent."""

    height: int = strawberry.field(description="The height that the block will have.")
    difficulty: int = strawberry.field(description="The number of leading zero bits that the hash must have, 1 to 255.")
    transaction_count: int = strawberry.field(
        description="The number of transactions that the block will contain, including the coinbase."
    )
    hashes: BigInt = strawberry.field(
        description="The number of hashes tried for this block template. The average search needs 2^difficulty."
    )
    hashes_per_second: BigInt = strawberry.field(description="The number of hashes that the miner tries in a second.")
    miner_wallet_id: strawberry.Private[str]
    miner: Wallet = related(loaders.wallet_by_id, key="miner_wallet_id", description="The wallet that mines.")


def _mining_progress(latest: Latest, _: object) -> MiningProgress:
    search = latest.payload
    return MiningProgress(
        height=search["height"],
        difficulty=search["difficulty"],
        transaction_count=search["transactions"],
        hashes=search["hashes"],
        hashes_per_second=search["hashes_per_s"],
        miner_wallet_id=latest.key,
    )


@strawberry.type
class MiningSubscription:
    """The miners' searches for the next block."""

    @volatile(MiningProgress, payload=_mining_progress, audience=Audience.PUBLIC, per_s=1 / SLICE_S)
    async def mining_progress(self) -> str:
        """The miners' searches for the next block: the latest state of each at once, then each change.

        A slow reader skips intermediate states; they are not sent later. Public.
        """
        return MINING_TOPIC
