"""The house of market in the graph."""

from app.domains.market.house import MARKET as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.market.alerts.alerts import Alert, AlertMutation, AlertNotification, AlertSubscription, AlertViewer
from app.schema.market.analysis.phases import AnalysisSubscription
from app.schema.market.analysis.token import AnalysisQuery
from app.schema.market.news import NewsArticle, NewsMutation, NewsQuery, NewsSubscription
from app.schema.market.prices.ticks import PriceSubscription
from app.schema.market.sources import SourceQuery
from app.schema.market.tokens import Token, TokenQuery
from app.schema.market.watchlist import WatchlistItem, WatchlistMutation, WatchlistSubscription, WatchlistViewer

MARKET = GraphHouse(
    domain=DOMAIN,
    query=(
        AnalysisQuery,
        TokenQuery,
        NewsQuery,
        SourceQuery,
    ),
    mutation=(
        AlertMutation,
        NewsMutation,
        WatchlistMutation,
    ),
    subscription=(
        PriceSubscription,
        WatchlistSubscription,
        NewsSubscription,
        AnalysisSubscription,
        AlertSubscription,
    ),
    viewer=(
        WatchlistViewer,
        AlertViewer,
    ),
    extensions=(AlertNotification,),
    nodes=(
        Alert,
        NewsArticle,
        Token,
        WatchlistItem,
    ),
    key_scopes={
        "*": NEVER,
        "analysis": PUBLIC,
        "AnalysisPhaseEvent": NEVER,
        "news": PUBLIC,
        "prices": PUBLIC,
        "sources": PUBLIC,
        "tokens": PUBLIC,
        "publishNews": NEVER,
    },
)
