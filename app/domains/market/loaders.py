"""How the graph reads the market. Tokens, prices, news and analyses are public; the rest is its owner's."""

from app.domains.market.model.alerts import Alert
from app.domains.market.model.analysis.phases import AnalysisPhase
from app.domains.market.model.news import ArticleContent, NewsArticle
from app.domains.market.model.notifications import Notification, UnreadCount
from app.domains.market.model.prices import Candle, PriceSample
from app.domains.market.model.tokens import FoundToken, Token, TokenFilter
from app.domains.market.model.watchlist import WatchedSymbol, WatchlistItem
from app.domains.market.statements import ALERTS, ANALYSIS, NEWS, NOTIFICATIONS, PRICES, TOKENS, WATCHLIST
from app.kit.loading import Audience, many, one, page

token_by_symbol = one(Token, TOKENS.tokens_by_symbols, key="symbol", audience=Audience.PUBLIC)
token_by_coingecko_id = one(Token, TOKENS.tokens_by_coingecko_ids, key="coingecko_id", audience=Audience.PUBLIC)
tokens = page(
    FoundToken,
    TOKENS.tokens_page,
    count=TOKENS.tokens_count,
    order=("sorted_by", "sort_missing", "sort_number", "sort_text", "symbol"),
    keyed=False,
    filters=("sorted_by", *TokenFilter.__struct_fields__),
    audience=Audience.PUBLIC,
)

watchlist_item_by_id = one(WatchlistItem, WATCHLIST.watchlist_items_by_ids, key="id", audience=Audience.VIEWER)
watchlist_by_user = page(
    WatchlistItem,
    WATCHLIST.watchlist_by_user,
    count=WATCHLIST.watchlist_by_user_count,
    order=("rank",),
    audience=Audience.VIEWER,
)
watched_symbols = many(WatchedSymbol, WATCHLIST.watched_symbols, audience=Audience.VIEWER)

candles_by_token = page(
    Candle,
    PRICES.candles_by_tokens,
    count=PRICES.count_candles_by_tokens,
    order=("opened_at",),
    filters=("interval", "since", "until"),
    audience=Audience.PUBLIC,
)
prices_by_token = page(
    PriceSample,
    PRICES.prices_by_tokens,
    count=PRICES.count_prices_by_tokens,
    order=("timestamp",),
    filters=("since", "until"),
    audience=Audience.PUBLIC,
)

alert_by_id = one(Alert, ALERTS.alerts_by_ids, key="id", audience=Audience.VIEWER)
alerts_by_user = page(
    Alert,
    ALERTS.alerts_by_user,
    count=ALERTS.alerts_by_user_count,
    order=("created_at", "id"),
    filters=("symbol", "type", "is_armed"),
    audience=Audience.VIEWER,
)

notification_by_id = one(Notification, NOTIFICATIONS.notifications_by_ids, key="id", audience=Audience.VIEWER)
notifications_by_user = page(
    Notification,
    NOTIFICATIONS.notifications_by_user,
    count=NOTIFICATIONS.notifications_by_user_count,
    order=("created_at", "id"),
    filters=("type",),
    audience=Audience.VIEWER,
)
unread_notifications_by_user = page(
    Notification,
    NOTIFICATIONS.unread_notifications_by_user,
    count=NOTIFICATIONS.unread_notifications_by_user_count,
    order=("created_at", "id"),
    filters=("type",),
    audience=Audience.VIEWER,
)
unread_count_by_user = one(UnreadCount, NOTIFICATIONS.unread_counts, key="user_id", audience=Audience.VIEWER)

analysis_phase_by_id = one(AnalysisPhase, ANALYSIS.phases_by_ids, key="id", audience=Audience.VIEWER)

article_by_id = one(NewsArticle, NEWS.articles_by_ids, key="id", audience=Audience.PUBLIC)
content_by_article = one(ArticleContent, NEWS.contents_by_ids, key="id", audience=Audience.PUBLIC)
tokens_by_article = many(Token, NEWS.tokens_by_articles, audience=Audience.PUBLIC)
NEWEST_ARTICLE_FIRST = ("published_at", "id")
NEWS_BOUNDS = ("min_score", "max_score", "min_impact", "since", "until")
# The same list found in four ways, each along an index of its own.
news = page(
    NewsArticle,
    NEWS.news_page,
    count=NEWS.news_count,
    order=NEWEST_ARTICLE_FIRST,
    keyed=False,
    filters=NEWS_BOUNDS,
    audience=Audience.PUBLIC,
)
news_from_sources = page(
    NewsArticle,
    NEWS.news_from_sources,
    count=NEWS.news_from_sources_count,
    order=NEWEST_ARTICLE_FIRST,
    keyed=False,
    filters=("sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_mentioning = page(
    NewsArticle,
    NEWS.news_mentioning,
    count=NEWS.news_mentioning_count,
    order=NEWEST_ARTICLE_FIRST,
    keyed=False,
    filters=("symbols", "sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_matching = page(
    NewsArticle,
    NEWS.news_matching,
    count=NEWS.news_matching_count,
    order=NEWEST_ARTICLE_FIRST,
    keyed=False,
    filters=("search", "symbols", "sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_by_symbol = page(
    NewsArticle,
    NEWS.news_by_symbols,
    count=NEWS.news_by_symbols_count,
    order=NEWEST_ARTICLE_FIRST,
    audience=Audience.PUBLIC,
)
