"""Wallets: what is public of them, and what only their owner sees."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.accounts import loaders as accounts
from app.domains.ledger import loaders, model
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.streams import wallet_of, wallet_stream
from app.engine.declarations.computed import from_parent
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.crypto.rsa import public_pem
from app.kit.errors import NotFound
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.context import Context, Info
from app.schema.enums import declare_enum
from app.schema.ledger.blocks import Block
from app.schema.ledger.filters import TransactionOutputFilter, WalletTransactionFilter
from app.schema.ledger.ids import OwnWalletId, own_wallet_id, parse_hash
from app.schema.ledger.payments import ALLOW_HIGH_FEE, AMOUNT, FEE, UnsignedTransaction
from app.schema.ledger.transactions import Transaction, TransactionOutput
from app.schema.scalars import Hash

if TYPE_CHECKING:
    from app.schema.accounts.users import UserAccount

OWNER_ONLY = "Null unless the viewer owns the wallet."
BALANCE_KINDS = {"transaction.pending", "transaction.failed", "balance.changed"}

declare_enum(
    model.Custody,
    CUSTODIAL="Moneta holds the private key, encrypted, and signs with it. Pay with `transfer`.",
    EXTERNAL="Only the owner holds the private key. Pay with `submitTransaction`.",
)


@record_type(model.WalletPending)
class WalletPending:
    """Coins that are not part of the balance yet, or were deducted from it already."""

    incoming: Decimal = strawberry.field(description="Unconfirmed payments to the wallet, in coins.")
    outgoing: Decimal = strawberry.field(
        description="Unconfirmed payments from the wallet with their fees, in coins. The balance does not include them."
    )
    immature: Decimal = strawberry.field(
        description="Rewards that do not have enough confirmations to be spent, in coins."
    )


def _is_owner(context: Context, wallet: model.Wallet) -> bool:
    return context.viewer is not None and context.viewer.user_id == wallet.user_id


def _public_key(root: model.Wallet) -> str:
    return public_pem(root.public_key)


async def _balance(root: model.Wallet, info: Info) -> Decimal | None:
    if not _is_owner(info.context, root):
        return None
    row = await info.context.reads.one(loaders.balance_by_wallet, root.wallet_id)
    return None if row is None else row.balance


async def _pending(root: model.Wallet, info: Info) -> model.WalletPending | None:
    return (
        await info.context.reads.one(loaders.pending_by_wallet, root.wallet_id)
        if _is_owner(info.context, root)
        else None
    )


async def _unsigned_transaction(  # noqa: PLR0917  # GraphQL names its arguments
    root: model.Wallet,
    info: Info,
    recipient_wallet_id: Annotated[Hash, strawberry.argument(description="The `walletId` of the recipient.")],
    amount: Annotated[Decimal, strawberry.argument(description=AMOUNT)],
    fee: Annotated[Decimal | None, strawberry.argument(description=FEE)] = None,
    memo: Annotated[
        str | None, strawberry.argument(description="A public text of at most 256 bytes in UTF-8. Null: none.")
    ] = None,
    allow_high_fee: Annotated[bool | None, strawberry.argument(description=ALLOW_HIGH_FEE)] = None,
) -> model.UnsignedTransaction | None:
    if not _is_owner(info.context, root):
        return None
    command = model.TransferCommand(
        recipient_wallet_id=recipient_wallet_id,
        amount=amount,
        fee=fee,
        memo=memo or "",
        allow_high_fee=bool(allow_high_fee),
    )
    executor = await info.context.reads.executor(Audience.VIEWER)
    return await info.context.services[LedgerServices].transfers.draft(executor, info.context.require_viewer(), command)


@node_type(by=loaders.wallet_by_id, parse=parse_hash)
class Wallet(Node):
    """A wallet. Its transactions are public; its balance and its coins are visible to the owner only."""

    wallet_id: Hash = strawberry.field(description="The SHA-256 of the DER encoding of the public key: the address.")
    public_key: str = from_parent(_public_key, description="The RSA public key in PEM.")
    custody: model.Custody = strawberry.field(description="Who holds the private key.")
    created_at: datetime = strawberry.field(description="When the wallet was registered.")
    owner: Annotated["UserAccount", strawberry.lazy("app.schema.accounts.users")] = related(
        accounts.user_by_id, key="user_id", description="The owner. Other users see the display name only."
    )
    balance: Decimal | None = strawberry.field(
        resolver=_balance,
        description="The balance in coins that can be spent now: confirmed and mature outputs, and own change."
        f" {OWNER_ONLY}",
    )
    pending: WalletPending | None = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_pending,
        graphql_type=WalletPending | None,
        description=f"The coins that wait for confirmation. {OWNER_ONLY}",
    )
    utxos: Connection[TransactionOutput] | None = paged(
        loaders.utxos_by_wallet,
        key="wallet_id",
        filter=TransactionOutputFilter,
        allowed=_is_owner,
        description=f"The unspent outputs by transaction hash, including immature and unconfirmed ones. {OWNER_ONLY}",
    )
    unsigned_transaction: UnsignedTransaction | None = strawberry.field(  # type: ignore[assignment]
        resolver=_unsigned_transaction,
        graphql_type=UnsignedTransaction | None,
        description=f"A payment from this wallet for its owner to sign elsewhere. {OWNER_ONLY}",
    )
    transactions: Connection[Transaction] = paged(
        loaders.transactions_by_wallet,
        key="wallet_id",
        stream=wallet_stream,
        filter=WalletTransactionFilter,
        description="The transactions from or to the wallet, including failed ones, newest first.",
    )
    blocks_mined: Connection[Block] = paged(
        loaders.blocks_by_miner, key="wallet_id", description="The blocks that the wallet mined, newest first."
    )


async def _event_balance(root: "WalletBalanceUpdateEvent", info: Info) -> Decimal:
    row = await info.context.reads.one(loaders.balance_by_wallet, root.wallet_id)
    if row is None:
        raise NotFound(model.WalletBalance)
    return row.balance


@strawberry.type
class WalletBalanceUpdateEvent(StreamEvent):
    """The wallet's balance, or its pending coins, may have changed."""

    wallet_id: strawberry.Private[str]
    balance: Decimal = strawberry.field(
        resolver=_event_balance, description="The balance in coins that can be spent now."
    )
    wallet: Wallet = related(loaders.wallet_by_id, key="wallet_id", description="The wallet.")


def _balance_event(event: Event) -> WalletBalanceUpdateEvent | None:
    if event.kind not in BALANCE_KINDS:
        return None
    return WalletBalanceUpdateEvent(wallet_id=wallet_of(event.stream))


@strawberry.input(one_of=True)
class WalletBy:
    """Identifies a wallet in one of these ways."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    wallet_id: Hash | None = strawberry.field(default=strawberry.UNSET, description="The `walletId`: the address.")


@strawberry.type
class WalletQuery:
    """A single wallet."""

    wallet: Wallet | None = lookup(
        WalletBy,
        {"id": by_id(Wallet, loaders.wallet_by_id), "wallet_id": Key(loaders.wallet_by_id)},
        of=Wallet,
        argument="Identifies the wallet.",
        description="A wallet. Null if there is none.",
    )


@strawberry.type
class WalletViewer:
    """The viewer's wallet."""

    wallet: Wallet | None = related(
        loaders.wallet_by_user, key="user_id", description="The viewer's wallet. Null for accounts without one."
    )


@strawberry.type
class WalletSubscription:
    """The stream of a wallet's balance."""

    @durable(WalletBalanceUpdateEvent, payload=_balance_event, per_s=1.0)
    async def wallet_balance_updates(self, info: Info, wallet_id: OwnWalletId = None) -> str:
        """The balance of the viewer's wallet, each time it, or the pending coins, may have changed."""
        return wallet_stream(await own_wallet_id(info, wallet_id))
