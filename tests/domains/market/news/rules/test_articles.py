from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.news.model import MAX_TITLE, MAX_URL, ArticleDraft, IgnoredNews
from app.domains.market.news.rules.articles import ArticleRejected, cleaned, normalised_url, plain_text, scored
from app.domains.market.news.rules.mentions import Mentions
from tests.waiting import timed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def draft(**changes: object) -> ArticleDraft:
    return ArticleDraft(**{"url": "https://paper.example/a", "title": "Title", "source": "Paper"} | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://Paper.Example/A?b=1", "https://paper.example/A?b=1"),
        (" https://paper.example/a#part \n", "https://paper.example/a"),
        ("HTTPS://paper.example:443", "https://paper.example/"),
        ("http://paper.example.:8080/a", "http://paper.example:8080/a"),
        ("https://paper.example/a?utm_source=x&id=7&fbclid=1&UTM_Medium=y&gclid", "https://paper.example/a?id=7"),
        ("https://paper.example/a?utm_source=x", "https://paper.example/a"),
        ("https://paper.example/a?reference=1&&b=", "https://paper.example/a?reference=1&b="),
        ("https://päper.example/ü?q=ö", "https://xn--pper-loa.example/%C3%BC?q=%C3%B6"),
        ("https://paper.example/%C3%BC", "https://paper.example/%C3%BC"),
        ("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81/"),
    ],
)
def test_one_page_has_one_address(given_url: str, url: str) -> None:
    assert normalised_url(given_url) == url
    assert normalised_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://paper.example/",
        "//paper.example/",
        "/a",
        "https://",
        "https://user:pass@paper.example/",
        "https://paper.example\\@evil.example/",
        "https://paper.example/a b",
        "https://paper.example/\x00",
        "https://paper.example/\ud800",
        "https://paper.example/\u202e",
        "https://paper.example:port/",
        "https://paper.example:99999/",
        "https://[::1/",
        "https://" + "ä" * 70 + ".example/",
        "https://paper.example/" + "a" * MAX_URL,
        "https://paper.example/" + "ü" * (MAX_URL // 2),
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # what it says is for nobody
        normalised_url(url)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_normalised_address_stays_as_it_is(path: str, query: str) -> None:
    try:
        url = normalised_url(f"https://paper.example/{path}?{query}")
    except ValueError:
        return
    assert normalised_url(url) == url
    assert url.isascii()
    assert "#" not in url


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One &amp; two</p><p>three<br>four</p>", "One & two\nthree\nfour"),
        ("a <b>bold</b> move", "a bold move"),
        ("<script>alert('x')</script>safe<style>p{}</style>", "safe"),
        ("\u0130\u0130 <STYLE>p{}</Style>rises <script>x</SCRIPT>after", "\u0130\u0130 rises after"),
        ("before<!-- <p>no</p> -->after", "beforeafter"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("cut in a ta<a href='x", "cut in a ta"),
        ("<script>never ends", None),
        ("<img src=x onerror=alert(1)>", None),
        ("  \n\t ", None),
        (None, None),
        ("nul\x00 bidi\u202e zero\u200bwidth half\ud800", "nul bidi zerowidth half"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("<![CDATA[x]]>y", "y"),
    ],
)
def test_html_becomes_text(markup: str | None, text: str | None) -> None:
    assert plain_text(markup, 100) == text


def test_a_long_text_is_cut_and_says_so() -> None:
    text = plain_text("word " * 1000, 100)
    assert text is not None
    assert len(text) <= 100
    assert text.endswith("word…")


@pytest.mark.parametrize("part", ["<", "<a", "<!--", "<script>", "<a href='", "</", "&", "<p>", "<!"])
def test_hostile_markup_takes_no_longer_than_other(part: str) -> None:
    # So long that whatever is worse than linear would take hours.
    with timed(f"the text of 1,000,000 times {part!r}"):
        plain_text(part * 1_000_000, 1_000_000)


@given(st.text(max_size=300))
def test_any_text_becomes_what_postgres_takes(text: str) -> None:
    found = plain_text(text, 50)
    assert found is None or (0 < len(found) <= 50 and "\0" not in found and found.encode())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": "javascript:alert(1)"}, IgnoredNews.BAD_URL),
        ({"title": "<p> </p>"}, IgnoredNews.NO_TITLE),
        ({"published_at": NOW + timedelta(hours=1, seconds=1)}, IgnoredNews.FUTURE),
        ({"published_at": NOW - timedelta(days=365, seconds=1)}, IgnoredNews.STALE),
    ],
)
def test_what_is_refused(changes: dict[str, object], reason: IgnoredNews) -> None:
    with pytest.raises(ArticleRejected) as refused:
        cleaned(draft(**changes), NOW)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("published_at", "kept"),
    [
        (None, NOW),
        (NOW + timedelta(minutes=59), NOW),
        (NOW - timedelta(days=365), NOW - timedelta(days=365)),
    ],
)
def test_an_article_is_never_from_the_future(published_at: datetime | None, kept: datetime) -> None:
    assert cleaned(draft(published_at=published_at), NOW).published_at == kept


def test_what_is_wrong_beside_the_article_is_left_out() -> None:
    found = cleaned(
        draft(title="<b>T</b>\n2" + "x" * 600, source=" ", author="\x00", image_url="javascript:x", summary=""), NOW
    )
    assert found.title.startswith("T 2x")
    assert len(found.title) == MAX_TITLE
    assert (found.source, found.author, found.image_url, found.summary) == ("paper.example", None, None, None)


def test_an_article_is_scored() -> None:
    mentions = Mentions.of([("BTC", "Bitcoin"), ("ETH", "Ethereum")])
    article = scored(cleaned(draft(title="Bitcoin surges", summary="Ether falls a little."), NOW), mentions)
    assert article.symbols == ("BTC", "ETH")
    assert article.sentiment_score > 0
    assert article.sentiment_score == round(article.sentiment_score, 2)
    assert 0 < article.impact <= 100
