"""News feeds, polled every few minutes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from app.domains.market.news.model import NewsIngested
from app.domains.market.news.rules.feeds import FeedDocument, NotAFeed, ParsedFeed, Reading, read
from app.domains.market.news.services.fetcher import Document, FeedFailed, FeedState, Fetcher
from app.domains.market.news.services.news import News
from app.domains.market.news.statements import NewsSql
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services.sources import Sources
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sandbox import SandboxError, run_sandboxed

CONCURRENT_FEEDS: Final = 4
READING_S: Final = 10
READING_BYTES: Final = 512 * 1024 * 1024
"""The memory for parsing one document: a hundred times what a usual one takes."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Feeds:
    """Polls the configured feeds. A failure of a feed affects no other, and is noted with its name."""

    urls: Sequence[str]
    database: Database
    news: News
    sources: Sources
    fetcher: Fetcher

    async def poll(self) -> str:
        """Polls every feed once. Returns one line about the outcome."""
        if not self.urls:
            return "no feeds are configured"
        urls = list(dict.fromkeys(self.urls))
        states = {url: _state(stored) for url, stored in await self.database.fetch(NewsSql.feed_states, urls)}
        turns = asyncio.Semaphore(CONCURRENT_FEEDS)

        async def ask(url: str) -> NewsIngested | None:
            async with turns:
                return await self._ask(url, states.get(url, FeedState()))

        answers = await asyncio.gather(*map(ask, urls), return_exceptions=True)
        for answer in answers:
            # Not a failure of a feed, but of the database or of our code. All other feeds were polled.
            if isinstance(answer, BaseException):
                raise answer
        good = [answer for answer in answers if isinstance(answer, NewsIngested)]
        new, ignored = sum(answer.published for answer in good), sum(sum(answer.ignored.values()) for answer in good)
        return f"{len(urls)} feeds, {len(urls) - len(good)} failed; {new} new articles, {ignored} ignored"

    async def _ask(self, url: str, state: FeedState) -> NewsIngested | None:
        """Polls one feed. Returns None if it failed."""
        try:
            document = await self.fetcher.get(url, state)
            return await self._take(url, document)
        except (FeedFailed, NotAFeed) as error:
            log.warning("feed.failed", feed=url, error=str(error))
            await self.sources.failed(url, SourceKind.NEWS, error)
            return None

    async def _take(self, url: str, document: Document) -> NewsIngested:
        if document.body is None:
            await self.sources.succeeded(url, SourceKind.NEWS, accepted=0)
            return NewsIngested([], 0, 0, {})
        parsed = await _read(FeedDocument(document.body, document.url, document.content_type))
        prepared = await self.news.prepare(parsed.drafts)

        async def store(tx: Tx) -> NewsIngested:
            ingested = await self.news.store(tx, prepared)
            ignored = {**parsed.ignored}
            for reason, count in ingested.ignored.items():
                ignored[reason] = ignored.get(reason, 0) + count
            await self.sources.note(tx, url, SourceKind.NEWS, accepted=ingested.published, ignored=ignored)
            # With the articles or not at all: otherwise the articles of this answer would never be fetched again.
            await tx.execute(NewsSql.keep_feed_state, url, msgspec.to_builtins(document.state))
            return msgspec.structs.replace(ingested, ignored=ignored)

        return await self.database.write(SYSTEM, store)


async def _read(document: FeedDocument) -> ParsedFeed:
    packed = msgspec.msgpack.encode(document)
    try:
        answer = await run_sandboxed(read, packed, cpu_s=READING_S, memory_bytes=READING_BYTES)
    except SandboxError as error:
        raise NotAFeed(f"the document cannot be read: {error}") from error
    reading = msgspec.msgpack.decode(answer, type=Reading)
    if reading.parsed is None:
        raise NotAFeed(reading.reason)
    return reading.parsed


def _state(kept: object) -> FeedState:
    try:
        return msgspec.convert(kept, FeedState)
    except msgspec.ValidationError:
        return FeedState()
