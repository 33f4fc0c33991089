"""Real servers for every test: one Postgres and one Valkey a worker, one template database, a clone for each test.

Servers are not durable and live in memory, or where there is no room in the folder that pytest clears away. A database
is cloned from the migrated template in some 20 ms and dropped after its test; Valkey is flushed.
"""

import asyncio
import base64
import contextlib
import inspect
import logging
from collections.abc import AsyncIterator, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import msgspec
import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from redis.asyncio import Redis

from app import main
from app.dev import embedded
from app.dev.embedded import Embedded
from app.domains.accounts.model import Viewer
from app.domains.market.analysis.model.phases import BUDGETS_S
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.execution.failures import refuse
from app.engine.execution.operations import Response
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.house import Services
from app.kit.hub import Hub
from app.kit.mail import FolderMailer
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.redis_client import open_redis
from app.main import DOMAINS, Application, build_graph, build_runtime, build_wiring
from app.settings import Settings
from app.transport.calls import charged, refusal_of
from app.transport.runtime import AppRuntime, Caller
from tests.collector import pytest_collection_finish  # noqa: F401  # a hook
from tests.databases import (
    NOON,
    PRESENT,
    TEMPLATE,
    Owner,
    Template,
    in_database,
    make_template,
    new_database,
    next_number,
)
from tests.distribution import pytest_xdist_make_scheduler  # noqa: F401  # a hook
from tests.factories import CLIENT, cheap_passwords
from tests.keys import KEYS
from tests.memory import folder_in_memory
from tests.plan_failures import _no_plan_fails  # noqa: F401  # a fixture of every test
from tests.sizes import overfull
from tests.waiting import HANG_S, alarmed, guarded, take_seen

APP_ROLE = "moneta_app"
# Enough for the tests that let many meet; a pool opens only two until then.
POOL_SIZE = 16

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
# A deadline would measure how busy the machine is, not whether a rule holds.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")

DURATION = "seconds seen: "
PATIENT = (
    "app.domains.market.analysis.services.analyses.PATIENCE_S",
    "app.domains.market.analysis.services.media.SOCIAL_S",
    "app.domains.market.analysis.services.research.OTHERS_S",
    "app.kit.event_history.REDIS_PATIENCE_S",
    "app.kit.shared_cache.PATIENCE_S",
    "app.kit.sandbox._PATIENCE",
    "app.kit.hub.READING_PATIENCE_S",
    "app.kit.leadership.ANSWER_S",
    "app.kit.quotas.PATIENCE_S",
    "app.kit.ratelimit.PATIENCE_S",
    "app.transport.application.REFRESH_PATIENCE_S",
    "app.transport.callers.AUTHENTICATION_S",
    "app.transport.health.PATIENCE_S",
    "app.transport.messages.BODY_PATIENCE_S",
    "app.transport.sockets.endpoint.MUTATION_S",
)
"""What the product waits for before it goes on without. On a busy machine it would in tests of something else."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """No test hangs for ever."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.obj = guarded(item.obj)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """The durations that a test noted go with its report, out of whatever process it ran in."""
    take_seen()
    is_async = isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj)
    try:
        with contextlib.nullcontext() if is_async else alarmed():
            yield
    finally:
        item.user_properties += [(DURATION + what, seconds) for what, seconds in take_seen()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the durations: they are for the reader, not for an assertion."""
    noted = sorted(
        (name.removeprefix(DURATION), seconds)
        for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed"))
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, seconds in report.user_properties
        if name.startswith(DURATION) and isinstance(seconds, float)
    )
    if noted:
        terminalreporter.section("durations seen")
        for what, seconds in noted:
            terminalreporter.write_line(f"{seconds:8.2f} s  {what}")


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """Tests of a time-out make it short."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PATIENT:
            patch.setattr(name, HANG_S)
        phases = "app.domains.market.analysis.services.phases.BUDGETS_S"
        patch.setattr(phases, dict.fromkeys(BUDGETS_S, HANG_S))
        yield


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """What takes long to make, and no test changes: the keys of users, and the graph."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.domains.ledger.services.wallets.generate_rsa_key", KEYS.next)
        composed, houses = cache(build_graph), main.HOUSES
        # A test may add a house.
        patch.setattr(main, "build_graph", lambda: composed() if main.HOUSES is houses else build_graph())
        yield


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where databases of this worker are quick."""
    with folder_in_memory() as folder:
        yield folder or tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def servers(quick_folder: Path) -> Iterator[Embedded]:
    """Postgres and Valkey of this worker."""
    home = quick_folder / "home"
    with Embedded.start(home, durable=False) as running:
        yield running
    embedded.discard(home)


@pytest.fixture(scope="session")
def template_url(servers: Embedded) -> str:
    """The owner's URL of the migrated template. Nobody may stay connected to it."""
    asyncio.run(make_template(servers.database_url))
    return in_database(servers.database_url, TEMPLATE)


@pytest_asyncio.fixture(scope="session")
async def administrator(servers: Embedded) -> AsyncIterator[Owner]:
    """The owner's connection that makes and drops databases."""
    connection = await asyncpg.connect(servers.database_url)
    yield connection
    await connection.close()


@pytest.fixture
def template() -> Template:
    """What databases of tests are copies of: an empty one, or what a folder has made of it."""
    return Template()


@pytest_asyncio.fixture
async def database_url(template_url: str, administrator: Owner, template: Template) -> AsyncIterator[str]:
    """The owner's URL of a database of this test's own."""
    async with new_database(template_url, administrator, template) as url:
        yield url


@pytest_asyncio.fixture
async def empty_database_url(servers: Embedded, administrator: Owner) -> AsyncIterator[str]:
    """The owner's URL of a database that holds nothing, for tests of the migrations."""
    name = f"moneta_empty_{next_number()}"
    await administrator.execute(f"CREATE DATABASE {name}")
    yield in_database(servers.database_url, name)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pool_size() -> int:
    """Connections of the application's pool."""
    return POOL_SIZE


@pytest_asyncio.fixture
async def database(database_url: str, pool_size: int) -> AsyncIterator[Database]:
    """The application's pool on this test's database."""
    pool = await Database.open(database_url, role=APP_ROLE, size=pool_size, timeout_s=HANG_S, name="moneta-test")
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def warm(database: Database) -> None:
    """All connections of the pool are open, for races: those that open one by one come in turn, and never meet."""
    async with contextlib.AsyncExitStack() as opened:
        for _ in range(database.pool.get_max_size()):
            await opened.enter_async_context(database.pool.acquire())


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Owner]:
    """A connection as the owner, whom row-level security does not bind."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def honest_database(owner: Owner) -> None:
    """The database's clock bounds what is stored, as it does outside of tests."""
    await owner.execute(PRESENT.format("clock_timestamp()"))


@pytest_asyncio.fixture
async def redis(servers: Embedded) -> AsyncIterator[Redis]:
    """A client of the empty Valkey."""
    client = await open_redis(servers.redis_url, timeout_s=HANG_S)
    await client.flushall()
    yield client
    try:
        # Whatever Moneta writes there ends by itself: nobody ever tidies up.
        lasting = [key async for key in client.scan_iter("moneta:*") if await client.ttl(key) == -1]
        assert lasting == []
    finally:
        await client.aclose()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon of 21 November 2026."""
    return FixedClock(NOON)


class Execute(Protocol):
    """Runs one operation as the server would, without a transport."""

    async def __call__(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        viewer: Viewer | None = None,
        *,
        operation_name: str | None = None,
        tenancy: Tenancy | None = None,
    ) -> Response:
        """The response, whatever it holds; also that to a request which is refused before it runs."""
        ...


def settings_for_tests(home: Path) -> Settings:
    """Secrets that every test shares, so that one can open what another sealed. Rewards mature after one block."""
    return Settings(
        home=home,
        secret_key=SecretStr("s" * 48),
        key_encryption_keys=SecretStr(f"test:{base64.b64encode(bytes(32)).decode()}"),
        public_url="https://moneta.test",
        coinbase_maturity=1,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a development server whose home is the test's own folder."""
    return settings_for_tests(tmp_path)


@pytest_asyncio.fixture
async def application(
    settings: Settings, database: Database, redis: Redis, clock: FixedClock
) -> AsyncIterator[Application]:
    """Wired as the server wires itself, but with cheap passwords and mail in a folder."""
    passwords, events = cheap_passwords(), EventLog(database, redis)
    mailer = FolderMailer(settings.home / "outbox", clock)
    wiring = build_wiring(settings, database, redis, clock, events, mailer, passwords)
    yield Application(settings, database, redis, clock, events, mailer, wiring)
    for house in reversed(DOMAINS):
        await house.stop(wiring.services[house.services])
    passwords.close()


@pytest.fixture
def services(application: Application) -> Services:
    """The services of every house."""
    return application.services


@pytest.fixture
def runtime(application: Application) -> AppRuntime:
    """The whole graph. Nothing moves events: a subscription would hear nothing."""
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    runtime.engine.limits = msgspec.structs.replace(runtime.engine.limits, timeout_s=HANG_S)
    return runtime


@pytest.fixture
def execute(runtime: AppRuntime) -> Execute:
    """Runs operations on the whole graph. Whatever is answered may have no more items than it was charged for."""

    async def run(
        query: str,
        variables: dict[str, Any] | None = None,
        viewer: Viewer | None = None,
        *,
        operation_name: str | None = None,
        tenancy: Tenancy | None = None,
    ) -> Response:
        prepared = runtime.engine.prepare(query, operation_name, variables, introspection_allowed=True)
        if isinstance(prepared, list):
            return Response.refused(prepared, "test")
        caller = Caller(viewer=viewer, client=CLIENT, request_id="test", from_browser=False, tenancy=tenancy)
        caller = await charged(caller, runtime)
        if (refusal := refusal_of(caller, prepared)) is not None:
            return Response.refused([refuse(refusal)], "test")
        response = await runtime.engine.execute(prepared, runtime.new_context(caller))
        assert overfull(runtime.engine.schema, runtime.engine.limits, prepared, response.data) == []
        return response

    return run
