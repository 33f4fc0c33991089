"""Normalising articles: one URL for each page, plain text, plausible dates."""

import html
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlsplit

from app.domains.market.news.model import (
    MAX_CONTENT,
    MAX_NAME,
    MAX_SUMMARY,
    MAX_TITLE,
    MAX_URL,
    NEWS_RETENTION,
    ArticleDraft,
    IgnoredNews,
    ScoredArticle,
)
from app.domains.market.news.rules.impact import impact
from app.domains.market.news.rules.mentions import Mentions
from app.domains.market.news.rules.sentiment import score_article

CLOCK_SKEW = timedelta(hours=1)
"""The tolerance for clocks of publishers. An article that is dated in the future counts as published now."""
_RAW_FACTOR = 4
# Parameters that track where a reader comes from.
_TRACKING = re.compile(
    r"(?:utm_\w*|mc_[ce]id|fbclid|gclid|yclid|gbraid|wbraid|dclid|msclkid|igshid|twclid|_ga|_gl|ref|ref_src|cmpid|ncid|ocid|spm)",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "%/:=&?~+!$,;'@()*[]|-._"
# Control characters, lone surrogates, and characters that are invisible or change the direction of text.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BLOCKS = frozenset("p br div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote section article pre hr".split())  # noqa: SIM905
_DROPPED = {
    tag: re.compile(f"</{tag}", re.IGNORECASE | re.ASCII)
    for tag in ("script", "style", "iframe", "noscript", "template", "svg", "head")
}
"""Elements without text of the page, and how they end."""
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")


class ArticleRejected(Exception):
    """The article is not stored."""

    def __init__(self, reasons: Sequence[tuple[IgnoredNews, str]]) -> None:
        super().__init__(reasons)
        self.reasons = reasons
        """Each reason with the field that it is about; at least one."""

    @property
    def reason(self) -> IgnoredNews:
        """The first reason."""
        return self.reasons[0][0]


def normalised_url(url: str) -> str:
    """Returns one URL for each page: host in lower case, no fragment, no tracking parameters, no default port.

    Raises ValueError if it is not an http or https URL with a host.
    """
    url = url.strip()
    if not 1 <= len(url) <= MAX_URL or any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("not an address")
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise ValueError("not an http address")
    host = host.rstrip(".")
    # The result must not have a dot, slash or percent that was not there before: IDNA maps look-alikes.
    host = host.encode("idna").decode("ascii") if not host.isascii() else host
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
        raise ValueError("not a host")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.port != _DEFAULT_PORTS[scheme]:
        host = f"{host}:{parts.port}"
    kept = [part for part in parts.query.split("&") if part and not _TRACKING.fullmatch(part.partition("=")[0])]
    query = "?" + quote("&".join(kept), safe=_SAFE) if kept else ""
    result = f"{scheme}://{host}{quote(parts.path or '/', safe=_SAFE)}{query}"
    if len(result) > MAX_URL:
        raise ValueError("too long")
    return result


def plain_text(text: str | None, limit: int) -> str | None:
    """Returns the text of HTML, at most `limit` characters, a line for each block; null if there is none.

    It is text, not safe HTML: it must be escaped in a page, as all text.
    """
    if not text:
        return None
    text = _UNSEEN.sub("", html.unescape("".join(_without_tags(text[: limit * _RAW_FACTOR]))))
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text or None


def _without_tags(text: str) -> Iterable[str]:
    """Returns the text between the tags, in one pass over the input."""
    place = 0
    while (start := text.find("<", place)) >= 0:
        yield text[place:start]
        if text.startswith("<!--", start):
            end = text.find("-->", start)
            place = len(text) if end < 0 else end + 3
            continue
        name = _TAG_NAME.match(text, start + 1)
        if name is None and text[start + 1 : start + 2] not in ("!", "?"):
            yield "<"
            place = start + 1
            continue
        end = text.find(">", start)
        if end < 0:
            # A tag without an end: the text was cut in the middle of it.
            return
        place = end + 1
        tag = "" if name is None else name[1].lower()
        if tag in _DROPPED and text[start + 1] != "/" and text[end - 1] != "/":
            close = _DROPPED[tag].search(text, place)
            place = len(text) if close is None else close.start()
        elif tag in _BLOCKS:
            yield "\n"
        else:
            yield " " if tag in ("td", "th", "img") else ""
    yield text[place:]


def cleaned(draft: ArticleDraft, now: datetime) -> ArticleDraft:
    """Returns the draft with a normalised URL, plain text and a date. Raises ArticleRejected."""
    url, title, published_at = _address(draft.url), plain_text(draft.title, MAX_TITLE), draft.published_at or now
    reasons: list[tuple[IgnoredNews, str]] = []
    if url is None:
        reasons.append((IgnoredNews.BAD_URL, "url"))
    if title is None:
        reasons.append((IgnoredNews.NO_TITLE, "title"))
    if published_at > now + CLOCK_SKEW:
        reasons.append((IgnoredNews.FUTURE, "published_at"))
    if published_at < now - NEWS_RETENTION:
        reasons.append((IgnoredNews.STALE, "published_at"))
    if url is None or title is None or reasons:
        raise ArticleRejected(reasons)
    return ArticleDraft(
        url=url,
        title=title.replace("\n", " "),
        source=(plain_text(draft.source, MAX_NAME) or urlsplit(url).netloc)[:MAX_NAME].replace("\n", " "),
        summary=plain_text(draft.summary, MAX_SUMMARY),
        content=plain_text(draft.content, MAX_CONTENT),
        author=(plain_text(draft.author, MAX_NAME) or "").replace("\n", " ") or None,
        image_url=_address(draft.image_url),
        published_at=min(published_at, now),
    )


def scored(draft: ArticleDraft, mentions: Mentions) -> ScoredArticle:
    """Returns a cleaned draft with its sentiment, impact and symbols.

    It takes some milliseconds: do not call it on the event loop.
    """
    assert draft.published_at is not None, "a cleaned draft has a date"
    body = draft.summary or draft.content
    symbols = mentions.find(draft.title + ".\n" + (body or ""))
    return ScoredArticle(
        url=draft.url,
        title=draft.title,
        source=draft.source,
        summary=draft.summary,
        content=draft.content,
        author=draft.author,
        image_url=draft.image_url,
        published_at=draft.published_at,
        sentiment_score=Decimal(f"{score_article(draft.title, body):.2f}"),
        impact=impact(draft.title, body, symbols),
        symbols=tuple(symbols),
    )


def _address(url: str | None) -> str | None:
    try:
        return None if url is None else normalised_url(url)
    except ValueError:
        return None
