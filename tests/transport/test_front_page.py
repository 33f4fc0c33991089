import asyncio
import base64
import hashlib
import html
import json
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from graphql import build_schema, parse, validate
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.mail import FolderMailer
from app.settings import Settings
from app.transport.runtime import DemoLogin
from tests.sources import ROOT
from tests.transport.support import ORIGIN, build, client_for
from tests.transport.test_pages import PRODUCTION
from tests.waiting import HANG_S

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LOGIN = DemoLogin("Alice", "alice@example.com", "it's <a> password")


@pytest_asyncio.fixture
async def database(servers: Embedded) -> AsyncIterator[Database]:
    """A pool on a database that holds nothing: whether it answers is all that is asked here."""
    pool = await Database.open(servers.database_url, role=None, size=2, timeout_s=HANG_S)
    yield pool
    await pool.close()


def demo(folder: Path) -> dict[str, Any]:
    """All that only a demo has."""
    mailbox = FolderMailer(folder, FixedClock(datetime(2026, 11, 21, tzinfo=UTC)))
    return {"demo_logins": (LOGIN,), "demo_access_codes": ("BITCOIN2025",), "dev_mailbox": mailbox}


async def page_of(client: httpx.AsyncClient, **headers: str) -> str:
    response = await client.get("/", headers=BROWSER | headers)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response.text


def calls_of(page: str) -> list[str]:
    """The commands, as a browser shows them."""
    return [html.unescape(each) for each in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]


async def test_every_address_on_the_page_answers(tmp_path: Path, database: Database, redis: Redis) -> None:
    client = client_for(build(database=database, redis=redis, **demo(tmp_path)), client=("127.0.0.1", 1))
    page = await page_of(client)
    shown = re.findall(r'<dt><a href="([^"]+)">\1</a></dt>', page)
    assert {"/ide", "/graphql", "/docs", "/schema.graphql", "/health/ready", "/metrics", "/dev/mail"} == set(shown)
    for address in shown:
        answer = await client.get(address, headers=BROWSER)
        # Without Node the IDE says how to get it; nothing else may be missing.
        assert answer.status_code == (503 if address in {"/ide", "/graphql"} else 200), (address, answer.text)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER["accept"], "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "application/json"),
        ("image/png", "application/json"),
    ],
)
async def test_browsers_get_a_page_and_others_the_same_as_json(accept: str, kind: str) -> None:
    answer = await client_for(build()).get("/", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert "Accept" in answer.headers["vary"].split(", ")
    assert answer.headers["cache-control"] == "no-store"
    if kind == "application/json":
        body = answer.json()
        assert (body["name"], body["addresses"]["/graphql"]) == ("Moneta", f"{ORIGIN}/graphql")


async def test_head_and_other_methods() -> None:
    client = client_for(build())
    for headers in (BROWSER, {}):
        head = await client.head("/", headers=headers)
        got = await client.get("/", headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
        refused = await client.request(method, "/")
        assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


async def test_it_says_whether_the_server_is_ready_and_what_is_missing(database: Database, redis: Redis) -> None:
    async def refuse() -> None:
        raise ConnectionError("no answer")

    ready = client_for(build(database=database, redis=redis))
    assert '<p class="status ready" role="status">Ready</p>' in await page_of(ready)
    assert (await ready.get("/")).json()["status"] == "ready"

    unready = client_for(build(database=database, redis=Redis(port=1), readiness_checks={"prices": refuse}))
    assert "Not ready: Redis does not answer in time; a source of prices does not answer in time" in await page_of(
        unready
    )
    body = (await unready.get("/")).json()
    assert body["status"] == "not ready"
    assert body["checks"] == {"database": "healthy", "cache": "unhealthy", "apis": "unhealthy"}


async def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else(tmp_path: Path) -> None:
    answer = await client_for(build(**demo(tmp_path))).get("/", headers=BROWSER)
    policy = dict(each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; "))
    for directive, tag in (("style-src", "style"), ("script-src", "script")):
        (inline,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert policy.pop(directive) == f"'sha256-{digest}'"
    assert policy.pop("img-src") == "data:"
    assert set(policy.values()) == {"'none'"}
    assert not re.findall(r'(?:src|href)="(?!/|data:)', answer.text)
    assert " style=" not in answer.text
    assert " on" not in " ".join(re.findall(r"<\w+ ([^>]*)>", answer.text))


async def test_a_demo_offers_its_log_ins_under_its_own_name_only(tmp_path: Path) -> None:
    client = client_for(build(**demo(tmp_path)))
    page = await page_of(client)
    assert "<code>alice@example.com</code>" in page
    assert "<code>it&#x27;s &lt;a&gt; password</code>" in page
    assert "<code>BITCOIN2025</code>" in page
    elsewhere = await page_of(client, host="rebound.example")
    assert "password</code>" not in elsewhere
    assert "alice@example.com" not in elsewhere


async def test_production_shows_nothing_of_a_demo(tmp_path: Path) -> None:
    client = client_for(build(PRODUCTION, **demo(tmp_path)))
    shown = await page_of(client) + (await client.get("/")).text
    assert not re.search("alice|BITCOIN2025|/dev/mail|Demo", shown)
    assert len(calls_of(shown)) == 3


CURL = """#!/bin/sh
printf '%s\\0' "$@" end >> "$SENT"
echo '{"data":{"login":{"accessToken":"a.token"}}}'
"""


@pytest.mark.parametrize("settings", [None, PRODUCTION])
async def test_the_calls_mean_to_a_shell_what_they_say(tmp_path: Path, settings: Settings | None) -> None:
    (tmp_path / "curl").write_text(CURL)
    (tmp_path / "curl").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SENT": str(tmp_path / "sent")}
    for call in calls_of(await page_of(client_for(build(settings, **demo(tmp_path / "mail"))))):
        shell = await asyncio.create_subprocess_exec(
            "sh", "-euc", call, env=environment, stdout=asyncio.subprocess.PIPE
        )
        await shell.communicate()
        assert shell.returncode == 0
    commands = [sent.split("\0") for sent in (tmp_path / "sent").read_text().split("\0end\0")[:-1]]
    assert [command[1] for command in commands] == [f"{ORIGIN}/graphql"] * 4
    assert "authorization: Bearer a.token" in commands[2]
    assert {"-N", "accept: text/event-stream"} <= set(commands[3])
    schema = build_schema((ROOT / "schema.graphql").read_text())
    queries = [json.loads(command[command.index("-d") + 1])["query"] for command in commands]
    assert [validate(schema, parse(query)) for query in queries] == [[], [], [], []]
    assert f"password: {json.dumps(LOGIN.password if settings is None else 'your password')}" in queries[1]
