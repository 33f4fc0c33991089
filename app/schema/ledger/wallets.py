"""Wallets and the beneficiaries that people save."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.accounts import loaders as accounts
from app.domains.ledger import loaders, model
from app.domains.ledger.services.connect import wallet_stream
from app.engine.nodes import Node, node_type, record_type
from app.engine.pages import DEFAULT_FIRST, Connection, PageSource, page_of
from app.engine.relations import After, First, page_request, paged, related
from app.kit.crypto.rsa import public_pem
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.ledger.blocks import Block
from app.schema.ledger.enums import Custody
from app.schema.ledger.ids import parse_hash
from app.schema.ledger.transactions import Output, Transaction
from app.schema.scalars import Hash

if TYPE_CHECKING:
    from app.schema.accounts.types import User

OWNER_ONLY = "Null unless the wallet is the viewer's own."


@record_type(model.WalletPending, description="Coins on the way. They are not part of the balance.")
class WalletPending:
    """Coins on the way."""

    incoming: Decimal = strawberry.field(description="Unconfirmed payments to the wallet, in coins.")
    outgoing: Decimal = strawberry.field(
        description="Unconfirmed payments from the wallet and their fees, in coins; the balance has lost them already."
    )
    immature: Decimal = strawberry.field(description="Rewards without enough confirmations to be spent, in coins.")


def _bytes(root: model.UnsignedTransaction) -> str:
    return base64.b64encode(root.encoding).decode()


@record_type(
    model.UnsignedTransaction,
    description="A payment to be signed elsewhere and sent back with `submitTransaction`. Nothing is reserved: coins"
    " may be spent by another payment meanwhile.",
)
class UnsignedTransaction:
    """A payment to be signed elsewhere."""

    bytes: str = strawberry.field(
        resolver=_bytes,
        description="The canonical encoding in base64. Sign it with RSASSA-PSS, SHA-256, MGF1-SHA-256, salt of 32 B.",
    )
    hash: Hash = strawberry.field(description="SHA-256 of the bytes: the transaction's hash.")
    fee: Decimal = strawberry.field(
        description="The fee in coins; above the one asked for if there was change too small to be worth an output."
    )
    change: Decimal = strawberry.field(description="What returns to the wallet, in coins.")


def _is_owner(root: model.Wallet, info: Info) -> bool:
    return info.context.viewer is not None and info.context.viewer.user_id == root.user_id


def _public_key(root: model.Wallet) -> str:
    return public_pem(root.public_key)


async def _balance(root: model.Wallet, info: Info) -> Decimal | None:
    if not _is_owner(root, info):
        return None
    row = await info.context.reads.one(loaders.balance_by_wallet, root.wallet_id)
    return None if row is None else row.balance


async def _pending(root: model.Wallet, info: Info) -> model.WalletPending | None:
    return await info.context.reads.one(loaders.pending_by_wallet, root.wallet_id) if _is_owner(root, info) else None


async def _utxos(
    root: model.Wallet, info: Info, first: First = DEFAULT_FIRST, after: After = None
) -> PageSource | None:
    if not _is_owner(root, info):
        return None
    request = page_request(info.context.cursors, loaders.utxos_by_wallet, first, after)
    return await page_of(info.context, loaders.utxos_by_wallet, root.wallet_id, request)


async def _unsigned_transaction(  # noqa: PLR0917  # GraphQL names its arguments
    root: model.Wallet,
    info: Info,
    to_wallet_id: Annotated[Hash, strawberry.argument(description="The recipient's `walletId`.")],
    amount: Annotated[Decimal, strawberry.argument(description="Coins to pay, above 0, at most 8 decimals.")],
    fee: Annotated[
        Decimal | None, strawberry.argument(description="Coins for the miner; null: 0.00001, the least.")
    ] = None,
    memo: Annotated[str, strawberry.argument(description="Public text, at most 256 bytes of UTF-8.")] = "",
    allow_high_fee: Annotated[bool, strawberry.argument(description="Confirms a fee above 1 coin.")] = False,
) -> model.UnsignedTransaction | None:
    if not _is_owner(root, info):
        return None
    command = model.TransferCommand(
        recipient_wallet_id=to_wallet_id, amount=amount, fee=fee, memo=memo, allow_high_fee=allow_high_fee
    )
    executor = await info.context.reads.executor(Audience.VIEWER)
    return await info.context.services.ledger.transfers.draft(executor, info.context.require_viewer(), command)


@node_type(
    by=loaders.wallet_by_id,
    parse=parse_hash,
    description="A wallet. What it did on the chain is public; its sums and coins are its owner's.",
)
class Wallet(Node):
    """A wallet."""

    wallet_id: Hash = strawberry.field(description="SHA-256 of the public key's DER: its address.")
    public_key: str = strawberry.field(resolver=_public_key, description="RSA public key, PEM.")
    custody: Custody = strawberry.field(description="Who holds the private key.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    owner: Annotated["User", strawberry.lazy("app.schema.accounts.types")] = related(
        accounts.user_by_id, key="user_id", description="Whose it is; others see only the display name."
    )
    balance: Decimal | None = strawberry.field(
        resolver=_balance,
        description="Coins that can be spent now: confirmed and mature outputs, and own change. " + OWNER_ONLY,
    )
    pending: WalletPending | None = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_pending, graphql_type=WalletPending | None, description="Coins on the way. " + OWNER_ONLY
    )
    utxos: Connection[Output] | None = strawberry.field(  # type: ignore[assignment]
        resolver=_utxos,
        graphql_type=Connection[Output] | None,
        description="Unspent outputs, immature and unconfirmed ones included, by transaction hash. " + OWNER_ONLY,
    )
    unsigned_transaction: UnsignedTransaction | None = strawberry.field(  # type: ignore[assignment]
        resolver=_unsigned_transaction,
        graphql_type=UnsignedTransaction | None,
        description="A payment from this wallet for its owner to sign elsewhere. " + OWNER_ONLY,
    )
    transactions: Connection[Transaction] = paged(
        loaders.transactions_by_wallet,
        key="wallet_id",
        stream=wallet_stream,
        description="What it sent or received, failed ones included, the newest first.",
    )
    blocks_mined: Connection[Block] = paged(
        loaders.blocks_by_miner, key="wallet_id", description="Blocks that it mined, the newest first."
    )


@node_type(by=loaders.beneficiary_by_id, description="A recipient that the viewer has saved. Only theirs to see.")
class Beneficiary(Node):
    """A recipient that the viewer has saved."""

    beneficiary_name: str | None = strawberry.field(name="name", description="Full name, at most 255 characters.")
    nickname: str | None = strawberry.field(description="What the viewer calls them, at most 255 characters.")
    created_at: datetime = strawberry.field(description="When it was saved.")
    wallet: Wallet = related(loaders.wallet_by_id, key="beneficiary_wallet_id", description="The wallet to pay.")
