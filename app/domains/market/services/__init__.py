"""The verbs of the market."""

from dataclasses import dataclass
from typing import Self

from app.domains.market.services.candles import Candles
from app.domains.market.services.history import History
from app.domains.market.services.watchlist import Watchlist
from app.kit.cache import Redis
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.events import EventLog
from app.settings import Settings


@dataclass(frozen=True)
class MarketServices:
    """Every service of the market."""

    candles: Candles
    history: History
    watchlist: Watchlist

    @classmethod
    def build(cls, settings: Settings, database: Database, redis: Redis, clock: Clock, events: EventLog) -> Self:
        """Wires them."""
        return cls(
            candles=Candles(database),
            history=History(database),
            watchlist=Watchlist(database, clock, settings.watchlist_limit),
        )
