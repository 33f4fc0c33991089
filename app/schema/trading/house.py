"""The house of trading in the graph."""

from app.domains.trading.house import TRADING as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.trading.analytics import AnalyticsMutation, AnalyticsQuery, AnalyticsViewer
from app.schema.trading.backtests.backtests import Backtest, BacktestQuery, BacktestViewer
from app.schema.trading.backtests.changes import BacktestMutation
from app.schema.trading.backtests.streams import BacktestSubscription
from app.schema.trading.backtests.sweeps import BacktestSweep, BacktestSweepQuery, BacktestSweepViewer
from app.schema.trading.balances import ProfileBalances
from app.schema.trading.bots.bots import Bot, BotQuery, BotViewer
from app.schema.trading.bots.changes import BotMutation
from app.schema.trading.bots.signals import BotSignal
from app.schema.trading.bots.streams import BotSubscription
from app.schema.trading.changes import PortfolioMutation
from app.schema.trading.journal import JournalEntry
from app.schema.trading.orders.books import BookQuery, BookSubscription
from app.schema.trading.orders.changes import OrderMutation
from app.schema.trading.orders.fills import EntryFill, Fill, PortfolioFills
from app.schema.trading.orders.halts import HaltMutation, HaltQuery, HaltViewer
from app.schema.trading.orders.orders import Order, OrderQuery, OrderViewer, PortfolioOrders
from app.schema.trading.orders.preview import PreviewQuery
from app.schema.trading.orders.streams import OrderSubscription
from app.schema.trading.portfolios import Portfolio, PortfolioQuery, PortfolioSubscription, PortfolioViewer
from app.schema.trading.venues.accounts import (
    ExchangeAccount,
    ExchangeAccountViewer,
    PortfolioAccount,
    Reconciliation,
)
from app.schema.trading.venues.changes import ExchangeAccountMutation
from app.schema.trading.venues.orders import FillAtExchange, OrderAtExchange

TRADING = GraphHouse(
    domain=DOMAIN,
    query=(
        PortfolioQuery,
        OrderQuery,
        PreviewQuery,
        BookQuery,
        HaltQuery,
        BotQuery,
        BacktestQuery,
        BacktestSweepQuery,
        AnalyticsQuery,
    ),
    mutation=(
        PortfolioMutation,
        OrderMutation,
        HaltMutation,
        BotMutation,
        BacktestMutation,
        AnalyticsMutation,
        ExchangeAccountMutation,
    ),
    subscription=(
        PortfolioSubscription,
        OrderSubscription,
        BookSubscription,
        BotSubscription,
        BacktestSubscription,
    ),
    viewer=(
        PortfolioViewer,
        OrderViewer,
        HaltViewer,
        BotViewer,
        BacktestViewer,
        BacktestSweepViewer,
        AnalyticsViewer,
        ExchangeAccountViewer,
    ),
    extensions=(
        ProfileBalances,
        PortfolioOrders,
        PortfolioFills,
        EntryFill,
        PortfolioAccount,
        OrderAtExchange,
        FillAtExchange,
    ),
    nodes=(
        Backtest,
        BacktestSweep,
        Bot,
        BotSignal,
        ExchangeAccount,
        Fill,
        JournalEntry,
        Order,
        Portfolio,
        Reconciliation,
    ),
    key_scopes={
        "*": NEVER,
        "orders.books": PUBLIC,
        "MarketHalt": PUBLIC,
    },
)
