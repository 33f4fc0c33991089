"""The verbs of the market."""

from dataclasses import dataclass
from typing import Self

from app.domains.accounts.services.post import Post
from app.domains.market.model.chain import Chain
from app.domains.market.services.alerts.crossings import Crossings
from app.domains.market.services.alerts.editing import Alerts
from app.domains.market.services.alerts.firing import Firings
from app.domains.market.services.candles import Candles
from app.domains.market.services.directory import Directory
from app.domains.market.services.finding import Finding
from app.domains.market.services.history import History
from app.domains.market.services.notifications import Notifications
from app.domains.market.services.providers import Providers
from app.domains.market.services.sources import Sources
from app.domains.market.services.tokens import Tokens
from app.domains.market.services.watchlist import Watchlist
from app.kit.cache import Redis
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.events import EventLog
from app.settings import Settings


@dataclass(frozen=True)
class MarketServices:
    """Every service of the market."""

    chain: Chain
    providers: Providers
    sources: Sources
    tokens: Tokens
    candles: Candles
    finding: Finding
    history: History
    watchlist: Watchlist
    alerts: Alerts
    firings: Firings
    crossings: Crossings
    notifications: Notifications

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
        providers = Providers.build(settings, Directory(database), clock)
        sources = Sources(database, clock)
        return cls(
            chain=chain,
            providers=providers,
            sources=sources,
            tokens=Tokens(database, clock, providers.prices, sources, limit=settings.market_token_limit),
            candles=Candles(database),
            finding=Finding(database),
            history=History(database),
            watchlist=Watchlist(database, clock, settings.watchlist_limit),
            alerts=Alerts(database, clock, settings.alert_limit, settings.chain_symbol),
            firings=firings,
            crossings=Crossings(firings),
            notifications=Notifications(database, clock),
        )
