"""The loaders of news, which are public."""

from app.domains.market.news.statements import NewsSql
from app.kit.lists import any_of, at_least, before, by, constant, matches, overlaps
from app.kit.loaders import Audience, many, one, page

article_by_id = one(NewsSql.articles_by_ids, key="id", audience=Audience.PUBLIC)
content_by_article = one(NewsSql.contents_by_ids, key="id", audience=Audience.PUBLIC)
tokens_by_article = many(NewsSql.tokens_by_articles, audience=Audience.PUBLIC)
NEWEST = by("published_at", "id", descending=True)
_FILTERS = {
    "sources": any_of("source", "text"),
    "sentiment": constant("sentiment", ("positive", "neutral", "negative")),
    "impact_deciles": any_of("impact_decile", "integer"),
    "min_impact": at_least("impact"),
    "since": at_least("published_at", gated=True),
    "until": before("published_at", gated=True),
}
news = page(
    NewsSql.news,
    orders={"PUBLISHED_AT": NEWEST, "IMPACT": by("impact", "published_at", "id", descending=True)},
    filters={"search": matches("search"), "symbols": overlaps("symbols_mentioned", "text"), **_FILTERS},
    audience=Audience.PUBLIC,
)
# The same list by the index of mentions.
news_mentioning = page(
    NewsSql.news_mentions,
    orders={"PUBLISHED_AT": NEWEST},
    filters={"symbols": any_of("symbol", "text"), **_FILTERS},
    audience=Audience.PUBLIC,
)
news_by_symbol = page(NewsSql.news_by_symbol, orders={"PUBLISHED_AT": NEWEST}, audience=Audience.PUBLIC)
