"""The statements about sources."""

from app.domains.market.sources.model import MarketSource
from app.kit.sql import Command, Query, Statements


class SourceSql(Statements, file="sources.sql"):
    """The statements about sources."""

    note_success: Command
    note_failure: Command
    market_sources: Query[MarketSource]
