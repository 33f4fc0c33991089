"""A whole deployment: Postgres, Valkey, an API and a worker, each of which can be killed and restarted."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from app.domains.ledger.loaders import wallet_by_user
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.streams import CHAIN_STREAM
from app.engine.declarations.stream_cursors import stream_cursor
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC
from app.kit.migrate import migrate
from app.kit.reads import Reads
from app.main import Application, open_application
from app.settings import Settings
from tests.databases import Owner
from tests.domains.ledger.scene import Person, Scene
from tests.factories import register_session
from tests.streams.processes import Process
from tests.streams.servers import Servers, lasting_port
from tests.waiting import HANG_S

NAMES = ("alice", "bob", "carol")
BLOCKS = 5


@dataclass(frozen=True)
class ApiUser(Person):
    """A user with a session and its access token."""

    name: str = ""
    token: str = ""

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass
class Deployment:
    """The processes, and what a test needs to kill them and to read from them."""

    home: Path
    servers: Servers
    settings: Settings
    application: Application
    http: httpx.AsyncClient
    people: list[ApiUser] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """Some that exist: what their events carry."""
    api: Process = field(init=False)
    worker: Process = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings, for a process."""
        settings = self.settings
        assert settings.secret_key is not None
        assert settings.key_encryption_keys is not None
        return {
            "MONETA_HOME": str(self.home),
            "MONETA_PORT": str(settings.port),
            "MONETA_DATABASE_URL": self.servers.database_url,
            "MONETA_REDIS_URL": self.servers.redis_url,
            "MONETA_SECRET_KEY": settings.secret_key.get_secret_value(),
            "MONETA_KEY_ENCRYPTION_KEYS": settings.key_encryption_keys.get_secret_value(),
            "MONETA_ACCESS_TOKEN_TTL_S": str(settings.access_token_ttl_s),
            "MONETA_SOCKET_ADDRESS_LIMIT": "5000",
            "MONETA_SOCKET_ADDRESS_ACCEPT_RATE": "2000",
            "MONETA_SOCKET_VIEWER_LIMIT": "100",
            "MONETA_COINBASE_MATURITY": str(settings.coinbase_maturity),
            # No client is disconnected for being slow: the machine may be.
            "MONETA_QUERY_TIMEOUT_S": str(HANG_S),
            "MONETA_SOCKET_INIT_TIMEOUT_S": str(HANG_S),
            "MONETA_SOCKET_DRAIN_S": str(HANG_S),
            "MONETA_SOCKET_PING_S": str(HANG_S),
        }

    def spawn(self, verb: str) -> Process:
        """A process with our settings; it may not be ready yet."""
        return Process(verb, self.home, self.environment)

    async def start_api(self) -> None:
        self.api = self.spawn("serve")
        await self.api.answers(self.url)

    async def start_worker(self) -> None:
        self.worker = self.spawn("work")
        await self.worker.says("relay.active")

    async def top(self) -> int:
        """The newest `seq` of the stream of blocks."""
        return (await self.application.events.positions([CHAIN_STREAM])).seqs[CHAIN_STREAM]

    async def cursor(self, seq: int, stream: str = CHAIN_STREAM) -> str:
        """Of the event `seq`, in the present epoch."""
        return stream_cursor((await self.application.events.positions([])).epoch, stream, seq)

    async def metrics(self) -> dict[str, float]:
        """What /metrics shows."""
        text = (await self.http.get(f"{self.url}/metrics")).text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Owner]:
        """A connection that row-level security does not bind."""
        connection = await asyncpg.connect(self.servers.database_url)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def scene(self) -> AsyncIterator[Scene]:
        """The chain, to pay and mine on."""
        async with self.owner() as owner:
            clock = self.application.clock
            assert isinstance(clock, FixedClock)
            yield Scene(self.application.database, owner, clock, self.application.services[LedgerServices])

    async def populate(self) -> None:
        """People with sessions, and a chain."""
        for name in NAMES:
            session = await register_session(self.application.services, f"{name}@example.com")
            wallet = await Reads(self.application.database, PUBLIC).one(wallet_by_user, session.viewer.user_id)
            assert wallet is not None
            token = session.tokens.access_token
            self.people.append(ApiUser(session.viewer, wallet.wallet_id, None, name, token))
        async with self.scene() as scene:
            for number in range(BLOCKS):
                block = await scene.mine(self.people[number % len(self.people)])
                self.blocks.append({"height": block.height, "hash": block.block_hash})


@asynccontextmanager
async def running_deployment(home: Path, servers: Servers) -> AsyncIterator[Deployment]:
    """All of it, ready."""
    settings = Settings(
        home=home,
        port=lasting_port(),
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        database_pool_size=60,
        secret_key=SecretStr("s" * 48),
        key_encryption_keys=SecretStr(f"test:{base64.b64encode(bytes(32)).decode()}"),
        access_token_ttl_s=4 * 3600,
        coinbase_maturity=1,
    )
    await migrate(servers.database_url)
    # Blocks are mined ten seconds apart, and may not be of the future.
    clock = FixedClock(datetime.now(UTC) - timedelta(hours=1))
    async with AsyncExitStack() as stack:
        application = await stack.enter_async_context(open_application(settings, clock=clock))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=HANG_S))
        deployment = Deployment(home, servers, settings, application, http)
        await deployment.populate()
        try:
            await asyncio.gather(deployment.start_api(), deployment.start_worker())
            yield deployment
            await asyncio.gather(deployment.api.stop(), deployment.worker.stop())
        finally:
            for process in (deployment.api, deployment.worker):
                process.kill()
