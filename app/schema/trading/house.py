"""The house of trading in the graph."""

from app.domains.trading.house import TRADING as DOMAIN
from app.schema.composition import GraphHouse
from app.schema.trading.analytics import AnalyticsMutation, AnalyticsQuery, AnalyticsViewer
from app.schema.trading.balances import ProfileBalances
from app.schema.trading.changes import PortfolioMutation
from app.schema.trading.journal import JournalEntry
from app.schema.trading.portfolios import Portfolio, PortfolioQuery, PortfolioSubscription, PortfolioViewer

TRADING = GraphHouse(
    domain=DOMAIN,
    query=(PortfolioQuery, AnalyticsQuery),
    mutation=(PortfolioMutation, AnalyticsMutation),
    subscription=(PortfolioSubscription,),
    viewer=(PortfolioViewer, AnalyticsViewer),
    extensions=(ProfileBalances,),
    nodes=(
        JournalEntry,
        Portfolio,
    ),
)
