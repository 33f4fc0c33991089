from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domains.market.news.rules.feeds import MAX_ENTRIES, NotAFeed, parse_feed

URL = "https://paper.example/feed"


def rss(items: str, *, head: str = "", encoding: str = "utf-8") -> bytes:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>{head}'
        f"<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>The Paper</title>{items}</channel></rss>"
    )
    return text.encode(encoding)


def item(number: int = 1, extra: str = "") -> str:
    return f"<item><title>Title {number}</title><link>https://paper.example/{number}</link>{extra}</item>"


def test_rss() -> None:
    extra = (
        "<description>&lt;p&gt;Sum&lt;/p&gt;</description><content:encoded><![CDATA[<p>All</p>]]></content:encoded>"
        "<author>Ann</author><pubDate>Sat, 21 Nov 2026 11:00:00 +0100</pubDate>"
        "<media:content url='https://paper.example/i.png' medium='image'/>"
    )
    (draft,) = parse_feed(rss(item(1, extra)), URL).drafts
    assert (draft.url, draft.title, draft.source, draft.author) == (
        "https://paper.example/1",
        "Title 1",
        "The Paper",
        "Ann",
    )
    assert (draft.summary, draft.content) == ("<p>Sum</p>", "<p>All</p>")
    assert draft.image_url == "https://paper.example/i.png"
    assert draft.published_at == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_atom_with_a_relative_address_and_only_an_update() -> None:
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom'><title>Atom Paper</title><entry><title>T</title>"
        b"<link href='/a'/><updated>2026-11-20T10:00:00Z</updated><summary>S</summary></entry></feed>"
    )
    (draft,) = parse_feed(body, URL, "application/atom+xml; charset=utf-8").drafts
    assert (draft.url, draft.source, draft.summary) == ("https://paper.example/a", "Atom Paper", "S")
    assert draft.published_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "<pubDate>yesterday</pubDate>", "<pubDate>31 Feb 2026</pubDate>"])
def test_a_date_that_is_missing_or_cannot_be_is_none(date: str) -> None:
    assert parse_feed(rss(item(1, date)), URL).drafts[0].published_at is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\xef\xbb\xbf",
        b"<!DOCTYPE html><html><body>Sorry</body></html>",
        b"\n <html><head><title>404</title></head></html>",
        b'{"json": true}',
        b"plain words",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x00" * 1000,
        bytes(range(256)) * 10,
    ],
)
def test_what_is_no_feed(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        parse_feed(body, URL)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "cp037", "cp500"])
def test_entities_are_refused_before_they_are_read(encoding: str) -> None:
    lol = "".join(f"<!ENTITY lol{n} '{f'&lol{n - 1};' * 10}'>" for n in range(2, 12))
    bomb = rss(
        item(1, "<description>&lol11;</description>"),
        head=f"<!DOCTYPE r [<!ENTITY lol1 'lol'>{lol}]>",
        encoding=encoding,
    )
    # Read, it would be 10^11 words.
    with pytest.raises(NotAFeed, match="entities"):
        parse_feed(bomb, URL)


@pytest.mark.parametrize(
    ("encoding", "packed"), [("utf-7", b"+ADwAIQ-"), ("unicode_escape", b"\\x3c\\x21"), ("iso2022_jp", b"<!EN\x1b(B")]
)
@pytest.mark.parametrize("declared", ["in the document", "beside it"])
def test_entities_are_found_however_they_are_packed(encoding: str, packed: bytes, declared: str) -> None:
    begun = b"<!EN" if packed.startswith(b"<!EN") else b"<!"
    bomb = rss(item(), head="<!DOCTYPE r [<!ENTITY x 'y'>]>").replace(begun, packed)
    if declared == "in the document":
        bomb = bomb.replace(b"utf-8", encoding.encode())
    with pytest.raises(NotAFeed, match="entities"):
        parse_feed(bomb, URL, None if declared == "in the document" else f"application/xml; charset={encoding}")


def test_an_entity_from_a_file_is_refused() -> None:
    with pytest.raises(NotAFeed, match="entities"):
        parse_feed(rss(item(), head="<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"), URL)


def test_a_document_that_breaks_off_loses_its_last_entry() -> None:
    whole = rss(item(1) + item(2) + item(3, "<description>long enough to be cut</description>"))
    parsed = parse_feed(whole[: whole.index(b"to be cut")], URL)
    assert [draft.title for draft in parsed.drafts] == ["Title 1", "Title 2"]
    assert parsed.ignored == {"truncated": 1}


def test_a_document_that_is_not_well_formed_but_ends_is_read() -> None:
    parsed = parse_feed(
        rss("<item><title>Cats & dogs</title><link>https://paper.example/1</link></item>" + item(2)), URL
    )
    assert [draft.title for draft in parsed.drafts] == ["Cats & dogs", "Title 2"]
    assert parsed.ignored == {}


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "windows-1252"])
def test_encodings_are_told_apart(encoding: str) -> None:
    body = rss("<item><title>Zürich</title><link>https://paper.example/1</link></item>", encoding=encoding)
    assert parse_feed(body, URL).drafts[0].title == "Zürich"


def test_a_wrong_encoding_is_seen_through() -> None:
    body = rss("<item><title>Zürich</title><link>https://paper.example/1</link></item>", encoding="iso-8859-1")
    lying = body.replace(b"iso-8859-1", b"utf-8")
    assert parse_feed(lying, URL).drafts[0].title == "Zürich"


def test_entries_without_anything_make_empty_drafts() -> None:
    (draft,) = parse_feed(rss("<item><description/></item>"), URL).drafts
    assert (draft.url, draft.title) == ("", "")


def test_of_ten_thousand_entries_the_first_are_taken() -> None:
    parsed = parse_feed(rss("".join(map(item, range(10_000)))), URL)
    assert [draft.title for draft in parsed.drafts[:2]] == ["Title 0", "Title 1"]
    assert len(parsed.drafts) == MAX_ENTRIES
    assert parsed.ignored == {"too_many": 10_000 - MAX_ENTRIES}


def test_a_body_that_is_the_name_of_a_file_opens_no_file(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_bytes(rss(item()))
    with pytest.raises(NotAFeed):
        parse_feed(str(file).encode(), URL)
