"""The loaders of news, which are public."""

from app.domains.market.news.statements import NewsSql
from app.kit.loaders import Audience, many, one, page

article_by_id = one(NewsSql.articles_by_ids, key="id", audience=Audience.PUBLIC)
content_by_article = one(NewsSql.contents_by_ids, key="id", audience=Audience.PUBLIC)
tokens_by_article = many(NewsSql.tokens_by_articles, audience=Audience.PUBLIC)
NEWEST_ARTICLE_FIRST = ("published_at", "id")
NEWS_BOUNDS = ("min_score", "max_score", "min_impact", "since", "until")
# Four statements for the same list, each for a different index.
news = page(
    NewsSql.news_page,
    count=NewsSql.news_count,
    order=NEWEST_ARTICLE_FIRST,
    filters=NEWS_BOUNDS,
    audience=Audience.PUBLIC,
)
news_from_sources = page(
    NewsSql.news_from_sources,
    count=NewsSql.news_from_sources_count,
    order=NEWEST_ARTICLE_FIRST,
    filters=("sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_mentioning = page(
    NewsSql.news_mentioning,
    count=NewsSql.news_mentioning_count,
    order=NEWEST_ARTICLE_FIRST,
    filters=("symbols", "sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_matching = page(
    NewsSql.news_matching,
    count=NewsSql.news_matching_count,
    order=NEWEST_ARTICLE_FIRST,
    filters=("search", "symbols", "sources", *NEWS_BOUNDS),
    audience=Audience.PUBLIC,
)
news_by_symbol = page(
    NewsSql.news_by_symbols,
    count=NewsSql.news_by_symbols_count,
    order=NEWEST_ARTICLE_FIRST,
    audience=Audience.PUBLIC,
)
