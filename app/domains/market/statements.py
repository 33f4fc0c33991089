"""The statements of the house, a file for each noun."""

from app.kit.sql import beside

ALERTS = beside(__file__, "alerts/alerts.sql")
ANALYSIS = beside(__file__, "analysis/analysis.sql")
LISTINGS = beside(__file__, "tokens/listing.sql")
MENDING = beside(__file__, "prices/clock_repair.sql")
NEWS = beside(__file__, "news/news.sql")
NOTIFICATIONS = beside(__file__, "../notifications/notifications.sql")
PRICES = beside(__file__, "prices/prices.sql")
SOURCES = beside(__file__, "sources/sources.sql")
TOKENS = beside(__file__, "tokens/tokens.sql")
WATCHLIST = beside(__file__, "watchlist/watchlist.sql")
