"""The press: taken in once, scored, read, forgotten."""

import asyncio
import random
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from app.domains.accounts.model import Role
from app.domains.market.news import loaders as news_loaders
from app.domains.market.news.model import ArticleDraft, NewsFilter
from app.domains.market.news.rules.search import searchable
from app.domains.market.news.services.news import ALERTED_AGE, ALERTS_JOB, DELETED_AT_ONCE, News, wanted
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, Database, Scope
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput
from app.kit.events import EventLog
from app.kit.house import Services
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens
from tests.factories import register

NAMES = {"BTC": ("bitcoin", "Bitcoin"), "ETH": ("ethereum", "Ethereum"), "SOL": ("solana", "Solana")}


def draft(number: int = 1, title: str = "Bitcoin surges", **changes: object) -> ArticleDraft:
    given = {"url": f"https://paper.example/{number}", "title": title, "source": "The Paper"} | changes
    return ArticleDraft(**given)  # type: ignore[arg-type]


async def queued(owner: Owner) -> list[dict[str, list[str]]]:
    rows = await owner.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", ALERTS_JOB)
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def test_an_article_is_stored_with_what_it_means(services: Services, owner: Owner, clock: FixedClock) -> None:
    await list_tokens(owner, NAMES)
    news = services[MarketServices].news
    ingested = await news.publish(
        [draft(1, "Bitcoin surges, ether too", summary="<p>SOL waits</p>", content="<b>All</b> of it", author="Ann")]
    )
    assert (ingested.received, ingested.published, ingested.known, ingested.ignored) == (1, 1, 0, {})
    reads = Reads(news.database, PUBLIC)
    article = await reads.one(news_loaders.article_by_id, ingested.ids[0])
    assert article is not None
    assert (article.id, article.title, article.summary, article.author) == (
        ingested.ids[0],
        "Bitcoin surges, ether too",
        "SOL waits",
        "Ann",
    )
    assert article.symbols_mentioned == ["BTC", "ETH", "SOL"]
    assert article.sentiment_score > 0.4
    assert article.impact > 0
    assert article.published_at == article.created_at == clock.now()
    mentions = await owner.fetch("SELECT symbol, published_at, article_id FROM news_mentions ORDER BY symbol")
    assert [tuple(row) for row in mentions] == [(symbol, clock.now(), article.id) for symbol in ("BTC", "ETH", "SOL")]
    content = await reads.one(news_loaders.content_by_article, article.id)
    assert content is not None
    assert content.content == "All of it"
    assert await queued(owner) == [{"ids": [str(article.id)]}]


async def test_the_same_address_again_changes_nothing(services: Services, owner: Owner) -> None:
    await services[MarketServices].news.publish([draft()])
    again = await services[MarketServices].news.publish(
        [draft(title="Another text", url="https://PAPER.example/1?utm_source=x#top")]
    )
    assert (again.published, again.known, again.ignored) == (0, 1, {})
    assert await owner.fetchval("SELECT array_agg(title) FROM news_articles") == ["Bitcoin surges"]
    assert len(await queued(owner)) == 1


@pytest.mark.usefixtures("warm")
async def test_many_publishers_at_once_store_an_article_once(services: Services, owner: Owner) -> None:
    await list_tokens(owner, NAMES)
    drafts = [draft(number) for number in range(20)]
    done = await asyncio.gather(*(services[MarketServices].news.publish(drafts[::step]) for step in (1, -1, 1, -1)))
    assert sum(ingested.published for ingested in done) == 20
    assert sum(ingested.known for ingested in done) == 60
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 20
    assert await owner.fetchval("SELECT count(*) FROM news_mentions") == 20
    assert sum(len(job["ids"]) for job in await queued(owner)) == 20


async def test_what_is_not_fit_is_counted_and_harms_nothing_else(
    services: Services, owner: Owner, clock: FixedClock
) -> None:
    now = clock.now()
    ingested = await services[MarketServices].news.publish(
        [
            draft(1),
            draft(1, "Twice"),
            draft(2, url="javascript:alert(1)"),
            draft(3, " "),
            draft(4, published_at=now + timedelta(days=1)),
            draft(5, published_at=now - timedelta(days=400)),
            draft(6, "x" * 100_000, content="\x00" * 10 + "y" * 200_000),
        ]
    )
    assert ingested.published == 2
    assert ingested.ignored == {"duplicate": 1, "bad_url": 1, "no_title": 1, "future": 1, "stale": 1}
    assert await owner.fetchval("SELECT max(length(title)) || ' ' || max(length(content)) FROM news_articles") == (
        "500 100000"
    )


async def test_no_alert_is_asked_about_old_news(services: Services, owner: Owner, clock: FixedClock) -> None:
    old = clock.now() - ALERTED_AGE
    ingested = await services[MarketServices].news.publish(
        [draft(1, published_at=old), draft(2, published_at=old - timedelta(seconds=1))]
    )
    assert ingested.published == 2
    rows = await owner.fetch("SELECT url, alerts_evaluated_at FROM news_articles")
    assert {row["url"]: row["alerts_evaluated_at"] for row in rows} == {
        "https://paper.example/1": None,
        "https://paper.example/2": clock.now(),
    }
    assert [len(job["ids"]) for job in await queued(owner)] == [1]
    await services[MarketServices].news.publish([draft(3, published_at=old - timedelta(days=3))])
    assert len(await queued(owner)) == 1


async def test_an_admin_publishes_all_or_nothing(services: Services, owner: Owner) -> None:
    admin = await register(services, "admin@example.com", role=Role.ADMIN)
    news = services[MarketServices].news
    with pytest.raises(InvalidInput) as refused:
        await news.publish_as(admin, [draft(1), draft(2, url="file:///etc/passwd")], "k1")
    assert refused.value.path == ("articles", "1", "url")
    with pytest.raises(InvalidInput) as refused:
        await news.publish_as(admin, [draft(1), draft(1)], "k1")
    assert refused.value.path == ("articles", "1", "url")
    for drafts in ([], [draft(number) for number in range(101)]):
        with pytest.raises(InvalidInput) as refused:
            await news.publish_as(admin, drafts, "k1")
        assert refused.value.path == ("articles",)
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 0
    first = await news.publish_as(admin, [draft(1), draft(2)], "k1")
    assert (first.received, first.published, first.known) == (2, 2, 0)
    assert await news.publish_as(admin, [draft(1), draft(2)], "k1") == first
    with pytest.raises(IdempotencyKeyReused):
        await news.publish_as(admin, [draft(3)], "k1")
    other = await news.publish_as(admin, [draft(2), draft(3)], "k2")
    assert (other.published, other.known) == (1, 1)
    assert len(await queued(owner)) == 2


async def test_who_is_no_admin_publishes_nothing(services: Services, owner: Owner) -> None:
    viewer = await register(services)
    with pytest.raises(Forbidden):
        await services[MarketServices].news.publish_as(viewer, [draft()], "k")
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 0


async def test_only_moneta_writes_news(services: Services, database: Database, owner: Owner) -> None:
    await list_tokens(owner, NAMES)
    viewer = await register(services)
    prepared = await services[MarketServices].news.prepare([draft()])
    for scope in (PUBLIC, viewer.scope, Scope(user_id=UUID(int=1))):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.write(scope, lambda tx: services[MarketServices].news.store(tx, prepared))
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 0
    assert await queued(owner) == []


async def insert(owner: Owner, symbol: str, score: str, impact: int, published_at: datetime) -> None:
    id = await owner.fetchval(
        "INSERT INTO news_articles (title, source, url, sentiment_score, impact, symbols_mentioned, published_at)"
        " VALUES ('T', 'S', gen_random_uuid()::text, $1, $2, ARRAY[$3], $4) RETURNING id",
        Decimal(score),
        impact,
        symbol,
        published_at,
    )
    await owner.execute("INSERT INTO news_mentions VALUES ($1, $2, $3)", symbol, published_at, id)


async def test_news_are_forgotten_after_a_year(services: Services, owner: Owner, clock: FixedClock) -> None:
    await insert(owner, "BTC", "0", 0, clock.now() - timedelta(days=365))
    await owner.execute(
        "INSERT INTO news_articles (title, source, url, published_at)"
        " SELECT 'T', 'S', n::text, $1 FROM generate_series(1, $2) n",
        clock.now() - timedelta(days=365, seconds=1),
        DELETED_AT_ONCE + 1,
    )
    await insert(owner, "BTC", "0", 0, clock.now() - timedelta(days=366))
    assert await services[MarketServices].news.delete_old() == f"{DELETED_AT_ONCE + 2} deleted"
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 1
    assert await owner.fetchval("SELECT count(*) FROM news_mentions") == 1
    assert await services[MarketServices].news.delete_old() == "0 deleted"


def test_a_filter_is_made_fit_for_statements() -> None:
    found = wanted(NewsFilter(search="\x00 a\ud800b ", symbols=(" btc", "BTC", "eth"), sources=("B", "A", "B")))
    assert (found.search, found.symbols, found.sources) == ("a b", ("BTC", "ETH"), ("A", "B"))
    assert wanted(NewsFilter(search=" \x00 ")).search is None
    for refused, field in (
        (NewsFilter(search="x" * 201), "search"),
        (NewsFilter(symbols=("A",) * 21), "symbols"),
        (NewsFilter(sources=("A",) * 21), "sources"),
        (NewsFilter(min_impact=101), "min_impact"),
        (NewsFilter(min_impact=-1), "min_impact"),
    ):
        with pytest.raises(InvalidInput) as error:
            wanted(refused)
        assert error.value.path == (field,)


async def test_postgres_reads_every_search(owner: Owner) -> None:
    """Random ones of what means something to it, and more of each than its stack holds."""
    parts = [
        "or",
        "-",
        '"',
        "a",
        "-a",
        "(",
        ")",
        "&",
        "|",
        "!",
        ":*",
        "<->",
        "--",
        "'",
        "\\",
        '-"',
        "roll-up",
        "a-",
        " ",
        "§",
    ]
    chance = random.Random(4)
    searches = [" ".join(chance.choices(parts, k=chance.randrange(1, 60))) for _ in range(2_000)]
    searches += ["".join(chance.choices(parts, k=chance.randrange(1, 60))) for _ in range(2_000)]
    searches += [f"{part} " * 100 for part in parts] + [part * 100 for part in parts]
    read = await owner.fetch(
        "SELECT websearch_to_tsquery('english', s) FROM unnest($1::text[]) s", [searchable(text) for text in searches]
    )
    assert len(read) == len(searches)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ('bitcoin "rug pull" or -exit', 'bitcoin "rug pull" or -exit'),
        ("- - -", ""),
        ('-"a - b" (c) roll-up, d.', '-"a b" c roll-up d'),
        ('"unfinished -phrase', '"unfinished phrase"'),
        ("!!!", ""),
    ],
)
def test_a_search_keeps_its_words(text: str, search: str) -> None:
    assert searchable(text) == search


def test_names_are_compiled_again_only_when_they_change(database: Database, redis: Redis, clock: FixedClock) -> None:
    names = News(database, clock, EventLog(database, redis))._names
    first = names.of((("BTC", "Bitcoin"),))
    assert names.of((("BTC", "Bitcoin"),)) is first
    assert names.of((("ETH", "Ethereum"),)).find("Bitcoin Ethereum") == ["ETH"]
