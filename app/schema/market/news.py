"""News, and looking through them."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.market.news import loaders as news_loaders
from app.domains.market.news import model
from app.domains.market.news.model import MAX_SYMBOLS
from app.domains.market.news.rules.sentiment import NEUTRAL_BOUND
from app.domains.market.news.services.news import MAX_CHOICES, MAX_SEARCH, wanted
from app.engine.audience import computed_for
from app.engine.limits.extra import costs, holds
from app.engine.nodes import Node, node_type
from app.engine.pages import DEFAULT_FIRST, Connection, page_of
from app.engine.relations import After, First, listed, page_request
from app.kit.loaders import Audience, Page
from app.schema.context import Info

if TYPE_CHECKING:
    from app.schema.market.tokens import Token

_BOUND = Decimal(str(NEUTRAL_BOUND))
_STEP = Decimal("0.01")
CONTENT_COST = 150
"""So few contents fit into a request that all of them together are some ten megabytes at most."""


@strawberry.enum(description="What an article means for whoever holds the tokens that it mentions, in a word.")
class Sentiment(Enum):
    """What an article means, in a word."""

    POSITIVE = strawberry.enum_value("POSITIVE", description=f"A score of {_BOUND} or more.")
    NEUTRAL = strawberry.enum_value("NEUTRAL", description=f"A score between -{_BOUND} and {_BOUND}.")
    NEGATIVE = strawberry.enum_value("NEGATIVE", description=f"A score of -{_BOUND} or less.")


# The least and the highest score of each; scores have two decimals.
_SCORES: dict[Sentiment | None, tuple[Decimal | None, Decimal | None]] = {
    None: (None, None),
    Sentiment.POSITIVE: (_BOUND, None),
    Sentiment.NEUTRAL: (_STEP - _BOUND, _BOUND - _STEP),
    Sentiment.NEGATIVE: (None, -_BOUND),
}


def _sentiment(root: model.NewsArticle) -> Sentiment:
    if root.sentiment_score >= NEUTRAL_BOUND:
        return Sentiment.POSITIVE
    return Sentiment.NEGATIVE if root.sentiment_score <= -NEUTRAL_BOUND else Sentiment.NEUTRAL


async def _content(root: model.NewsArticle, info: Info) -> str | None:
    found = await info.context.reads.one(news_loaders.content_by_article, root.id)
    return None if found is None else found.content


@node_type(
    by=news_loaders.article_by_id,
    description="An article. Its texts are plain text, not HTML: escape them as any text. Kept for a year.",
)
class NewsArticle(Node):
    """An article."""

    title: str = strawberry.field(description="Headline, at most 500 characters.")
    summary: str | None = strawberry.field(
        description="What it is about, at most 2,000 characters, a line for each paragraph; null where none came."
    )
    content: str | None = strawberry.field(
        resolver=_content,
        metadata=computed_for(Audience.PUBLIC) | costs(CONTENT_COST),
        description="All that it says, at most 100,000 characters; null where the source gave only a summary."
        f" Costs {CONTENT_COST} more.",
    )
    source: str = strawberry.field(description="Who published it, at most 200 characters: a feed's title.")
    author: str | None = strawberry.field(description="Who wrote it; null where the source does not say.")
    url: str = strawberry.field(description="Where it is, without tracking parameters; unique. http or https.")
    image_url: str | None = strawberry.field(description="A picture to show with it; null without one.")
    sentiment_score: float = strawberry.field(
        description="What it means for whoever holds the tokens that it mentions, from -1 (bad) to 1 (good): VADER with"
        " a lexicon of this field, the headline counting for more than the rest."
    )
    sentiment: Sentiment = strawberry.field(resolver=_sentiment, description="The score in a word.")
    impact: int = strawberry.field(
        description="How much it may matter, 0 to 100: by what it is about, how strongly it is worded, and how widely"
        " it reaches. A rule of thumb, no forecast."
    )
    symbols_mentioned: list[str] = strawberry.field(
        name="symbols",
        metadata=holds(MAX_SYMBOLS),
        description=f"Symbols of the tokens that it mentions, in that order; at most {MAX_SYMBOLS}.",
    )
    published_at: datetime = strawberry.field(
        description="When it was published; when it came, where the source did not say or said a time to come."
    )
    created_at: datetime = strawberry.field(description="When it came.")
    tokens: list[Annotated["Token", strawberry.lazy("app.schema.market.tokens")]] = listed(
        news_loaders.tokens_by_article,
        key="id",
        most=MAX_SYMBOLS,
        description=f"The tokens that it mentions, in that order; at most {MAX_SYMBOLS}.",
    )


@strawberry.input(name="NewsFilter", description="Which news: those that fit all of it.")
class NewsFilterInput:
    """Which news."""

    symbols: list[str] | None = strawberry.field(
        default=None,
        description=f"Those that mention one of these, in any case, at most {MAX_CHOICES}; null: all.",
    )
    sources: list[str] | None = strawberry.field(
        default=None, description=f"Those of these sources, spelt as `source`, at most {MAX_CHOICES}; null: of any."
    )
    sentiment: Sentiment | None = strawberry.field(default=None, description="Those of this sentiment; null: of any.")
    min_impact: int | None = strawberry.field(default=None, description="The least impact, 0 to 100; null: any.")
    published_after: datetime | None = strawberry.field(
        default=None, description="Those published then or later; null: however old."
    )
    published_before: datetime | None = strawberry.field(
        default=None, description="Those published before then; null: up to now."
    )


async def _news(
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    search: Annotated[
        str | None,
        strawberry.argument(
            description='Words to be found in title, summary or content, in any form: `halving miners`; `"rug pull"`'
            f" as a phrase, `or`, and `-word` to exclude one. At most {MAX_SEARCH} characters. What holds only very"
            " common words finds nothing. Null or blank: all."
        ),
    ] = None,
    filter: Annotated[NewsFilterInput | None, strawberry.argument(description="Which; null: all.")] = None,
) -> Any:
    given = filter or NewsFilterInput()
    low, high = _SCORES[given.sentiment]
    found = wanted(
        model.NewsFilter(
            search=search,
            symbols=None if given.symbols is None else tuple(given.symbols),
            sources=None if given.sources is None else tuple(given.sources),
            min_score=low,
            max_score=high,
            min_impact=given.min_impact,
            since=given.published_after,
            until=given.published_before,
        )
    )
    loader = _loader(found)
    filters = tuple(getattr(found, name) for name in loader.filters)
    request = page_request(info.context.cursors, loader, first, after, filters)
    return await page_of(info.context, loader, None, request)


def _loader(wanted: model.NewsFilter) -> Page[model.NewsArticle]:
    """The way to go: along the index of what narrows the list the most."""
    if wanted.search is not None:
        return news_loaders.news_matching
    if wanted.symbols is not None:
        return news_loaders.news_mentioning
    return news_loaders.news if wanted.sources is None else news_loaders.news_from_sources


@strawberry.type
class NewsQuery:
    """Looking through the news."""

    news: Connection[NewsArticle] = strawberry.field(
        resolver=_news,
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Connection[NewsArticle],
        description="News, searched and filtered, the newest first.",
    )
