"""The house of trading in the graph."""

from app.domains.trading.house import TRADING as DOMAIN
from app.schema.composition import GraphHouse
from app.schema.trading.balances import ProfileBalances
from app.schema.trading.changes import PortfolioMutation
from app.schema.trading.journal import JournalEntry
from app.schema.trading.portfolios import Portfolio, PortfolioQuery, PortfolioSubscription, PortfolioViewer

TRADING = GraphHouse(
    domain=DOMAIN,
    query=(PortfolioQuery,),
    mutation=(PortfolioMutation,),
    subscription=(PortfolioSubscription,),
    viewer=(PortfolioViewer,),
    extensions=(ProfileBalances,),
    nodes=(
        JournalEntry,
        Portfolio,
    ),
)
