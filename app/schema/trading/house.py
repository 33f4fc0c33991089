"""The house of trading in the graph."""

from app.domains.trading.house import TRADING as DOMAIN
from app.schema.composition import GraphHouse
from app.schema.trading.analytics import AnalyticsMutation, AnalyticsQuery, AnalyticsViewer
from app.schema.trading.balances import ProfileBalances
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
        AnalyticsQuery,
    ),
    mutation=(
        PortfolioMutation,
        OrderMutation,
        HaltMutation,
        AnalyticsMutation,
        ExchangeAccountMutation,
    ),
    subscription=(
        PortfolioSubscription,
        OrderSubscription,
        BookSubscription,
    ),
    viewer=(
        PortfolioViewer,
        OrderViewer,
        HaltViewer,
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
        ExchangeAccount,
        Fill,
        JournalEntry,
        Order,
        Portfolio,
        Reconciliation,
    ),
)
