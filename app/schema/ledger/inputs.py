"""What the ledger's operations are given."""

from decimal import Decimal

import strawberry

from app.schema.scalars import Hash

KEY = "1 to 200 characters of your own choice; a repeat with the same input is answered as the first time."


@strawberry.input(one_of=True, description="Which block: exactly one of these.")
class BlockBy:
    """Which block."""

    height: int | None = strawberry.field(default=strawberry.UNSET, description="Blocks below it; 0 is genesis.")
    hash: Hash | None = strawberry.field(default=strawberry.UNSET, description="Its hash.")
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Its global id.")


@strawberry.input(description="A payment from the viewer's custodial wallet.")
class TransferInput:
    """A payment from the viewer's custodial wallet."""

    to_wallet_id: Hash = strawberry.field(description="The recipient's `walletId`; not the viewer's own.")
    amount: Decimal = strawberry.field(description="Coins to pay, above 0, at most 8 decimals.")
    fee: Decimal | None = strawberry.field(default=None, description="Coins for the miner; null: 0.00001, the least.")
    memo: str = strawberry.field(
        default="", description="Public text, at most 256 bytes of UTF-8 once normalised (NFC), no control characters."
    )
    allow_high_fee: bool = strawberry.field(default=False, description="Confirms a fee above 1 coin.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A payment from the viewer's wallet that was signed elsewhere.")
class SubmitTransactionInput:
    """A payment that was signed elsewhere."""

    transaction: str = strawberry.field(
        description="The canonical encoding in base64, as `unsignedTransaction` gives it."
    )
    signature: str = strawberry.field(
        description="RSASSA-PSS over the encoding (SHA-256, MGF1-SHA-256, salt of 32 bytes), in base64."
    )
    allow_high_fee: bool = strawberry.field(default=False, description="Confirms a fee above 1 coin.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A recipient to save.")
class AddBeneficiaryInput:
    """A recipient to save."""

    wallet_id: Hash = strawberry.field(description="The `walletId` to pay.")
    name: str | None = strawberry.field(default=None, description="Full name, at most 255 characters; null: none.")
    nickname: str | None = strawberry.field(
        default=None, description="What you call them, at most 255 characters; null: none."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="New names for a beneficiary. Both are replaced.")
class UpdateBeneficiaryInput:
    """New names for a beneficiary."""

    id: strawberry.ID = strawberry.field(description="The beneficiary's global id.")
    name: str | None = strawberry.field(default=None, description="Full name, at most 255 characters; null: none.")
    nickname: str | None = strawberry.field(
        default=None, description="What you call them, at most 255 characters; null: none."
    )


@strawberry.input(description="A beneficiary to forget.")
class RemoveBeneficiaryInput:
    """A beneficiary to forget."""

    id: strawberry.ID = strawberry.field(description="The beneficiary's global id.")
