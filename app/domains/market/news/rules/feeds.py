"""RSS and Atom documents as article drafts.

feedparser does the parsing. Its input and output are limited here, but not its time: forty thousand attributes take
half a minute. So call `read` in a separate process.
"""

import calendar
import io
import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from app.domains.market.news.model import ArticleDraft, IgnoredNews

MAX_ENTRIES: Final = 500
"""The maximum number of entries of one document, in its order. Feeds list the newest first."""
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html|<head|<body)", re.IGNORECASE)
_ENDS = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL)
_TAIL_BYTES: Final = 2_048
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NotAFeed(Exception):
    """The document is not a feed."""


class ParsedFeed(msgspec.Struct, frozen=True):
    """The articles of a document, and the number of ignored entries by reason."""

    drafts: list[ArticleDraft]
    ignored: dict[str, int]


class FeedDocument(msgspec.Struct, frozen=True):
    """A document, and the URL from which it was fetched."""

    body: bytes
    url: str
    content_type: str | None


class Reading(msgspec.Struct, frozen=True):
    """The parsed feed, or the reason why it could not be parsed."""

    parsed: ParsedFeed | None
    reason: str | None


def read(packed: bytes) -> bytes:
    """Parses a FeedDocument into a Reading, both as MessagePack."""
    document = msgspec.msgpack.decode(packed, type=FeedDocument)
    try:
        reading = Reading(parse_feed(document.body, document.url, document.content_type), None)
    except NotAFeed as error:
        reading = Reading(None, str(error))
    return msgspec.msgpack.encode(reading)


def parse_feed(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """Parses a document. Raises NotAFeed."""
    import feedparser
    from feedparser.encodings import convert_to_utf8

    plain = body.removeprefix(_BYTE_ORDER_MARK)
    if not plain.strip():
        raise NotAFeed("the document is empty")
    if _HTML.match(plain):
        raise NotAFeed("this is a web page, not a feed")
    headers = {"content-location": url, "content-type": content_type or "application/xml"}
    try:
        # Decoded once for all encodings (UTF-7, EBCDIC, escapes): what is checked here is what is parsed later.
        plain = convert_to_utf8(headers, body, {})
    except Exception as error:
        raise NotAFeed(f"the document cannot be decoded: {type(error).__name__}") from error
    # Feeds need no entity declarations; entity bombs do.
    if b"<!ENTITY" in plain.upper():
        raise NotAFeed("the document declares entities")
    headers["content-type"] = "application/xml; charset=utf-8"
    # We convert everything to plain text ourselves: the sanitising of feedparser is not needed.
    try:
        # As a stream: feedparser would take bytes or a string for the name of a file first.
        found = feedparser.parse(
            io.BytesIO(plain), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:
        # The input is untrusted, and the exceptions of feedparser are not documented.
        raise NotAFeed(f"the document cannot be read: {type(error).__name__}") from error
    if not found.version:
        raise NotAFeed("neither RSS nor Atom")
    entries, ignored = list(found.entries), dict[str, int]()
    if found.bozo and entries and not _ENDS.search(plain[-_TAIL_BYTES:]):
        # The last one may have half a title, or a wrong URL.
        entries.pop()
        ignored[str(IgnoredNews.TRUNCATED)] = 1
    if (surplus := len(entries) - MAX_ENTRIES) > 0:
        ignored[str(IgnoredNews.TOO_MANY)] = surplus
    source = _text(found.feed.get("title")) or urlsplit(url).hostname or url
    return ParsedFeed([_draft(entry, source) for entry in entries[:MAX_ENTRIES]], ignored)


def _draft(entry: dict[str, Any], source: str) -> ArticleDraft:
    contents = [_text(content.get("value")) for content in entry.get("content") or ()]
    return ArticleDraft(
        url=_text(entry.get("link")) or "",
        title=_text(entry.get("title")) or "",
        source=source,
        summary=_text(entry.get("summary")),
        content=next((content for content in contents if content), None),
        author=_text(entry.get("author")),
        image_url=_image(entry),
        # With `entry.get`, "updated" would fall back to "published", with a deprecation warning.
        published_at=_moment(dict.get(entry, "published_parsed")) or _moment(dict.get(entry, "updated_parsed")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(parts: Any) -> datetime | None:
    """Returns a date of feedparser, in UTC; None if it is missing or invalid."""
    try:
        return None if parts is None else datetime.fromtimestamp(calendar.timegm(parts), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _image(entry: dict[str, Any]) -> str | None:
    for item in (*(entry.get("media_content") or ()), *(entry.get("media_thumbnail") or ())):
        if str(item.get("medium", "image")) == "image" and (url := _text(item.get("url"))):
            return url
    for link in entry.get("enclosures") or ():
        if str(link.get("type", "")).startswith("image/") and (url := _text(link.get("href"))):
            return url
    return None
