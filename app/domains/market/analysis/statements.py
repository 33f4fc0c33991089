"""The statements about analyses."""

from typing import Any
from uuid import UUID

from app.domains.market.analysis.model.news import NewsHeadline, NewsSentiment, NewsSummary
from app.domains.market.analysis.model.phases import AnalysisPhase, Run
from app.kit.sql import Command, Query, Statements


class AnalysisSql(Statements, file="analysis.sql"):
    """The statements about analyses."""

    cached_analysis: Query[Any]
    cache_analysis: Command
    news_summary: Query[NewsSummary]
    top_news: Query[NewsHeadline]
    news_sentiment: Query[NewsSentiment]
    current_run: Query[Run]
    delete_expired_run: Command
    begin_run: Command
    complete_phase: Query[UUID]
    phases_by_ids: Query[AnalysisPhase]
    delete_expired_analyses: Command
    delete_expired_runs: Query[int]
