"""The statements about sources."""

from datetime import datetime
from typing import Any

from app.kit.sql import Command, Query, Statements


class SourceSql(Statements, file="sources.sql"):
    """The statements about sources."""

    note_success: Command
    note_failure: Command
    market_sources: Query[tuple[str, str, datetime, datetime, str, int, Any]]
