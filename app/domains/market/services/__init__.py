"""The verbs of the market."""

from dataclasses import dataclass
from typing import Self

from app.kit.cache import Redis
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.events import EventLog
from app.settings import Settings


@dataclass(frozen=True)
class MarketServices:
    """Every service of the market."""

    @classmethod
    def build(cls, settings: Settings, database: Database, redis: Redis, clock: Clock, events: EventLog) -> Self:
        """Wires them."""
        return cls()
