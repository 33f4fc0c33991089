"""The services of trading."""

from dataclasses import dataclass
from typing import Self

from app.domains.market.analysis.services.writer import Writer
from app.domains.market.services import MarketServices
from app.domains.notifications.services import Notifications
from app.domains.trading.analytics.services import Analytics
from app.domains.trading.backtests.services.backtests import Backtests
from app.domains.trading.backtests.services.runner import Runner as BacktestRunner
from app.domains.trading.bots.services.bots import Bots
from app.domains.trading.bots.services.reasons import Reasons
from app.domains.trading.bots.services.reporting import BotReports
from app.domains.trading.bots.services.runner import BotRunner
from app.domains.trading.bots.services.trader import BotTrader
from app.domains.trading.matching.services.exchange import Announcer, Exchange
from app.domains.trading.matching.services.matcher import Matcher
from app.domains.trading.orders.services.closing import INBOX_CHANNEL, cancel_for_closing, facts_of_deletion
from app.domains.trading.orders.services.halts import Halts
from app.domains.trading.orders.services.maintenance import Maintenance
from app.domains.trading.orders.services.order_books import OrderBooks
from app.domains.trading.orders.services.orders import Orders
from app.domains.trading.orders.services.previews import Previews
from app.domains.trading.orders.services.seals import OrderSeals
from app.domains.trading.performance.services import PerformanceMeter
from app.domains.trading.portfolios.services.books import Books
from app.domains.trading.portfolios.services.holdings import WatchedHoldings
from app.domains.trading.portfolios.services.portfolios import Portfolios
from app.domains.trading.portfolios.services.values import Values
from app.domains.trading.venues.services.accounts import ExchangeAccounts
from app.domains.trading.venues.services.client import Markets
from app.domains.trading.venues.services.connector import Connector
from app.domains.trading.venues.services.reconciling import Reconciling
from app.domains.trading.venues.services.settler import Settler
from app.domains.trading.venues.services.venues import Venues
from app.kit.crypto.local import derive
from app.kit.house import Wiring
from app.kit.volatile import VolatileTopics
from app.kit.wake import Wake


@dataclass(frozen=True)
class TradingServices:
    """Every service of trading."""

    portfolios: Portfolios
    holdings: WatchedHoldings
    values: Values
    books: Books
    matcher: Matcher
    exchange: Exchange
    orders: Orders
    previews: Previews
    halts: Halts
    order_books: OrderBooks
    maintenance: Maintenance
    seals: OrderSeals
    analytics: Analytics
    performance: PerformanceMeter
    backtests: Backtests
    backtest_runner: BacktestRunner
    bots: Bots
    bot_runner: BotRunner
    exchange_accounts: ExchangeAccounts
    reconciling: Reconciling
    venues: Venues

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources = wiring.resources
        database, clock = resources.database, resources.clock
        quote_age_ms = round(resources.settings.quote_age_s * 1000)
        wake = Wake(resources.redis, INBOX_CHANNEL)
        volatile = VolatileTopics(resources.redis)
        holdings = WatchedHoldings(database, volatile)
        limit = resources.settings.portfolio_limit
        portfolios = Portfolios(
            database, clock, resources.events, limit, cancel_for_closing, facts_of_deletion, holdings.announce
        )
        reports = BotReports(database, clock, resources.events, wiring.services[Notifications])
        matcher = Matcher(
            database,
            clock,
            resources.events,
            portfolios.finish,
            reports.settle,
            Announcer(volatile, holdings.announce).publish,
            quote_age_ms=quote_age_ms,
        )
        orders = Orders(database, clock, resources.events, portfolios, wake, quote_age_ms)
        trader = BotTrader(orders, clock)
        candles, reasons = wiring.services[MarketServices].candles, Reasons(Writer.of(resources.settings))
        connector = Connector(Markets(), resources.settings.exchange_address)
        accounts = ExchangeAccounts(
            database,
            clock,
            resources.keyring,
            connector,
            wake,
            resources.settings.exchange_account_limit,
            derive(resources.secret, "exchange credentials"),
        )
        settler = Settler(database, clock, resources.events, holdings.announce, portfolios.finish)
        reconciling = Reconciling(database, clock, settler, wake)
        return cls(
            portfolios=portfolios,
            holdings=holdings,
            values=Values(database, clock, holdings),
            books=Books(database),
            matcher=matcher,
            exchange=Exchange(database, matcher, wake),
            orders=orders,
            previews=Previews(database, clock, quote_age_ms),
            halts=Halts(database, clock, wake),
            order_books=OrderBooks(database),
            maintenance=Maintenance(database, clock, wake),
            seals=OrderSeals(database, clock),
            analytics=Analytics(database, clock),
            performance=PerformanceMeter(database, clock),
            backtests=Backtests(database, clock, resources.events),
            backtest_runner=BacktestRunner(database, clock, resources.events),
            bots=Bots(database, clock, resources.events, trader, resources.settings.bot_limit),
            bot_runner=BotRunner(database, clock, candles, trader, reports, reasons),
            exchange_accounts=accounts,
            reconciling=reconciling,
            # Another: what listens takes the ring.
            venues=Venues(
                database, clock, accounts, settler, reconciling, connector, Wake(resources.redis, INBOX_CHANNEL)
            ),
        )
