"""Maintenance in the whole graph: who is answered, what stays open, and what is done afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from graphql import GraphQLObjectType

from app.domains.accounts.model import Role
from app.domains.system.services import SystemServices
from app.engine.declarations.maintenance import is_open
from app.kit.clock import FixedClock
from app.kit.house import jobs_of
from app.kit.jobs import JobRunner
from app.kit.mail import FolderMailer
from app.main import DOMAINS, Application
from app.transport.application import create_app
from app.transport.runtime import AppRuntime
from tests.databases import Owner
from tests.factories import PASSWORD, register
from tests.waiting import HANG_S, until

OPEN: Final = {
    "Query": {"serverInfo", "systemSettings"},
    "Mutation": {"login", "logout", "refreshSession", "verifyEmail"},
    "Subscription": set[str](),
}
LOGIN: Final = """mutation($email: String!, $password: String!) {
  login(input: {email: $email, password: $password, delivery: BEARER}) {
    ... on LoginPayload { accessToken refreshToken }
  }
}"""
SEEN: Final = "{ systemSettings { maintenance { isEnabled message } } serverInfo { version } }"
TURN: Final = """mutation($enabled: Boolean!) {
  updateSystemSetting(input: {maintenance: {enabled: $enabled, message: "Back at noon.", retryAfterMs: 90000}}) {
    ... on UpdateSystemSettingPayload { systemSettings { maintenance { isEnabled } } }
  }
}"""


@dataclass
class Server:
    """The graph over HTTP."""

    http: httpx.AsyncClient
    system: SystemServices

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def log_in(self, email: str) -> dict[str, str]:
        tokens: dict[str, str] = (await self.ask(LOGIN, email=email, password=PASSWORD)).json()["data"]["login"]
        return tokens

    async def turn(self, token: str, *, enabled: bool) -> None:
        """As an admin; and this process reads the settings, as it does twice a second."""
        answer = (await self.ask(TURN, token, enabled=enabled)).json()["data"]["updateSystemSetting"]
        assert answer["systemSettings"]["maintenance"]["isEnabled"] is enabled
        await self.system.cache.refresh()


@pytest_asyncio.fixture
async def server(runtime: AppRuntime, application: Application) -> AsyncIterator[Server]:
    await register(application.services, "admin@example.com", role=Role.ADMIN)
    await register(application.services)
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://moneta.test", timeout=HANG_S) as http:
        yield Server(http, application.services[SystemServices])


def test_only_what_callers_need_to_log_in_stays_open(runtime: AppRuntime) -> None:
    for name, fields in OPEN.items():
        root = runtime.engine.schema.get_type(name)
        assert isinstance(root, GraphQLObjectType)
        assert {field for field, declared in root.fields.items() if is_open(declared)} == fields


async def test_users_are_turned_away_and_can_log_in(server: Server) -> None:
    admin = (await server.log_in("admin@example.com"))["accessToken"]
    alice = (await server.log_in("alice@example.com"))["accessToken"]
    await server.turn(admin, enabled=True)
    for token in (None, alice):
        response = await server.ask("{ viewer { user { email } } }", token)
        assert (response.status_code, response.headers["retry-after"]) == (503, "90")
        (error,) = response.json()["errors"]
        assert error["message"] == "Back at noon."
        assert (error["extensions"]["code"], error["extensions"]["retryAfterMs"]) == ("MAINTENANCE", 90_000)
        seen = await server.ask(SEEN, token)
        assert seen.json()["data"]["systemSettings"] == {"maintenance": {"isEnabled": True, "message": "Back at noon."}}
    again = await server.log_in("alice@example.com")
    refresh = "mutation($refresh: String!) { refreshSession(input: {refreshToken: $refresh}) { __typename } }"
    renewed = await server.ask(refresh, refresh=again["refreshToken"])
    assert renewed.json()["data"]["refreshSession"]["__typename"] == "RefreshSessionPayload"
    assert (await server.ask("mutation { logout { isLoggedOut } }", alice)).status_code == 200

    # An admin who was not logged in ends it.
    admin = (await server.log_in("admin@example.com"))["accessToken"]
    assert (await server.ask("{ viewer { user { email } } }", admin)).json()["data"]["viewer"] is not None
    await server.turn(admin, enabled=False)
    assert (await server.ask("{ viewer { user { email } } }")).status_code == 200


async def test_another_process_turns_users_away_once_it_has_read_the_settings(
    server: Server, application: Application
) -> None:
    admin = (await server.log_in("admin@example.com"))["accessToken"]
    assert (await server.ask(TURN, admin, enabled=True)).status_code == 200
    assert (await server.ask("{ viewer { user { email } } }")).status_code == 200
    await server.system.cache.refresh()
    assert (await server.ask("{ viewer { user { email } } }")).status_code == 503


@contextlib.asynccontextmanager
async def working(application: Application, clock: FixedClock) -> AsyncIterator[JobRunner]:
    """A worker, whose process has read the settings."""
    maintenance = application.services[SystemServices].cache.maintenance
    jobs = jobs_of(DOMAINS, application.services)
    runner = JobRunner(application.database, clock, jobs, [], maintenance)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await task


async def test_a_mail_that_was_requested_before_is_sent_afterwards_once(
    server: Server, application: Application, owner: Owner, clock: FixedClock
) -> None:
    mailer = application.mailer
    assert isinstance(mailer, FolderMailer)
    admin = (await server.log_in("admin@example.com"))["accessToken"]
    asked = await server.ask('mutation { requestPasswordReset(input: {email: "alice@example.com"}) { __typename } }')
    assert "errors" not in asked.json()
    await server.turn(admin, enabled=True)
    async with working(application, clock) as worker:
        # An admin enqueues another meanwhile.
        asked = await server.ask(
            'mutation { requestPasswordReset(input: {email: "admin@example.com"}) { __typename } }', admin
        )
        assert "errors" not in asked.json()
        assert await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE status = 'queued'") == 2
        assert worker._runs == set()
        assert await mailer.recent() == []
        await server.turn(admin, enabled=False)
        await until(lambda: _sent(mailer))
    assert sorted(each.message.to for each in await mailer.recent()) == ["admin@example.com", "alice@example.com"]
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def _sent(mailer: FolderMailer) -> bool:
    return len(await mailer.recent()) == 2


@pytest.mark.parametrize("email", ["alice@example.com", None])
async def test_only_admins_turn_it_on(server: Server, email: str | None) -> None:
    token = None if email is None else (await server.log_in(email))["accessToken"]
    response = await server.ask(TURN, token, enabled=True)
    code = response.json()["errors"][0]["extensions"]["code"]
    assert code == ("UNAUTHENTICATED" if email is None else "FORBIDDEN")
    await server.system.cache.refresh()
    assert not server.system.cache.maintenance.is_on
