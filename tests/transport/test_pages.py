import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.mail import FolderMailer, Message
from app.settings import Settings
from app.transport.runtime import DemoLogin
from tests.engine.support import listening
from tests.transport.support import ORIGIN, Witness, ask, build, client_for
from tests.waiting import HANG_S

PRODUCTION = Settings(
    environment="production", secret_key="x" * 32, key_encryption_keys="k:" + "a" * 44, public_url=ORIGIN
)
ALICE = DemoLogin("Alice", "alice@example.com", "a password")


@pytest_asyncio.fixture
async def database(servers: Embedded) -> AsyncIterator[Database]:
    """A pool on a database that holds nothing: whether it answers is all that is asked here."""
    pool = await Database.open(servers.database_url, role=None, size=2, timeout_s=HANG_S)
    yield pool
    await pool.close()


async def test_the_ide_is_served_under_a_policy_that_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>IDE</title>")
    (tmp_path / "assets" / "ide-HASH.js").write_text("1")
    client = client_for(build(web=tmp_path))
    for path, accept in (("/ide", "*/*"), ("/graphql", "text/html")):
        page = await client.get(path, headers={"accept": accept})
        assert (page.status_code, page.text) == (200, "<!doctype html><title>IDE</title>")
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    script = await client.get("/ide/assets/ide-HASH.js")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")


async def test_without_built_pages_one_line_says_how_to_get_them() -> None:
    response = await client_for(build()).get("/ide")
    assert response.status_code == 503
    assert "<code>make serve</code> where Node 20 or newer" in response.text


async def test_the_ide_offers_what_is_of_a_demo_in_development_only(tmp_path: Path) -> None:
    demo: dict[str, Any] = {
        "demo_logins": (ALICE,),
        "demo_access_codes": ("A", "B"),
        "dev_mailbox": FolderMailer(tmp_path, FixedClock(datetime(2026, 11, 21, tzinfo=UTC))),
    }
    offered = await client_for(build(**demo)).get("/ide/config.json")
    login = {"label": "Alice", "email": "alice@example.com", "password": "a password"}
    assert offered.json() == {
        "endpoint": "/graphql",
        "demoLogins": [login],
        "accessCodes": ["A", "B"],
        "mailbox": "/dev/mail",
    }
    kept = await client_for(build(PRODUCTION, **demo)).get("/ide/config.json")
    assert kept.json() == {"endpoint": "/graphql", "demoLogins": [], "accessCodes": [], "mailbox": None}


async def test_the_outbox_shows_mail_and_runs_none_of_it(tmp_path: Path) -> None:
    mailbox = FolderMailer(tmp_path, FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC)))
    text = "<script>alert(1)</script> Verify: http://testserver/verify?token=a&x=1 now"
    await mailbox.send(Message("bob@example.com", "Hello <b>", text))
    client = client_for(build(dev_mailbox=mailbox))
    page = await client.get("/dev/mail")
    assert "<script>" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "Hello &lt;b&gt;" in page.text
    link = "http://testserver/verify?token=a&amp;x=1"
    assert f'<a href="{link}" rel="noreferrer">{link}</a> now' in page.text
    assert re.match(r"default-src 'none'; style-src 'sha256-[^']+'; ", page.headers["content-security-policy"])
    listed = await client.get("/dev/mail?format=json")
    assert listed.json() == [
        {"sentAt": "2026-11-21T12:00:00Z", "to": "bob@example.com", "subject": "Hello <b>", "text": text}
    ]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.7", 200),
        ("localhost:3000", 200),
        ("moneta.localhost", 200),
        ("rebound.example", 421),
        ("testserver.evil.example", 421),
        ("127.0.0.1.evil.example:8000", 421),
        ("", 421),
    ],
)
async def test_a_page_whose_name_was_made_to_lead_here_reads_no_mail_and_no_log_ins(
    tmp_path: Path, host: str, status: int
) -> None:
    mailbox = FolderMailer(tmp_path, FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC)))
    client = client_for(build(dev_mailbox=mailbox, demo_logins=(ALICE,)))
    for path in ("/dev/mail", "/dev/mail?format=json", "/ide/config.json"):
        response = await client.get(path, headers={"host": host})
        assert response.status_code == status
        assert ("a password" in response.text) == (status == 200 and path == "/ide/config.json")


async def test_production_says_when_it_does_not_know_its_own_name() -> None:
    nameless = PRODUCTION.model_copy(update={"public_url": None})
    for settings, said in ((nameless, ["no_public_url"]), (PRODUCTION, []), (Settings(), [])):
        with listening() as logs:
            build(settings)
        assert [line["event"] for line in logs] == said


async def test_there_is_no_outbox_in_production_or_where_mail_is_sent(tmp_path: Path) -> None:
    mailbox = FolderMailer(tmp_path, FixedClock(datetime(2026, 11, 21, tzinfo=UTC)))
    for app in (build(PRODUCTION, dev_mailbox=mailbox), build()):
        assert (await client_for(app).get("/dev/mail")).status_code == 404


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/verify", "verifyEmail(input: { token: $token })"),
        ("/reset-password", "resetPassword(input: { token: $token, newPassword: $newPassword })"),
    ],
)
async def test_a_mailed_link_changes_nothing_until_somebody_clicks(path: str, call: str) -> None:
    witness = Witness()
    client = client_for(build(witness=witness))
    page = await client.get(path, params={"token": "<script>alert(1)</script>"})
    assert page.status_code == 200
    assert "alert(1)" not in page.text
    assert '<script src="/links.js" defer></script>' in page.text
    assert f'<form id="{call.partition("(")[0]}">' in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    script = await client.get("/links.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert call in script.text
    assert witness.callers == []


async def test_a_check_that_cannot_even_be_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    class Stuck:
        async def ping(self) -> None:
            try:
                await release.wait()
            except asyncio.CancelledError:
                await release.wait()

    monkeypatch.setattr("app.transport.health.PATIENCE_S", 0.05)
    response = await client_for(build(redis=Stuck())).get("/health/ready")
    assert response.json()["checks"]["cache"] == "unhealthy"
    release.set()


async def test_a_process_that_answers_is_alive() -> None:
    response = await client_for(build()).get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "healthy"})


async def test_ready_when_everything_answers(database: Database, redis: Redis) -> None:
    response = await client_for(build(database=database, redis=redis)).get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {
        "status": "healthy",
        "checks": {"database": "healthy", "cache": "healthy", "apis": "healthy"},
    }


@pytest.mark.parametrize("missing", ["database", "cache", "apis"])
async def test_not_ready_when_anything_is_missing(missing: str, database: Database, redis: Redis) -> None:
    async def refuse() -> None:
        raise ConnectionError("no answer")

    available: dict[str, dict[str, Any]] = {
        "database": {"redis": redis},
        "cache": {"database": database, "redis": Redis(port=1)},
        "apis": {"database": database, "redis": redis, "readiness_checks": {"prices": refuse}},
    }
    response = await client_for(build(**available[missing])).get("/health/ready")
    expected = {"database": "healthy", "cache": "healthy", "apis": "healthy", missing: "unhealthy"}
    assert (response.status_code, response.json()) == (503, {"status": "unhealthy", "checks": expected})


async def test_a_pool_with_nothing_free_is_not_ready_within_its_patience(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transport.health.PATIENCE_S", 0.05)
    held = [await database.pool.acquire() for _ in range(database.pool.get_max_size())]
    response = await client_for(build(database=database, redis=redis)).get("/health/ready")
    assert response.json()["checks"] == {"database": "unhealthy", "cache": "healthy", "apis": "healthy"}
    for connection in held:
        await database.pool.release(connection)


@pytest.mark.plan_fails
async def test_metrics_count_operations_by_kind_and_outcome() -> None:
    client = client_for(build())
    for query in ("{ hello }", "{ hello }", "mutation { logout }", "{ boom }", "{ gone }", "{ nothing }"):
        await ask(client, query)
    await ask(client, "{ hello }", cookie="__Host-moneta-session=x", origin="https://evil.example")
    lines = (await client.get("/metrics")).text.splitlines()
    assert {line for line in lines if line.startswith("moneta_operations_total{")} == {
        'moneta_operations_total{outcome="ok",type="query"} 2.0',
        'moneta_operations_total{outcome="ok",type="mutation"} 1.0',
        'moneta_operations_total{outcome="failed",type="query"} 1.0',
        'moneta_operations_total{outcome="problem",type="query"} 1.0',
        'moneta_operations_total{outcome="refused",type="none"} 2.0',
    }
    assert 'moneta_operation_statements_bucket{le="0.0",type="query"} 4.0' in lines
    assert 'moneta_operation_cost_sum{type="mutation"} 10.0' in lines
    assert "moneta_hub_listeners 0.0" in lines
    assert "moneta_http_requests_in_flight 1.0" in lines
