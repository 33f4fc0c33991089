"""What comes beside the arguments: headers, parts of the body and of the query string."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from app.main import Application
from tests.factories import PASSWORD
from tests.graph.fuzz.target import Target, open_target
from tests.graph.fuzz.values import JSONS, NUMBERS, TEXTS, WRONG_KINDS, cursors
from tests.graph.world import World

HEADERS = (
    "user-agent",
    "authorization",
    "cookie",
    "origin",
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
    "last-event-id",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "sec-fetch-site",
    "forwarded",
)
BYTES = [
    b"",
    b" ",
    b"\xff\xfe\x80",
    b"\xc3\xa9" * 50,
    b"x" * 8000,
    b"Bearer ",
    b"Bearer \xff",
    b"Bearer a.b.c",
    b"Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AA",
    b"moneta_session=\xff; moneta_refresh=\xff; __Host-moneta_session=\xff",
    b"__Host-session=x; session=x; =; ;;",
    b"::ffff:1.2.3.4%eth0, 999.1.1.1, unknown, [::1]:80",
    b"application/json; charset=\xff; q=nan",
    b"*/*;q=1e999, a/b;q=-1, ;;;,,,",
    b"99999999999999999999999",
    b"-1",
    b"null",
]
LOGIN = json.dumps(
    {"query": f'mutation {{ login(input: {{email: "alice@example.com", password: "{PASSWORD}"}}) {{ __typename }} }}'}
)
SHAPES: list[Any] = [*JSONS, *WRONG_KINDS, *NUMBERS, *TEXTS]


async def judge(target: Target, method: str, url: str, **options: Any) -> None:
    """Asks, and fails for an answer that is the server's fault."""
    await target.application.redis.flushdb()
    response = await target.client.request(method, url, **options)
    assert response.status_code < 500, (method, url[:200], ascii(options)[:300], response.text[:300])
    assert b"INTERNAL" not in response.content, (method, url[:200], ascii(options)[:300])


@pytest.mark.parametrize("header", HEADERS)
async def test_no_header_is_answered_with_an_internal_error(
    application: Application, world: World, header: str
) -> None:
    async with open_target(application, world) as target:
        for value in [*BYTES, *(cursor.encode() for cursor in cursors() if cursor.isprintable())]:
            headers = {b"content-type": b"application/json", header.encode(): value}
            await judge(target, "POST", "/graphql", content=LOGIN, headers=headers)
            await judge(target, "GET", "/graphql?query={viewer{user{email}}}", headers=headers)


@pytest.mark.parametrize("part", ["query", "operationName", "variables", "extensions"])
async def test_no_part_of_a_request_is_answered_with_an_internal_error(
    application: Application, world: World, part: str
) -> None:
    right = {"query": "query A($n: Int) { blocks(first: $n) { nodes { height } } }", "variables": {"n": 1}}
    async with open_target(application, world) as target:
        for value in SHAPES:
            for body in ({**right, part: value}, {part: value}, [{part: value}], value):
                content = json.dumps(body)
                await judge(target, "POST", "/graphql", content=content, headers={"content-type": "application/json"})
        for octets in [*BYTES, *(json.dumps(value).encode()[:4000] for value in SHAPES)]:
            rest = "" if part == "query" else "&query={serverInfo{version}}"
            await judge(target, "GET", f"/graphql?{part}={quote_from_bytes(octets)}{rest}")


async def test_no_body_is_answered_with_an_internal_error(application: Application, world: World) -> None:
    async with open_target(application, world) as target:
        for body in [*BYTES, b'{"query": "\\ud800"}', b"{", b"[" * 10_000, b'{"a":' * 10_000, b"\xef\xbb\xbf{}", b"\0"]:
            for kind in (
                "application/json",
                "application/graphql",
                "text/plain",
                "multipart/form-data; boundary=x",
                "",
            ):
                await judge(target, "POST", "/graphql", content=body, headers={"content-type": kind})
