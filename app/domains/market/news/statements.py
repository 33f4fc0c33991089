"""The statements about news."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domains.market.news.model import ArticleContent, NewsArticle
from app.domains.market.tokens.model import Token
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class NewsSql(Statements, file="news.sql"):
    """The statements about news."""

    articles_by_ids: Query[NewsArticle]
    contents_by_ids: Query[ArticleContent]
    tokens_by_articles: Keyed[Token]
    news: Rows[NewsArticle]
    news_mentions: Rows[NewsArticle]
    news_by_symbol: Rows[NewsArticle]
    known_urls: Query[tuple[str, UUID]]
    token_names: Query[tuple[str, str]]
    insert_articles: Query[tuple[UUID, datetime]]
    delete_old_articles: Command
    feed_states: Query[tuple[str, Any]]
    keep_feed_state: Command
