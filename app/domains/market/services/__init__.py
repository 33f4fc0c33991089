"""The verbs of the market."""

from dataclasses import dataclass
from typing import Self

from app.domains.accounts.services.post import Post
from app.domains.market.model.chain import Chain
from app.domains.market.services.alerts.crossings import Crossings
from app.domains.market.services.alerts.editing import Alerts
from app.domains.market.services.alerts.firing import Firings
from app.domains.market.services.alerts.headlines import Headlines
from app.domains.market.services.alerts.measuring import Measuring
from app.domains.market.services.alerts.passing import Passing
from app.domains.market.services.alerts.sentiments import Sentiments
from app.domains.market.services.alerts.whales import Whales
from app.domains.market.services.analysis import Analyses, Desk, Phases, analysts
from app.domains.market.services.analysis.writer import Writer
from app.domains.market.services.candles import Candles
from app.domains.market.services.directory import Directory
from app.domains.market.services.feed import PriceFeed
from app.domains.market.services.feeds import Feeds
from app.domains.market.services.fetching import Fetcher
from app.domains.market.services.history import History
from app.domains.market.services.mending import Mending
from app.domains.market.services.news import News
from app.domains.market.services.notifications import Notifications
from app.domains.market.services.providers import Providers
from app.domains.market.services.sources import Sources
from app.domains.market.services.tokens import Tokens
from app.domains.market.services.watchlist import Watchlist
from app.kit.cache import Redis
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.volatile import Volatile
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
                Volatile(redis),
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
