"""The loaders of accounts, of what is sent to exchanges, and of comparisons: for their owner alone."""

from app.domains.trading.exchanges.model import AccountStatus
from app.domains.trading.venues.model import ReconciliationStatus
from app.domains.trading.venues.statements import AccountSql, ReconcilingSql, VenueReadSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, one, page

account_by_id = one(AccountSql.accounts_by_ids, key="id", audience=Audience.VIEWER)
accounts_by_user = page(
    AccountSql.accounts_by_user,
    orders={"CREATED_AT": by("created_at", "id")},
    filters={"status": constant("status", AccountStatus)},
    audience=Audience.VIEWER,
)
reconciliation_by_id = one(ReconcilingSql.reconciliations_by_ids, key="id", audience=Audience.VIEWER)
reconciliations_by_account = page(
    ReconcilingSql.reconciliations_by_account,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"status": constant("status", ReconciliationStatus)},
    audience=Audience.VIEWER,
)
differences_by_reconciliation = page(
    ReconcilingSql.differences_by_reconciliation, orders={"NUMBER": by("number")}, audience=Audience.VIEWER
)
venue_order_by_order = one(VenueReadSql.venue_orders_by_orders, key="order_id", audience=Audience.VIEWER)
venue_trade_by_fill = one(VenueReadSql.venue_trades_by_fills, key="fill_id", audience=Audience.VIEWER)
