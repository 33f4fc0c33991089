"""Connecting and disconnecting accounts at exchanges, and asking for comparisons with them."""

from typing import Any

import strawberry

from app.domains.trading.exchanges import model
from app.domains.trading.services import TradingServices
from app.domains.trading.venues import loaders
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, NotFound, mutation
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.trading.venues.accounts import ExchangeAccount, Reconciliation
from app.schema.trading.venues.problems import (
    CredentialsRefused,
    ExchangeAccountLimitReached,
    ExchangeAccountNotConnected,
    ExchangeUnavailable,
    PlanRequired,
    WithdrawalPermitted,
)

_SECRET = f"1 to {model.MAX_CREDENTIAL_CHARS:,} printable ASCII characters. Stored encrypted, and shown to nobody."


@strawberry.input
class ConnectExchangeInput:
    """The account to connect."""

    exchange: model.ExchangeName = strawberry.field(name="exchangeName", description="The exchange.")
    label: str = strawberry.field(description=f"A name for it, 1 to {model.MAX_LABEL_CHARS} characters.")
    api_key: str = strawberry.field(
        description=f"The API key, which can read and trade, and cannot withdraw. {_SECRET}"
    )
    secret: str = strawberry.field(description=f"The secret of the key, or a private key in PEM. {_SECRET}")
    passphrase: str | None = strawberry.field(
        default=None, description=f"The passphrase of the key, for exchanges whose keys have one. {_SECRET} Null: none."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class DisconnectExchangeInput:
    """The account to disconnect."""

    id: strawberry.ID = strawberry.field(description="The global ID of the account.")


@strawberry.input
class ReconcileExchangeInput:
    """The account to compare with the books."""

    account_id: strawberry.ID = strawberry.field(description="The global ID of the account.")
    adopt_balances: bool | None = strawberry.field(
        default=None,
        description="Whether to correct the books where balances differ, as money and coins that were paid in or out at"
        " the exchange. Null: false.",
    )


@strawberry.type
class ConnectExchangePayload:
    """The account was connected, now or when the idempotency key was first used."""

    exchange_account: ExchangeAccount = strawberry.field(description="The account as it is now.")


@strawberry.type
class DisconnectExchangePayload:
    """Nothing is sent to the account any more. Its open orders are cancelled, and then its credentials are deleted."""

    exchange_account: ExchangeAccount = strawberry.field(description="The account as it is now.")


@strawberry.type
class ReconcileExchangePayload:
    """The comparison is asked for, now or before. It is made within seconds, once nothing changes meanwhile."""

    reconciliation: Reconciliation = strawberry.field(description="The comparison as it is now.")


@strawberry.type
class ExchangeAccountMutation:
    """Changes to the viewer's accounts at exchanges."""

    @mutation(
        ConnectExchangePayload,
        InvalidInput,
        PlanRequired,
        CredentialsRefused,
        WithdrawalPermitted,
        ExchangeUnavailable,
        ExchangeAccountLimitReached,
        IdempotencyKeyReused,
    )
    async def connect_exchange(self, info: Info, input: ConnectExchangeInput) -> Any:
        """Connects an account at an exchange, after it was tried. `createPortfolio` makes the live portfolio that
        belongs to it.
        """
        given = model.Credentials(input.api_key, input.secret, input.passphrase)
        new = model.NewAccount(input.exchange, input.label, given)
        id = await _services(info).exchange_accounts.connect(info.context.require_viewer(), new, input.idempotency_key)
        return ConnectExchangePayload(exchange_account=await _read(info, id))

    @mutation(DisconnectExchangePayload, NotFound, ExchangeAccountNotConnected)
    async def disconnect_exchange(self, info: Info, input: DisconnectExchangeInput) -> Any:
        """Cancels the open orders of an account, and then deletes its credentials. Its portfolio stays as it is, and
        trades no more.
        """
        id = key_of(input.id, ExchangeAccount)
        await _services(info).exchange_accounts.disconnect(info.context.require_viewer(), id)
        return DisconnectExchangePayload(exchange_account=await _read(info, id))

    @mutation(ReconcileExchangePayload, InvalidInput, NotFound, ExchangeAccountNotConnected)
    async def reconcile_exchange(self, info: Info, input: ReconcileExchangeInput) -> Any:
        """Asks for a comparison of the books with an exchange. One is made each hour as well, and corrects nothing."""
        viewer, id = info.context.require_viewer(), key_of(input.account_id, ExchangeAccount)
        asked = await _services(info).reconciling.ask(viewer, id, adopts=bool(input.adopt_balances))
        made: Any = await info.context.reads.one(loaders.reconciliation_by_id, asked)
        return ReconcileExchangePayload(reconciliation=made)


def _services(info: Info) -> TradingServices:
    return info.context.services[TradingServices]


async def _read(info: Info, id: Any) -> Any:
    return await info.context.reads.one(loaders.account_by_id, id)
