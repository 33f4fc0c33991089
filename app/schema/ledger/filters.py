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
    """Filters blocks by all fields that are given. A field that is null or omitted matches all."""

    min_height: int | None = strawberry.field(default=None, description="The minimum height.")
    max_height: int | None = strawberry.field(default=None, description="The maximum height.")
    since: datetime | None = strawberry.field(default=None, description="Mined at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Mined before this time.")
    miner_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the wallet that mined the block."
    )


@strawberry.input
class TransactionFilter:
    """Filters transactions by all fields that are given. A field that is null or omitted matches all."""

    status: model.TransactionStatus | None = strawberry.field(default=None, description="The status.")
    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins.")
    since: datetime | None = strawberry.field(default=None, description="Created at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Created before this time.")


@strawberry.input
class WalletTransactionFilter(TransactionFilter):
    """Filters a wallet's transactions by all fields that are given. A field that is null or omitted matches all."""

    direction: TransactionDirection | None = strawberry.field(default=None, description="Which side the wallet is on.")
    counterparty_wallet_id: Hash | None = strawberry.field(
        default=None, description="The `walletId` of the wallet on the other side."
    )


@strawberry.input
class MempoolFilter:
    """Filters pending transactions by all fields that are given. A field that is null or omitted matches all."""

    sender_wallet_id: Hash | None = strawberry.field(default=None, description="The `walletId` of the sender.")
    recipient_wallet_id: Hash | None = strawberry.field(default=None, description="The `walletId` of the recipient.")
    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins.")
    min_fee: Decimal | None = strawberry.field(default=None, description="The minimum fee, in coins.")
    max_fee: Decimal | None = strawberry.field(default=None, description="The maximum fee, in coins.")


@strawberry.input
class TransactionOutputFilter:
    """Filters outputs by all fields that are given. A field that is null or omitted matches all."""

    min_amount: Decimal | None = strawberry.field(default=None, description="The minimum amount, in coins.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The maximum amount, in coins.")
    coinbase: bool | None = strawberry.field(default=None, description="Whether the output is a miner's reward.")
    confirmed: bool | None = strawberry.field(default=None, description="Whether the output is in a block.")


TransactionOrderBy = order_input(
    "Transaction",
    "Ties are sorted by hash.",
    CREATED_AT="When the transaction was created, by the sender's clock.",
    AMOUNT="The amount in coins.",
)
