"""The statements about analysis."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domains.market.analysis.model.phases import AnalysisPhase
from app.kit.sql import Command, Query, Statements


class AnalysisSql(Statements, file="analysis.sql"):
    """The statements about analyses."""

    cached_analysis: Query[Any]
    cache_analysis: Command
    news_summary: Query[tuple[int, int, int, int, int, float, int, datetime]]
    top_news: Query[tuple[UUID, str, str, str, float, int, datetime]]
    news_sentiment: Query[tuple[int, float, datetime]]
    current_run: Query[tuple[UUID, datetime, list[int]]]
    forget_run: Command
    begin_run: Command
    complete_phase: Query[UUID]
    phases_by_ids: Query[AnalysisPhase]
    delete_expired_analyses: Command
    delete_expired_runs: Query[int]
