"""Feeds over a real server: what they do wrong is noted with their name, and harms no other."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from app.domains.market.house import MARKET
from app.domains.market.news.services.feeds import Feeds
from app.domains.market.news.services.fetcher import MAX_REDIRECTS, FeedFailed, FeedState, Fetcher, is_public
from app.domains.market.services import MarketServices
from app.domains.market.sources.model import MarketSource, SourceKind
from app.kit.clock import FixedClock
from app.kit.house import Services
from app.kit.jobs import run_schedule
from tests.databases import Owner
from tests.domains.market.news.feed_server import FeedServer, feed_server
from tests.domains.market.token_listing import list_tokens
from tests.waiting import HANG_S

LIMIT_BYTES = 100_000
NOTHING = FeedState()


def rss(*titles: str, path: str = "a", extra: str = "") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://paper.example/{path}/{number}</link>{extra}</item>"
        for number, title in enumerate(titles)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Paper</title>{items}</channel></rss>".encode()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


def fetcher(**changes: Any) -> Fetcher:
    return Fetcher(**({"timeout_s": HANG_S, "limit_bytes": LIMIT_BYTES, "allows_private": True} | changes))


def feeds(services: Services, *urls: str, **changes: Any) -> Feeds:
    market = services[MarketServices]
    return Feeds(urls, market.news.database, market.news, market.sources, fetcher(**changes))


async def source(services: Services, url: str) -> MarketSource:
    (found,) = [known for known in await services[MarketServices].sources.all() if known.source == url]
    assert found.kind is SourceKind.NEWS
    return found


async def titles(owner: Owner) -> list[str]:
    return [row["title"] for row in await owner.fetch("SELECT title FROM news_articles ORDER BY url")]


async def test_what_a_feed_brings_is_published(services: Services, server: FeedServer, owner: Owner) -> None:
    await list_tokens(owner, {"BTC": ("bitcoin", "Bitcoin")})
    url = server.serve("/feed", rss("Bitcoin surges", "Quiet day"))
    assert await feeds(services, url, url).poll() == "1 feeds, 0 failed; 2 new articles, 0 ignored"
    assert await titles(owner) == ["Bitcoin surges", "Quiet day"]
    assert await owner.fetchval("SELECT array_agg(symbol) FROM news_mentions") == ["BTC"]
    assert (await source(services, url)).accepted == 2
    (asked,) = server.asked
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert "if-none-match" not in asked.headers
    assert await feeds(services, url).poll() == "1 feeds, 0 failed; 0 new articles, 0 ignored"
    assert (await source(services, url)).accepted == 2


async def test_only_what_is_newer_is_asked_for(services: Services, server: FeedServer, owner: Owner) -> None:
    url = server.serve("/feed", rss("One"), ETag='"v1"', Last_Modified="Sat, 21 Nov 2026 10:00:00 GMT")
    await feeds(services, url).poll()
    server.raw("/feed", b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
    assert await feeds(services, url).poll() == "1 feeds, 0 failed; 0 new articles, 0 ignored"
    await feeds(services, url).poll()
    for asked in server.asked[1:]:
        assert asked.headers["if-none-match"] == '"v1"'
        assert asked.headers["if-modified-since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
    server.serve("/feed", rss("One", "Two"))
    await feeds(services, url).poll()
    assert await titles(owner) == ["One", "Two"]
    await feeds(services, url).poll()
    assert "if-none-match" not in server.asked[-1].headers


async def test_a_feed_that_would_be_read_for_ever_is_given_up(
    services: Services, server: FeedServer, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.market.news.services.feeds.READING_S", 2)
    attributes = " ".join(f"a{number}=''" for number in range(100_000)).encode()
    endless = server.serve("/endless", rss("Never").replace(b"<rss ", b"<rss " + attributes + b" "))
    good = server.serve("/good", rss("Good"))
    done = await feeds(services, endless, good, limit_bytes=4_000_000).poll()
    assert done == "2 feeds, 1 failed; 1 new articles, 0 ignored"
    assert await titles(owner) == ["Good"]
    failure = (await source(services, endless)).last_failure
    assert failure == "the document cannot be read: it takes too long or too much memory"


async def test_a_failure_is_noted_and_harms_no_other_feed(
    services: Services, server: FeedServer, owner: Owner, clock: FixedClock
) -> None:
    good = server.serve("/good", rss("Good"))
    bad = server.serve("/bad", b"<!doctype html><html></html>", ETag='"html"')
    gone = server.url("/gone")
    assert await feeds(services, bad, good, gone).poll() == "3 feeds, 2 failed; 1 new articles, 0 ignored"
    assert await titles(owner) == ["Good"]
    assert (await source(services, bad)).last_failure == "this is a web page, not a feed"
    assert (await source(services, gone)).last_failure == "status 404"
    assert (await source(services, gone)).last_failure_at == clock.now()
    assert (await source(services, good)).last_failure is None
    await feeds(services, bad).poll()
    assert "if-none-match" not in server.asked[-1].headers, "what failed is asked for again, whole"


async def test_rejected_entries_are_counted(services: Services, server: FeedServer, owner: Owner) -> None:
    entries = (
        "<item><title>Script</title><link>javascript:alert(1)</link></item>"
        "<item><title>None</title></item>"
        "<item><link>https://paper.example/untitled</link></item>"
        "<item><title>Future</title><link>https://paper.example/f</link>"
        "<pubDate>Sun, 22 Nov 2026 12:00:00 GMT</pubDate></item>"
        "<item><title>Stale</title><link>https://paper.example/s</link>"
        "<pubDate>Sun, 1 Jan 2006 12:00:00 GMT</pubDate></item>"
        "<item><title>Fine</title><link>https://paper.example/1</link></item>"
        "<item><title>Again</title><link>https://paper.example/1#x</link></item>"
        "<item><title>Cut"
    )
    body = rss().replace(b"</channel></rss>", entries.encode())
    url = server.serve("/feed", body)
    assert await feeds(services, url).poll() == "1 feeds, 0 failed; 1 new articles, 7 ignored"
    assert await titles(owner) == ["Fine"]
    noted = await source(services, url)
    assert noted.accepted == 1
    assert noted.ignored == {"bad_url": 2, "no_title": 1, "future": 1, "stale": 1, "duplicate": 1, "truncated": 1}


async def test_an_answer_is_stored_whole_with_its_books_or_not_at_all(
    services: Services, server: FeedServer, owner: Owner
) -> None:
    url = server.serve("/feed", rss("One"), ETag='"v1"')
    await owner.execute("ALTER TABLE market_sources ADD CONSTRAINT no_state CHECK (state = '{}')")
    with pytest.raises(Exception, match="no_state"):
        await feeds(services, url).poll()
    assert await titles(owner) == []
    assert await services[MarketServices].sources.all() == []
    await owner.execute("ALTER TABLE market_sources DROP CONSTRAINT no_state")
    await feeds(services, url).poll()
    assert await titles(owner) == ["One"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n", "status 429"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", "error"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope", "packed"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "redirect to nowhere"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "not an http"),
        (b"HTTP/1.1 302 Found\r\nLocation: /feed\r\nContent-Length: 0\r\n\r\n", f"more than {MAX_REDIRECTS} redirects"),
    ],
)
async def test_bad_answers_have_a_reason(server: FeedServer, answer: bytes, reason: str) -> None:
    with pytest.raises(FeedFailed, match=reason):
        await fetcher().get(server.raw("/feed", answer), NOTHING)


async def test_a_large_answer_is_not_read_to_its_end(server: FeedServer) -> None:
    assert (await fetcher().get(server.serve("/fits", b"x" * LIMIT_BYTES), NOTHING)).body == b"x" * LIMIT_BYTES
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with pytest.raises(FeedFailed, match="larger than"):
        await fetcher().get(server.hang("/endless", endless + b"10000\r\n" + b"x" * 0x10000 + b"\r\n"), NOTHING)


async def test_a_packed_answer_is_bounded_unpacked(server: FeedServer) -> None:
    url = server.serve("/fine", gzip.compress(b"hello"), Content_Encoding="gzip")
    assert (await fetcher().get(url, NOTHING)).body == b"hello"
    bomb = server.serve("/bomb", gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(FeedFailed, match="larger than"):
        await fetcher().get(bomb, NOTHING)
    cut = server.serve("/cut", gzip.compress(b"hello" * 1000)[:-9], Content_Encoding="gzip")
    with pytest.raises(FeedFailed, match="breaks off"):
        await fetcher().get(cut, NOTHING)


async def test_a_server_that_hangs_is_left(server: FeedServer) -> None:
    for path, begin in (("/silent", b""), ("/slow", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")):
        with pytest.raises(FeedFailed, match=r"no whole answer|Timeout"):
            await fetcher(timeout_s=0.2).get(server.hang(path, begin), NOTHING)


async def test_redirects_are_followed_within_reason(server: FeedServer) -> None:
    server.serve("/feed", b"there", ETag='"e"')
    url = server.serve("/old", b"", "301 Moved", Location="/feed")
    document = await fetcher().get(url, NOTHING)
    assert (document.body, document.url, document.state) == (b"there", server.url("/feed"), FeedState('"e"', None))


async def test_our_own_network_is_never_asked(server: FeedServer) -> None:
    url = server.serve("/feed", rss("One"))
    for address in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
        with pytest.raises(FeedFailed, match="not a public one"):
            await fetcher(allows_private=False).get(address, NOTHING)
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    ["ftp://paper.example/", "http://", "https://a:b@paper.example/", "http://[::1/", "http://127.0.0.1:bad/", ""],
)
async def test_what_is_no_address_of_a_feed(url: str) -> None:
    with pytest.raises(FeedFailed):
        await fetcher().get(url, NOTHING)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_which_addresses_are_anybodys(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_without_feeds_nothing_is_asked(services: Services) -> None:
    assert await services[MarketServices].feeds.poll() == "no feeds are configured"
    assert services[MarketServices].feeds.fetcher.allows_private is False


async def test_the_schedules_of_news(services: Services, clock: FixedClock, owner: Owner) -> None:
    schedules = {schedule.name: schedule for schedule in MARKET.schedules(services[MarketServices])}
    assert (schedules["news"].cron, schedules["old-news"].cron) == ("*/5 * * * *", "50 2 * * *")
    await run_schedule(services[MarketServices].news.database, clock, schedules["news"])
    await run_schedule(services[MarketServices].news.database, clock, schedules["old-news"])
    rows = await owner.fetch("SELECT detail FROM job_runs WHERE job LIKE '%news' ORDER BY job")
    assert [row["detail"] for row in rows] == ["no feeds are configured", "0 deleted"]


async def test_a_state_that_cannot_be_read_is_forgotten(services: Services, server: FeedServer, owner: Owner) -> None:
    url = server.serve("/feed", rss("One"))
    await owner.execute(
        "INSERT INTO market_sources (source, kind, state) VALUES ($1, 'news', $2::jsonb)",
        url,
        msgspec.json.encode({"etag": 7}).decode(),
    )
    assert await feeds(services, url).poll() == "1 feeds, 0 failed; 1 new articles, 0 ignored"
    assert "if-none-match" not in server.asked[0].headers
