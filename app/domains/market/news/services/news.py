"""Storing, scoring and deleting news."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.domains.accounts.model import Role, Viewer
from app.domains.accounts.services.auth_log import system_scope
from app.domains.market.news.model import (
    ARTICLE_STORED,
    NEWS_RETENTION,
    NEWS_STREAM,
    ArticleDraft,
    IgnoredNews,
    NewsFilter,
    NewsIngested,
    ScoredArticle,
)
from app.domains.market.news.rules.articles import ArticleRejected, cleaned, scored
from app.domains.market.news.rules.mentions import Mentions
from app.domains.market.news.rules.search import searchable
from app.domains.market.news.statements import NewsSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults, Forbidden, InvalidInput
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, check_key, once_prepared
from app.kit.jobs import enqueue

ALERTS_JOB: Final = "market.news_alerts"
"""Its payload is `{"ids": [...]}`: the ids of new articles."""
ALERTED_AGE: Final = timedelta(hours=24)
"""Older articles are history: alerts are not evaluated for them."""
MAX_BATCH: Final = 100
DELETED_AT_ONCE: Final = 1_000
_UNSEARCHABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
MAX_SEARCH: Final = 200
MAX_CHOICES: Final = 20


class Prepared(msgspec.Struct, frozen=True):
    """New articles that can be stored, and the numbers of the others."""

    articles: list[ScoredArticle]
    received: int
    known: int
    ignored: dict[str, int]


@dataclass
class _Names:
    """The names of tokens, compiled again only when they have changed."""

    rows: tuple[tuple[str, str], ...] = ()
    mentions: Mentions = field(default_factory=lambda: Mentions.of(()))

    def of(self, rows: tuple[tuple[str, str], ...]) -> Mentions:
        if rows != self.rows:
            self.rows, self.mentions = rows, Mentions.of(rows)
        return self.mentions


class _Published(msgspec.Struct, frozen=True):
    """The stored result of a publication."""

    ids: list[UUID]
    received: int
    known: int


@dataclass(frozen=True)
class News:
    """The news. An article is identified by its URL: an article that is received again changes nothing.

    So each article is scored once, and alerts are evaluated for it once.
    """

    database: Database
    clock: Clock
    events: EventLog
    _names: _Names = field(default_factory=_Names)

    async def publish(self, drafts: Sequence[ArticleDraft]) -> NewsIngested:
        """Stores new and valid articles, and counts the others."""
        prepared = await self.prepare(drafts)
        return await self.database.write(SYSTEM, lambda tx: self.store(tx, prepared))

    async def publish_as(self, viewer: Viewer, drafts: Sequence[ArticleDraft], idempotency_key: str) -> NewsIngested:
        """Stores all articles or none, for an admin. Raises Forbidden, InvalidInput, IdempotencyKeyReused."""
        _require_admin(viewer)

        @asynccontextmanager
        async def scorer() -> AsyncIterator[Callable[[Tx], Awaitable[_Published]]]:
            _check(drafts, self.clock.now())
            prepared = await self.prepare(drafts)

            async def work(tx: Tx) -> _Published:
                ingested = await self.store(tx, prepared)
                return _Published(ingested.ids, ingested.received, ingested.known)

            yield work

        check_key(idempotency_key, lambda: _check(drafts, self.clock.now()))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "publishNews", list(drafts))
        scope = system_scope(viewer.client, viewer.user_id)
        published = (await once_prepared(self.database, scope, keyed, scorer, _Published)).result
        return NewsIngested(published.ids, published.received, published.known, {})

    async def prepare(self, drafts: Sequence[ArticleDraft]) -> Prepared:
        """Returns the new articles, scored in a thread while no connection is held."""
        now = self.clock.now()
        ignored: dict[str, int] = {}
        by_url: dict[str, ArticleDraft] = {}
        for draft, reason in await asyncio.to_thread(_cleaned, drafts, now):
            why = IgnoredNews.DUPLICATE if reason is None and draft.url in by_url else reason
            if why is None:
                by_url[draft.url] = draft
            else:
                ignored[why] = ignored.get(why, 0) + 1
        known = {url for url, _ in await self.database.fetch(NewsSql.known_urls, list(by_url))}
        fresh = [draft for url, draft in by_url.items() if url not in known]
        articles: list[ScoredArticle] = []
        if fresh:
            mentions = self._names.of(tuple(await self.database.fetch(NewsSql.token_names)))
            articles = await asyncio.to_thread(lambda: [scored(draft, mentions) for draft in fresh])
        return Prepared(articles, len(drafts), len(known), ignored)

    async def store(self, tx: Tx, prepared: Prepared) -> NewsIngested:
        """Stores the articles, enqueues the evaluation of alerts, and appends an event for each, the oldest first.

        Call it in a transaction of the system. Until the commit other articles wait for the lock on the stream.
        """
        if not prepared.articles:
            return NewsIngested([], prepared.received, prepared.known, prepared.ignored)
        now, articles = self.clock.now(), prepared.articles
        rows = await tx.fetch(
            NewsSql.insert_articles,
            [article.url for article in articles],
            [article.title for article in articles],
            [article.source for article in articles],
            [article.summary for article in articles],
            [article.content for article in articles],
            [article.author for article in articles],
            [article.image_url for article in articles],
            [article.published_at for article in articles],
            [article.sentiment_score for article in articles],
            [article.impact for article in articles],
            [",".join(article.symbols) for article in articles],
            now,
            now - ALERTED_AGE,
        )
        if alerted := [id for id, published_at in rows if published_at >= now - ALERTED_AGE]:
            await enqueue(tx, ALERTS_JOB, {"ids": alerted})
        # The oldest first: `rows` begins with the newest.
        await self.events.append(tx, [Fact(NEWS_STREAM, ARTICLE_STORED, {"id": str(id)}) for id, _ in rows[::-1]])
        # Another worker may have stored the same URL since `prepare`.
        known = prepared.known + len(articles) - len(rows)
        return NewsIngested([id for id, _ in rows], prepared.received, known, prepared.ignored)

    async def delete_old(self) -> str:
        """Deletes news after a year, in batches. Returns one line with the number."""
        before, deleted = self.clock.now() - NEWS_RETENTION, 0
        while batch := await self.database.write(
            SYSTEM, lambda tx: tx.execute(NewsSql.delete_old_articles, before, DELETED_AT_ONCE)
        ):
            deleted += batch
        return f"{deleted} deleted"


def _require_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise Forbidden


def _check(drafts: Sequence[ArticleDraft], now: datetime) -> None:
    if not 1 <= len(drafts) <= MAX_BATCH:
        raise InvalidInput("articles", f"At least 1 and at most {MAX_BATCH} articles at once.")
    urls: set[str] = set()
    with Faults() as faults:
        for place, draft in enumerate(drafts):
            at = ("articles", str(place))
            try:
                url = cleaned(draft, now).url
            except ArticleRejected as refused:
                for reason, field in refused.reasons:
                    faults.add((*at, field), _REFUSALS[reason])
                continue
            if url in urls:
                faults.add((*at, "url"), _REFUSALS[IgnoredNews.DUPLICATE])
            urls.add(url)


_REFUSALS: Final = {
    IgnoredNews.DUPLICATE: "Two of the articles have this address.",
    IgnoredNews.BAD_URL: "An address is http or https, has a host, and at most 2048 characters.",
    IgnoredNews.NO_TITLE: "A title has text.",
    IgnoredNews.FUTURE: "An article is not from the future.",
    IgnoredNews.STALE: "News are kept for a year; this is older.",
}


def wanted(filter: NewsFilter) -> NewsFilter:
    """Returns the normalised filter: trimmed texts, symbols in capitals, no duplicates. Raises InvalidInput."""
    text = "" if filter.search is None else _UNSEARCHABLE.sub(" ", filter.search).strip()
    symbols = None if filter.symbols is None else tuple(symbol.strip().upper() for symbol in filter.symbols)
    with Faults() as faults:
        if len(text) > MAX_SEARCH:
            faults.add("search", f"A search has at most {MAX_SEARCH} characters.")
        if filter.min_impact is not None and not 0 <= filter.min_impact <= 100:
            faults.add("min_impact", "An impact is between 0 and 100.")
        return NewsFilter(
            search=searchable(text) if text else None,
            symbols=faults.check(_choices, symbols, "symbols"),
            sources=faults.check(_choices, filter.sources, "sources"),
            min_impact=filter.min_impact,
        )


def _choices(values: tuple[str, ...] | None, name: str) -> tuple[str, ...] | None:
    if values is None:
        return None
    if len(values) > MAX_CHOICES:
        raise InvalidInput(name, f"At most {MAX_CHOICES} at once.")
    return tuple(sorted({_UNSEARCHABLE.sub(" ", value) for value in values}))


def _cleaned(drafts: Sequence[ArticleDraft], now: datetime) -> list[tuple[ArticleDraft, IgnoredNews | None]]:
    """Returns each draft, cleaned, or with the reason why it is ignored."""
    found: list[tuple[ArticleDraft, IgnoredNews | None]] = []
    for draft in drafts:
        try:
            found.append((cleaned(draft, now), None))
        except ArticleRejected as refused:
            found.append((draft, refused.reason))
    return found
