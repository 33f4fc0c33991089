"""Accounts at exchanges, and the comparisons of the books with them."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.trading.exchanges import model as exchanges
from app.domains.trading.orders import loaders as order_loaders
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.venues import loaders, model
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.enums import declare_enum
from app.schema.trading.orders.orders import Order
from app.schema.trading.portfolios import Portfolio

declare_enum(
    exchanges.ExchangeName,
    name="Exchange",
    description="The exchanges that accounts can be connected to. More may be added.",
    BINANCE="Binance, spot. Dollars are USDT.",
    BYBIT="Bybit, spot. Dollars are USDT.",
    COINBASE="Coinbase Advanced. Dollars are USD.",
    KRAKEN="Kraken, spot. Dollars are USD.",
    OKX="OKX, spot. Dollars are USDT. Its keys have a passphrase.",
)
declare_enum(
    exchanges.AccountStatus,
    name="ExchangeAccountStatus",
    description="What can be done with an account.",
    CONNECTED="Orders of its portfolio are sent there.",
    DISCONNECTING="Its orders are being cancelled, and none is sent.",
    DISCONNECTED="Nothing: its credentials are deleted.",
)
declare_enum(
    exchanges.AccountFailure,
    name="ExchangeAccountFailure",
    description="Why an account cannot be used at the moment.",
    CREDENTIALS="The exchange does not accept its credentials any more.",
    UNAVAILABLE="The exchange does not answer.",
)
declare_enum(
    model.ReconciliationStatus,
    description="What a comparison has found.",
    ASKED="It is asked for, and not made yet.",
    EQUAL="Everything agrees.",
    DIFFERENT="Something does not agree.",
    FAILED="It could not be made: the exchange did not answer, or something changed each time.",
)
declare_enum(
    model.DifferenceKind,
    name="ReconciliationDifferenceKind",
    description="What does not agree.",
    BALANCE="The account holds another quantity of an asset than the books say.",
    UNKNOWN_ORDER="The exchange has an open order that Moneta did not send.",
    MISSING_ORDER="The exchange does not list an order as open that Moneta follows.",
    UNKNOWN_TRADE="The account has a trade that is of no order of Moneta's.",
    MISSING_TRADE="The exchange does not list a trade that is in the books.",
)


@record_type(model.Difference)
class ReconciliationDifference:
    """Something in the books that is not what the exchange says."""

    kind: model.DifferenceKind = strawberry.field(description="What does not agree.")
    subject: str = strawberry.field(
        description="The asset of a balance, USD for the cash; otherwise the market and the ID at the exchange."
    )
    order: Order | None = related(
        order_loaders.order_by_id, key="order_id", description="The order of Moneta that it is about. Null otherwise."
    )
    in_books: Decimal | None = strawberry.field(
        name="quantityInBooks",
        description="The quantity in the books, in coins or dollars. Null unless it is about a balance.",
    )
    at_exchange: Decimal | None = strawberry.field(
        name="quantityAtExchange",
        description="The quantity at the exchange, in coins or dollars. Null if there is none to compare.",
    )
    is_corrected: bool = strawberry.field(description="Whether the books were corrected, and agree now.")


@node_type(by=loaders.reconciliation_by_id)
class Reconciliation(Node):
    """A comparison of the books with an exchange: balances, open orders, and the trades of a day. Visible to the viewer
    only. Kept for a year.
    """

    status: model.ReconciliationStatus = strawberry.field(description="What it has found.")
    adopts: bool = strawberry.field(
        name="isCorrecting", description="Whether it corrects the books where balances differ."
    )
    difference_count: int = strawberry.field(
        description=f"How many differences there are, of which the first {model.MAX_DIFFERENCES} are kept."
    )
    differences: Connection[ReconciliationDifference] = paged(
        loaders.differences_by_reconciliation, key="id", description="What does not agree."
    )
    created_at: datetime = strawberry.field(name="askedAt", description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it was made. Null until then.")


@strawberry.input
class ReconciliationFilter:
    """Filters comparisons by all fields that are given. A field that is null or omitted matches all."""

    status: model.ReconciliationStatus | None = strawberry.field(default=None, description="What it has found.")


@node_type(by=loaders.account_by_id)
class ExchangeAccount(Node):
    """An account of the viewer at an exchange, which one live portfolio can belong to. Visible to the viewer only. What
    it is reached with is visible to nobody.
    """

    exchange: exchanges.ExchangeName = strawberry.field(name="exchangeName", description="The exchange.")
    label: str = strawberry.field(description=f"The viewer's name of it, 1 to {exchanges.MAX_LABEL_CHARS} characters.")
    status: exchanges.AccountStatus = strawberry.field(description="What can be done with it.")
    may_withdraw: bool | None = strawberry.field(
        name="canWithdraw",
        description="Whether its key can withdraw. Never true: such a key is refused. Null if the exchange does not"
        " say.",
    )
    failure: exchanges.AccountFailure | None = strawberry.field(
        description="Why it cannot be used at the moment. Null if it can."
    )
    failing_since: datetime | None = strawberry.field(
        name="failingSinceAt", description="Since when it cannot be used. Null if it can."
    )
    reached_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute. Null if it never was."
    )
    created_at: datetime = strawberry.field(name="connectedAt", description="When it was connected.")
    disconnected_at: datetime | None = strawberry.field(description="When it was disconnected. Null if it is not.")
    portfolio: Portfolio | None = related(
        portfolio_loaders.portfolio_by_account,
        key="id",
        description="The live portfolio that belongs to it. Null if there is none.",
    )
    reconciliations: Connection[Reconciliation] = paged(
        loaders.reconciliations_by_account,
        key="id",
        filter=ReconciliationFilter,
        description="The comparisons of its portfolio with what the exchange says, newest first.",
    )


@strawberry.input
class ExchangeAccountFilter:
    """Filters accounts by all fields that are given. A field that is null or omitted matches all."""

    status: exchanges.AccountStatus | None = strawberry.field(
        default=None, description="What can be done with the account."
    )


@strawberry.type
class ExchangeAccountViewer:
    """The viewer's accounts at exchanges."""

    exchange_accounts: Connection[ExchangeAccount] = paged(
        loaders.accounts_by_user,
        key="user_id",
        filter=ExchangeAccountFilter,
        description="The viewer's accounts at exchanges, oldest first; those that were disconnected as well.",
    )


@extension_of(Portfolio)
class PortfolioAccount:
    """Where the portfolio trades."""

    exchange_account: ExchangeAccount | None = related(
        loaders.account_by_id,
        key="exchange_account_id",
        description="The account at an exchange that a live portfolio belongs to. Null for a paper portfolio.",
    )
