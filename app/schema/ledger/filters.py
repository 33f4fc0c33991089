"""Filters and orders of the ledger's lists."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from app.domains.ledger import model
from app.engine.declarations.orders import order_input
from app.schema.enums import declare_enum
from app.schema.scalars import Hash


class TransactionDirection(StrEnum):
    """Which side of a transaction a wallet is on."""

    SENT = "sent"
    RECEIVED = "received"


declare_enum(
    TransactionDirection,
    SENT="The wallet paid, also if it paid itself.",
    RECEIVED="Another wallet, or a coinbase, paid the wallet.",
)


@strawberry.input
class BlockFilter:
    """Filters blocks. A block must match all fields."""

    min_height: int | None = strawberry.field(default=None, description="The minimum height. Null: any.")
    max_height: int | None = strawberry.field(default=None, description="The maximum height. Null: any.")
    since: datetime | None = strawberry.field(default=None, description="Mined at this time or later. Null: any.")
    until: datetime | None = strawberry.field(default=None, description="Mined before this time. Null: any.")
    miner_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the wallet that mined the block. Null: any."
    )


@strawberry.input
class TransactionFilter:
    """Filters transactions. A transaction must match all fields."""

    status: model.TransactionStatus | None = strawberry.field(default=None, description="The status. Null: any.")
    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins. Null: any.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins. Null: any.")
    since: datetime | None = strawberry.field(default=None, description="Created at this time or later. Null: any.")
    until: datetime | None = strawberry.field(default=None, description="Created before this time. Null: any.")


@strawberry.input
class WalletTransactionFilter(TransactionFilter):
    """Filters a wallet's transactions. A transaction must match all fields."""

    direction: TransactionDirection | None = strawberry.field(
        default=None, description="Which side the wallet is on. Null: either."
    )
    counterparty_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the wallet on the other side. Null: any."
    )


@strawberry.input
class MempoolFilter:
    """Filters pending transactions. A transaction must match all fields."""

    sender_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the sender. Null: any."
    )
    recipient_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the recipient. Null: any."
    )
    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins. Null: any.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins. Null: any.")
    min_fee: Decimal | None = strawberry.field(default=None, description="The minimum fee, in coins. Null: any.")
    max_fee: Decimal | None = strawberry.field(default=None, description="The maximum fee, in coins. Null: any.")


@strawberry.input
class TransactionOutputFilter:
    """Filters outputs. An output must match all fields."""

    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins. Null: any.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins. Null: any.")
    coinbase: bool | None = strawberry.field(
        default=None, description="Whether the output is a miner's reward. Null: either."
    )
    confirmed: bool | None = strawberry.field(
        default=None, description="Whether the output is in a block. Null: either."
    )


TransactionOrderBy = order_input(
    "Transaction",
    "Ties are sorted by hash.",
    CREATED_AT="When the transaction was created, by the sender's clock.",
    AMOUNT="The amount in coins.",
)
