"""News, and publishing them."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from app.domains.market.news import loaders as news_loaders
from app.domains.market.news import model
from app.domains.market.news.model import MAX_SYMBOLS, NEUTRAL_BOUND
from app.domains.market.news.services.news import MAX_BATCH, MAX_CHOICES, MAX_SEARCH, wanted
from app.domains.market.services import MarketServices
from app.engine.declarations.audience import computed_for
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import costs, holds
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, mutation
from app.engine.declarations.relations import Chosen, listed, paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.errors import Faults
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.admins import for_admins
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY

if TYPE_CHECKING:
    from app.schema.market.tokens import Token

_BOUND = Decimal(str(NEUTRAL_BOUND))
_HTML = " Plain text, or HTML, which is converted to plain text."
CONTENT_COST = 150
"""With this cost, the contents that one request can read have about ten megabytes at most."""


@strawberry.enum
class Sentiment(Enum):
    """Whether an article is good or bad news for holders of the tokens that it mentions."""

    POSITIVE = strawberry.enum_value("POSITIVE", description=f"A score of {_BOUND} or more.")
    NEUTRAL = strawberry.enum_value("NEUTRAL", description=f"A score between -{_BOUND} and {_BOUND}.")
    NEGATIVE = strawberry.enum_value("NEGATIVE", description=f"A score of -{_BOUND} or less.")


def _sentiment(root: model.NewsArticle) -> Sentiment:
    if root.sentiment_score >= NEUTRAL_BOUND:
        return Sentiment.POSITIVE
    return Sentiment.NEGATIVE if root.sentiment_score <= -NEUTRAL_BOUND else Sentiment.NEUTRAL


async def _content(root: model.NewsArticle, info: Info) -> str | None:
    found = await info.context.reads.one(news_loaders.content_by_article, root.id)
    return None if found is None else found.content


@node_type(by=news_loaders.article_by_id)
class NewsArticle(Node):
    """A news article. Its texts are plain text, not HTML, and must be escaped like any text. Kept for a year."""

    title: str = strawberry.field(description="The headline, at most 500 characters.")
    summary: str | None = strawberry.field(
        description="The summary, at most 2,000 characters, with one line per paragraph. Null if there is none."
    )
    content: str | None = strawberry.field(
        resolver=_content,
        metadata=computed_for(Audience.PUBLIC) | costs(CONTENT_COST),
        description="The full text, at most 100,000 characters. Null if the source provided only a summary."
        f" Costs {CONTENT_COST} more.",
    )
    source: str = strawberry.field(description="The publisher, at most 200 characters. For a feed, its title.")
    author: str | None = strawberry.field(description="The author. Null if the source does not name one.")
    url: str = strawberry.field(
        description="The http or https URL of the article, without tracking parameters. Unique."
    )
    image_url: str | None = strawberry.field(description="The URL of an image. Null if there is none.")
    sentiment_score: float = strawberry.field(
        description="How good the news is for holders of the tokens that it mentions, from -1 (bad) to 1 (good)."
        " Computed with VADER and a lexicon of crypto terms. The headline has more weight than the rest."
    )
    sentiment: Sentiment = from_parent(_sentiment, description="The category of the sentiment score.")
    impact: int = strawberry.field(
        description="How important the article may be, 0 to 100, by its topic, its wording and its reach. An estimate,"
        " not a forecast."
    )
    symbols_mentioned: list[str] = strawberry.field(
        name="symbols",
        metadata=holds(MAX_SYMBOLS),
        description=f"The symbols of the tokens that it mentions, in order of appearance. At most {MAX_SYMBOLS}.",
    )
    published_at: datetime = strawberry.field(
        description="When it was published. If the source gave no time or a future time, when it was received."
    )
    created_at: datetime = strawberry.field(description="When it was received.")
    tokens: list[Annotated["Token", strawberry.lazy("app.schema.market.tokens")]] = listed(
        news_loaders.tokens_by_article,
        key="id",
        most=MAX_SYMBOLS,
        description=f"The tokens that it mentions, in order of appearance. At most {MAX_SYMBOLS}.",
    )


@strawberry.input
class NewsArticleFilter:
    """Filters news by all fields that are given. A field that is null or omitted matches all."""

    symbols: list[str] | None = strawberry.field(
        default=None,
        description=f"At most {MAX_CHOICES} symbols, in any case, of which the article mentions one.",
    )
    sources: list[str] | None = strawberry.field(
        default=None, description=f"At most {MAX_CHOICES} publishers, spelled as in `source`."
    )
    sentiment: Sentiment | None = strawberry.field(default=None, description="The sentiment.")
    min_impact: int | None = strawberry.field(default=None, description="The minimum impact, 0 to 100.")
    since: datetime | None = strawberry.field(default=None, description="Published at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Published before this time.")


NewsArticleOrderBy = order_input(
    "NewsArticle",
    "Ties are sorted by time of publication.",
    PUBLISHED_AT="When the article was published.",
    IMPACT="The impact of the article.",
)


def _news_filters(
    search: Annotated[
        str | None,
        strawberry.argument(
            description="Words to find in title, summary or content, in any inflection: `halving miners`. Use quotes"
            ' for a phrase (`"rug pull"`), `or` for alternatives, and `-word` to exclude a word. At most'
            f" {MAX_SEARCH} characters. A search for very common words only has no results. Null or blank: all news."
        ),
    ] = None,
    filter: NewsArticleFilter | None = None,
    *,
    faults: Faults,
) -> Chosen:
    given = filter or NewsArticleFilter()
    found = faults.check(
        wanted,
        model.NewsFilter(
            search=(search or "").strip() or None,
            symbols=None if given.symbols is None else tuple(given.symbols),
            sources=None if given.sources is None else tuple(given.sources),
            min_impact=given.min_impact,
        ),
    )
    conditions = {
        **msgspec.structs.asdict(found),
        "sentiment": None if given.sentiment is None else given.sentiment.name.lower(),
        "since": given.since,
        "until": given.until,
    }
    narrowing = {name for name, value in conditions.items() if value is not None}
    if "symbols" in narrowing and narrowing <= news_loaders.news_mentioning.filters.keys():
        return Chosen({name: conditions[name] for name in narrowing}, news_loaders.news_mentioning)
    return Chosen(conditions)


@strawberry.type
class NewsEvent(StreamEvent):
    """An article was stored."""

    article_id: strawberry.Private[UUID]
    article: NewsArticle | None = related(
        news_loaders.article_by_id,
        key="article_id",
        description="The article. Null if it was deleted since, because it is older than a year.",
    )


def _news_event(event: Event) -> NewsEvent | None:
    if event.kind != model.ARTICLE_STORED:
        return None
    return NewsEvent(article_id=UUID(event.payload["id"]))


@strawberry.type
class NewsSubscription:
    """The stream of news."""

    @durable(NewsEvent, payload=_news_event, audience=Audience.PUBLIC, per_s=0.5)
    async def news(self) -> str:
        """Each news article when it is stored, in order. Articles that arrive together are ordered by their time of
        publication, the oldest first. Public.
        """
        return model.NEWS_STREAM


@strawberry.type
class NewsQuery:
    """News."""

    news: Connection[NewsArticle] = paged(
        news_loaders.news,
        stream=lambda _: model.NEWS_STREAM,
        filter=NewsArticleFilter,
        order_by=NewsArticleOrderBy,
        filtering=_news_filters,
        description="News, newest first. They can be searched and filtered.",
    )


@strawberry.input
class NewsArticleInput:
    """An article to publish."""

    url: str = strawberry.field(
        description="The http or https URL of the article, at most 2,048 characters. Tracking parameters and the"
        " fragment are removed. The rest identifies the article."
    )
    title: str = strawberry.field(description="The headline. Truncated to 500 characters." + _HTML)
    source: str = strawberry.field(description="The publisher. Blank: the host name of the URL.")
    summary: str | None = strawberry.field(
        default=None, description="The summary. Truncated to 2,000 characters. Null: none." + _HTML
    )
    content: str | None = strawberry.field(
        default=None, description="The full text. Truncated to 100,000 characters. Null: none." + _HTML
    )
    author: str | None = strawberry.field(default=None, description="The author. Null: unknown.")
    image_url: str | None = strawberry.field(
        default=None, description="The http or https URL of an image. Anything else is treated as null."
    )
    published_at: datetime | None = strawberry.field(
        default=None, description="When it was published, within the last year and not in the future. Null: now."
    )


@strawberry.input
class PublishNewsInput:
    """Articles to publish."""

    articles: list[NewsArticleInput] = strawberry.field(
        description=f"1 to {MAX_BATCH} articles. If one is invalid, none is published."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@record_type(model.NewsIngested)
class NewsIngested:
    """The result of publishing articles."""

    received: int = strawberry.field(description="The number of articles in the request.")
    published: int = strawberry.field(description="The number of new articles.")
    known: int = strawberry.field(
        description="The number of articles whose URL was already known. They are left unchanged."
    )


@strawberry.type
class PublishNewsPayload:
    """The articles are published, now or when the idempotency key was first used."""

    articles: list[NewsArticle] = strawberry.field(
        metadata=holds(MAX_BATCH),
        description=f"The new articles with their sentiment, impact and tokens, newest first. At most {MAX_BATCH}."
        " Articles that were already known are not included.",
    )
    ingested: NewsIngested = strawberry.field(description="The number of articles received, published and known.")


@strawberry.type
class NewsMutation:
    """Publishing news."""

    @mutation(PublishNewsPayload, InvalidInput, IdempotencyKeyReused, metadata=for_admins())
    async def publish_news(self, info: Info, input: PublishNewsInput) -> Any:
        """Publishes all articles, or none of them. Their sentiment, their impact and the tokens that they mention are
        determined here. Admins only; others receive the error FORBIDDEN.
        """
        context = info.context
        viewer = context.require_admin()
        drafts = [model.ArticleDraft(**vars(article)) for article in input.articles]
        ingested: Any = await context.services[MarketServices].news.publish_as(viewer, drafts, input.idempotency_key)
        loads = [context.reads.one(news_loaders.article_by_id, id) for id in ingested.ids]
        found = [await load for load in loads]
        articles: Any = [article for article in found if article is not None]
        return PublishNewsPayload(articles=articles, ingested=ingested)
