"""The statements of the house, a file for each noun."""

from app.kit.sql import beside

ALERTS = beside(__file__, "alerts.sql")
ANALYSIS = beside(__file__, "analysis.sql")
LISTINGS = beside(__file__, "listings.sql")
MENDING = beside(__file__, "mending.sql")
NEWS = beside(__file__, "news.sql")
NOTIFICATIONS = beside(__file__, "notifications.sql")
PRICES = beside(__file__, "prices.sql")
SOURCES = beside(__file__, "sources.sql")
TOKENS = beside(__file__, "tokens.sql")
WATCHLIST = beside(__file__, "watchlist.sql")
