"""The verbs of the market."""

from dataclasses import dataclass
from typing import Self

from app.domains.accounts.services.post import Post
from app.domains.market.alerts.services.alerts import Alerts
from app.domains.market.alerts.services.dispatcher import Firings
from app.domains.market.alerts.services.indicator_alerts import Measuring
from app.domains.market.alerts.services.matcher import Passing
from app.domains.market.alerts.services.news_alerts import Headlines
from app.domains.market.alerts.services.payment_alerts import Whales
from app.domains.market.alerts.services.price_alerts import Crossings
from app.domains.market.alerts.services.sentiment_alerts import Sentiments
from app.domains.market.analysis.services import Analyses, Desk, Phases, analysts
from app.domains.market.analysis.services.writer import Writer
from app.domains.market.news.services.feeds import Feeds
from app.domains.market.news.services.fetcher import Fetcher
from app.domains.market.news.services.news import News
from app.domains.market.prices.services.candles import Candles
from app.domains.market.prices.services.clock_repair import Mending
from app.domains.market.prices.services.feed import PriceFeed
from app.domains.market.prices.services.history import History
from app.domains.market.sources.model.chain import Chain
from app.domains.market.sources.services.directory import Directory
from app.domains.market.sources.services.providers import Providers
from app.domains.market.sources.services.sources import Sources
from app.domains.market.tokens.services.listing import Tokens
from app.domains.market.watchlist.services import Watchlist
from app.domains.notifications.services.notifications import Notifications
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.redis_client import Redis
from app.kit.volatile import VolatileTopics
from app.settings import Settings


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
    mending: Mending
    watchlist: Watchlist
    news: News
    feeds: Feeds
    alerts: Alerts
    firings: Firings
    passing: Passing
    crossings: Crossings
    sentiments: Sentiments
    whales: Whales
    headlines: Headlines
    notifications: Notifications
    analyses: Analyses
    phases: Phases

    @classmethod
    def build(
        cls,
        *,
        settings: Settings,
        database: Database,
        redis: Redis,
        clock: Clock,
        events: EventLog,
        post: Post,
        chain: Chain,
    ) -> Self:
        """Wires them. The chain is handed in: the market knows no ledger."""
        firings = Firings(database, clock, events, post)
        sources = Sources(database, clock)
        providers = Providers.build(settings, Directory(database), sources, clock)
        news = News(database, clock)
        fetcher = Fetcher(
            settings.news_timeout_s, settings.news_limit_bytes, allows_private=settings.news_from_private_networks
        )
        candles = Candles(database)
        making = analysts(Desk(database, clock), candles, providers, chain)
        analyses = Analyses(database, redis, clock, making, Writer.of(settings))
        passing = Passing(database, clock, firings)
        crossings, measuring = Crossings(passing), Measuring(database, clock, passing, candles)
        return cls(
            chain=chain,
            providers=providers,
            sources=sources,
            tokens=Tokens(database, clock, providers.prices, sources, limit=settings.market_token_limit),
            candles=candles,
            feed=PriceFeed(
                providers.prices,
                database,
                clock,
                VolatileTopics(redis),
                sources,
                on_moves=[crossings.cross],
                after_minute=[measuring.after_minute],
            ),
            history=History(database),
            mending=Mending(database),
            news=news,
            feeds=Feeds(settings.news_feeds, database, news, sources, fetcher),
            watchlist=Watchlist(database, clock, settings.watchlist_limit),
            alerts=Alerts(database, clock, settings.alert_limit, settings.chain_symbol),
            firings=firings,
            passing=passing,
            crossings=crossings,
            sentiments=Sentiments(database, clock, firings, analyses.get),
            whales=Whales(database, clock, firings, passing, chain),
            headlines=Headlines(database, clock, passing),
            notifications=Notifications(database, clock),
            analyses=analyses,
            phases=Phases(database, clock, events, analyses),
        )

    async def stop(self) -> None:
        """Ends what is under way here, and closes what is open."""
        await self.phases.stop()
        await self.analyses.stop()
        await self.providers.aclose()
