"""The loaders of portfolios, which only their owner can read."""

from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import Mode
from app.domains.trading.portfolios.statements import PortfolioSql, ValueSql
from app.kit.lists import at_least, before, by, constant, equals, nulls_last
from app.kit.loaders import Audience, many, one, page

portfolio_by_id = one(PortfolioSql.portfolios_by_ids, key="id", audience=Audience.VIEWER)
portfolio_by_account = one(PortfolioSql.portfolios_by_accounts, key="exchange_account_id", audience=Audience.VIEWER)
portfolios_by_user = page(
    PortfolioSql.portfolios_by_user,
    orders={"CREATED_AT": by("created_at", "id")},
    filters={"mode": constant("mode", Mode), "currency": constant("currency", Currency)},
    audience=Audience.VIEWER,
)
default_portfolio_by_user = one(PortfolioSql.default_portfolios, key="user_id", audience=Audience.VIEWER)
balance_by_portfolio = one(PortfolioSql.balances_by_portfolios, key="portfolio_id", audience=Audience.VIEWER)
balances_by_user = one(PortfolioSql.balances_by_users, key="user_id", audience=Audience.VIEWER)
positions_by_portfolio = page(
    PortfolioSql.positions_by_portfolio,
    orders={"SYMBOL": by("symbol"), "VALUE": by(nulls_last("market_value", -1, 10**20), "symbol", descending=True)},
    filters={"symbol": equals("symbol"), "held": constant("is_held")},
    audience=Audience.VIEWER,
)
holdings_by_portfolio = many(PortfolioSql.holdings_by_portfolios, audience=Audience.VIEWER)
value_points = page(
    ValueSql.value_points,
    orders={"AT": by("at", descending=True)},
    filters={"since": at_least("at"), "until": before("at")},
    audience=Audience.VIEWER,
)
summary_by_user = one(ValueSql.summaries_by_users, key="user_id", audience=Audience.VIEWER)
