"""What is compressed, and what never is."""

import gzip
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from app.transport.compression import INLINE_BYTES, MIN_BYTES, Compression, coding_for
from tests.transport.support import ask, build, client_for

LONG = "x" * 4000


def opened(response: httpx.Response, raw: bytes) -> bytes:
    """The body as it was before."""
    match response.headers.get("content-encoding"):
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(raw)
        case "gzip":
            return gzip.decompress(raw)
    return raw


async def fetched(app: ASGIApp, path: str = "/", **headers: str) -> tuple[httpx.Response, bytes]:
    """A response, and its bytes as they came."""
    client = client_for(app)
    del client.headers["accept-encoding"]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", path, headers=named) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("GZIP", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "gzip"),
        ("gzip;q=0.1", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("gzip, identity", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("deflate", None),
        ("identity", None),
        ("*;q=0", None),
        ("", None),
        (" ", None),
    ],
)
def test_the_client_says_how(accept_encoding: str, coding: str | None) -> None:
    assert coding_for([accept_encoding], ("zstd", "gzip")) == coding


@pytest.mark.parametrize("coding", ["zstd", "gzip", "identity"])
@pytest.mark.parametrize("size", [MIN_BYTES, INLINE_BYTES, INLINE_BYTES + 1, 1_000_000])
async def test_a_body_arrives_whole_however_large(coding: str, size: int) -> None:
    body = os.urandom(size // 4).hex().encode() + b"x" * (size - size // 4 * 2)
    app = Compression(Response(body, media_type="application/json"))
    response, raw = await fetched(app, accept_encoding=coding)
    assert opened(response, raw) == body
    assert int(response.headers["content-length"]) == len(raw)
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers.get("content-encoding", "identity") == coding
    assert (len(raw) < len(body)) == (coding != "identity")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("x" * (MIN_BYTES - 1), {"content-type": "application/json"}),
        (LONG, {"content-type": "image/png"}),
        (LONG, {"content-type": "text/event-stream"}),
        (LONG, {"content-type": "application/json", "content-encoding": "br"}),
        (LONG, {"content-type": "application/json", "cache-control": "no-store, no-transform"}),
        (LONG, {}),
    ],
)
async def test_what_is_small_closed_or_secret_stays_as_it_is(body: str, headers: dict[str, str]) -> None:
    response, raw = await fetched(Compression(Response(body, headers=headers)), accept_encoding="gzip, zstd")
    assert raw == body.encode()
    assert response.headers.get("content-encoding") == headers.get("content-encoding")
    assert "vary" not in response.headers


async def test_a_body_in_pieces_passes_as_it_comes() -> None:
    async def pieces() -> Any:
        for _ in range(3):
            yield LONG

    response, raw = await fetched(Compression(StreamingResponse(pieces(), media_type="text/plain")))
    assert raw == LONG.encode() * 3
    assert "content-encoding" not in response.headers


async def test_a_tag_names_the_bytes_no_more() -> None:
    for tag, etag in (('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')):
        app = Compression(Response(LONG, headers={"etag": tag, "content-type": "text/plain", "vary": "Origin"}))
        response, _ = await fetched(app, accept_encoding="gzip")
        assert (response.headers["etag"], response.headers["vary"]) == (etag, "Origin, Accept-Encoding")
        plain, _ = await fetched(app)
        assert plain.headers["etag"] == tag


@pytest.mark.parametrize("coding", ["zstd", "gzip"])
async def test_an_answer_of_the_graph_is_compressed_for_whoever_reads_it(coding: str) -> None:
    response, raw = await fetched(build(), f'/graphql?query={{hello(name:"{LONG}")}}', accept_encoding=coding)
    assert response.headers["content-encoding"] == coding
    assert f'"hello {LONG}"'.encode() in opened(response, raw)
    assert response.headers["vary"] == "Accept-Encoding, Origin"
    assert len(raw) < 300
    failed, raw = await fetched(build(), f"/graphql?query={{{LONG}}}", accept_encoding=coding)
    assert failed.headers["content-encoding"] == coding
    assert b"BAD_USER_INPUT" in opened(failed, raw)


async def test_new_tokens_are_never_compressed_beside_what_somebody_may_have_chosen() -> None:
    query = f"mutation {{ login {' '.join(f'a{n}: login' for n in range(20))} name: __typename {' ' * 2000} }}"
    query = query.replace("name:", f"{'n' * 1500}:")
    response = await ask(client_for(build()), query, accept_encoding="zstd, gzip")
    assert response.json()["data"]["login"] is True
    assert len(response.content) > MIN_BYTES
    assert "content-encoding" not in response.headers
    assert response.headers["cache-control"] == "no-store, no-transform"
    other = await ask(client_for(build()), query.replace("login", "logout"), accept_encoding="gzip")
    assert (other.headers["content-encoding"], other.headers["cache-control"]) == ("gzip", "no-store")


async def test_assets_come_as_they_were_compressed_when_they_were_built(tmp_path: Path) -> None:
    folder = tmp_path / "assets"
    folder.mkdir()
    for name, written in (
        ("a.js", "plain"),
        ("a.js.br", "by brotli"),
        ("a.js.gz", "by gzip"),
        ("small.js", "as it is"),
    ):
        (folder / name).write_text(written)
    app = build(web=tmp_path)
    tags = set()
    for accepts, name, coding, text in (
        ("gzip, br, zstd", "a.js", "br", b"by brotli"),
        ("gzip", "a.js", "gzip", b"by gzip"),
        ("br;q=0.1, gzip", "a.js", "gzip", b"by gzip"),
        ("identity", "a.js", None, b"plain"),
        ("gzip, br", "small.js", None, b"as it is"),
    ):
        response, raw = await fetched(app, f"/ide/assets/{name}", accept_encoding=accepts)
        assert (response.status_code, response.headers.get("content-encoding"), raw) == (200, coding, text)
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["vary"] == "Accept-Encoding"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        tags.add(response.headers["etag"])
        known, raw = await fetched(
            app, f"/ide/assets/{name}", accept_encoding=accepts, if_none_match=response.headers["etag"]
        )
        assert (known.status_code, known.headers["vary"], raw) == (304, "Accept-Encoding", b"")
    assert len(tags) == 4
    for name in ("a.js.br", "a.js.gz", "../index.html", "none.js"):
        response, _ = await fetched(app, f"/ide/assets/{name}", accept_encoding="gzip, br")
        assert response.status_code == 404
