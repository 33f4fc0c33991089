"""The services of the market."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from app.domains.market.alerts.services.alerts import Alerts
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.services.indicator_alerts import IndicatorAlerts
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.services.news_alerts import NewsAlerts
from app.domains.market.alerts.services.payment_alerts import PaymentAlerts
from app.domains.market.alerts.services.price_alerts import PriceAlerts
from app.domains.market.alerts.services.sentiment_alerts import SentimentAlerts
from app.domains.market.analysis.services import Analyses, AnalysisDeps, Phases, analysts
from app.domains.market.analysis.services.writer import Writer
from app.domains.market.news.services.feeds import Feeds
from app.domains.market.news.services.fetcher import Fetcher
from app.domains.market.news.services.news import News
from app.domains.market.prices.services.candles import Candles
from app.domains.market.prices.services.clock_repair import ClockRepair
from app.domains.market.prices.services.feed import PriceFeed
from app.domains.market.prices.services.history import History
from app.domains.market.prices.services.recorder import AfterMinute, OnMoves
from app.domains.market.providers.model.chain import Chain
from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.directory import Directory
from app.domains.market.sources.services import Sources
from app.domains.market.tokens.services.listing import OnListings, Tokens
from app.domains.market.watchlist.services import Watchlist
from app.domains.notifications.services import Notifications
from app.kit.house import Port, Wiring
from app.kit.volatile import VolatileTopics

CHAIN = Port[Chain]("chain")
"""The chain whose activity is analysed, and whose payments set off alerts."""
ON_MOVES = Port[Sequence[OnMoves]]("moves")
"""What follows prices beside alerts, in the transaction of each tick."""
AFTER_MINUTE = Port[Sequence[AfterMinute]]("minutes")
"""What follows the minutes of the feed beside alerts, once their candles are stored."""
ON_LISTINGS = Port[Sequence[OnListings]]("listings")
"""What follows which tokens are listed, in the transaction of each refresh."""


@dataclass(frozen=True)
class MarketServices:
    """Every service of the market."""

    chain: Chain
    providers: Providers
    sources: Sources
    tokens: Tokens
    candles: Candles
    feed: PriceFeed
    history: History
    clock_repair: ClockRepair
    watchlist: Watchlist
    news: News
    feeds: Feeds
    alerts: Alerts
    dispatcher: AlertDispatcher
    matcher: AlertMatcher
    price_alerts: PriceAlerts
    sentiment_alerts: SentimentAlerts
    payment_alerts: PaymentAlerts
    news_alerts: NewsAlerts
    analyses: Analyses
    phases: Phases

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources, chain = wiring.resources, wiring.port(CHAIN)
        settings, database, clock = resources.settings, resources.database, resources.clock
        dispatcher = AlertDispatcher(database, clock, wiring.services[Notifications])
        sources = Sources(database, clock)
        providers = Providers.build(settings, Directory(database), sources, clock)
        news = News(database, clock, resources.events)
        fetcher = Fetcher(
            settings.news_timeout_s, settings.news_limit_bytes, allows_private=settings.news_from_private_networks
        )
        candles = Candles(database)
        making = analysts(AnalysisDeps(database, clock), candles, providers, chain)
        analyses = Analyses(database, resources.redis, clock, making, Writer.of(settings))
        matcher = AlertMatcher(database, clock, dispatcher)
        price_alerts, indicator_alerts = PriceAlerts(matcher), IndicatorAlerts(database, clock, matcher, candles)
        return cls(
            chain=chain,
            providers=providers,
            sources=sources,
            tokens=Tokens(
                database,
                clock,
                providers.prices,
                sources,
                wiring.port(ON_LISTINGS),
                limit=settings.market_token_limit,
            ),
            candles=candles,
            feed=PriceFeed(
                providers.prices,
                database,
                clock,
                VolatileTopics(resources.redis),
                sources,
                on_moves=[price_alerts.evaluate, *wiring.port(ON_MOVES)],
                after_minute=[indicator_alerts.evaluate, *wiring.port(AFTER_MINUTE)],
            ),
            history=History(database),
            clock_repair=ClockRepair(database),
            news=news,
            feeds=Feeds(settings.news_feeds, database, news, sources, fetcher),
            watchlist=Watchlist(database, clock, resources.events, settings.watchlist_limit),
            alerts=Alerts(database, clock, resources.events, settings.alert_limit, settings.chain_symbol),
            dispatcher=dispatcher,
            matcher=matcher,
            price_alerts=price_alerts,
            sentiment_alerts=SentimentAlerts(database, clock, dispatcher, analyses.get),
            payment_alerts=PaymentAlerts(database, clock, dispatcher, matcher, chain),
            news_alerts=NewsAlerts(database, clock, matcher),
            analyses=analyses,
            phases=Phases(database, clock, resources.events, analyses),
        )

    async def stop(self) -> None:
        """Ends the work in this process, and closes its connections."""
        await self.phases.stop()
        await self.analyses.stop()
        await self.providers.aclose()
