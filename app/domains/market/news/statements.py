"""The statements about news."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domains.market.news.model import ArticleContent, NewsArticle
from app.domains.market.tokens.model import Token
from app.kit.sql import Command, Keyed, Query, Statements


class NewsSql(Statements, file="news.sql"):
    """The statements about news."""

    articles_by_ids: Query[NewsArticle]
    contents_by_ids: Query[ArticleContent]
    tokens_by_articles: Keyed[Token]
    news_page: Query[NewsArticle]
    news_count: Query[int]
    news_from_sources: Query[NewsArticle]
    news_from_sources_count: Query[int]
    news_mentioning: Query[NewsArticle]
    news_mentioning_count: Query[int]
    news_matching: Query[NewsArticle]
    news_matching_count: Query[int]
    news_by_symbols: Keyed[NewsArticle]
    news_by_symbols_count: Keyed[int]
    known_urls: Query[tuple[str, UUID]]
    token_names: Query[tuple[str, str]]
    insert_articles: Query[tuple[UUID, datetime]]
    delete_old_articles: Command
    feed_states: Query[tuple[str, Any]]
    keep_feed_state: Command
