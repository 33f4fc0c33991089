"""Publishing news."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.market.news import loaders as news_loaders
from app.domains.market.news import model
from app.domains.market.news.services.news import MAX_BATCH
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.engine.problems import mutation
from app.kit.errors import IdempotencyKeyReused, InvalidInput
from app.schema.context import Info
from app.schema.market.news import NewsArticle

_HTML = " Plain text or HTML, of which the text is kept."


@strawberry.input
class NewsArticleInput:
    """An article to publish."""

    url: str = strawberry.field(
        description="Where it is: http or https, at most 2,048 characters. Tracking parameters and the fragment are"
        " dropped; what is left tells one article from another."
    )
    title: str = strawberry.field(description="Headline; beyond 500 characters it is cut." + _HTML)
    source: str = strawberry.field(description="Who published it; blank: the address's host.")
    summary: str | None = strawberry.field(
        default=None, description="What it is about; beyond 2,000 characters it is cut. Null: nothing." + _HTML
    )
    content: str | None = strawberry.field(
        default=None, description="All that it says; beyond 100,000 characters it is cut. Null: nothing." + _HTML
    )
    author: str | None = strawberry.field(default=None, description="Who wrote it; null: unknown.")
    image_url: str | None = strawberry.field(
        default=None, description="A picture to show with it, http or https; anything else counts as null."
    )
    published_at: datetime | None = strawberry.field(
        default=None, description="When it was published, not in the future and within the last year; null: now."
    )


@strawberry.input
class PublishNewsInput:
    """Articles to publish."""

    articles: list[NewsArticleInput] = strawberry.field(
        description=f"1 to {MAX_BATCH}. One that cannot be accepted refuses all: `field` is then like `articles.3.url`."
    )
    idempotency_key: str = strawberry.field(
        description="1 to 200 characters of your own choice; a repeat with the same input is answered as the first"
        " time, for 7 days."
    )


@record_type(model.NewsIngested)
class NewsIngested:
    """What became of the articles."""

    received: int = strawberry.field(description="How many were given.")
    published: int = strawberry.field(description="How many are new.")
    known: int = strawberry.field(
        description="How many had been there before, by their address; they stay as they are."
    )


@strawberry.type
class PublishNewsPayload:
    """The articles are published, now or when the idempotency key was first used."""

    articles: list[NewsArticle] = strawberry.field(
        metadata=holds(MAX_BATCH),
        description="The new ones with what they were found to mean, the newest first; not those known before. At most"
        f" {MAX_BATCH}.",
    )
    ingested: NewsIngested = strawberry.field(description="What became of the articles.")


@strawberry.type
class PublishingMutation:
    """Publishing news."""

    @mutation(
        PublishNewsPayload,
        InvalidInput,
        IdempotencyKeyReused,
    )
    async def publish_news(self, info: Info, input: PublishNewsInput) -> Any:
        """Publishes articles: all, or none. Sentiment, impact and the tokens that they mention are found out here.
        Admins only, else FORBIDDEN.
        """
        context = info.context
        viewer = context.require_admin()
        drafts = [model.ArticleDraft(**vars(article)) for article in input.articles]
        ingested: Any = await context.services.market.news.publish_as(viewer, drafts, input.idempotency_key)
        loads = [context.reads.one(news_loaders.article_by_id, id) for id in ingested.ids]
        found = [await load for load in loads]
        articles: Any = [article for article in found if article is not None]
        return PublishNewsPayload(articles=articles, ingested=ingested)
