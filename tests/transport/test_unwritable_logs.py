"""A log that cannot be written changes no answer: a full disk, a dead reader, one that has stopped, none at all."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.dev.embedded import Embedded
from app.domains.accounts.model import SessionTokens
from app.domains.ledger.loaders import wallet_by_user
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC
from app.kit.reads import Reads
from app.main import Application
from app.settings import Settings
from tests.databases import Owner
from tests.factories import open_session, register_session
from tests.streams.servers import lasting_port
from tests.waiting import HANG_S, until

ROOT = Path(__file__).resolve().parents[2]
TRANSFERS = 34
TRANSFER = """
mutation($to: Hash!, $key: String!) {
  transfer(input: {recipientWalletId: $to, amount: "1", memo: "lunch", idempotencyKey: $key}) {
    __typename ... on TransferPayload { transaction { hash } } ... on Problem { message }
  }
}
"""
BLOCKS = "{ blocks(first: 20) { nodes { hash height transactions(first: 5) { nodes { hash memo } } } } }"


@pytest.fixture
def clock() -> FixedClock:
    """An hour ago: blocks are mined ten seconds apart, up to now."""
    return FixedClock(datetime.now(UTC) - timedelta(hours=1))


@contextlib.contextmanager
def full_disk() -> Iterator[int]:
    with Path("/dev/full").open("wb") as disk:
        yield disk.fileno()


@contextlib.contextmanager
def dead_reader() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextlib.contextmanager
def reader_that_has_stopped() -> Iterator[int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(512))
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@contextlib.contextmanager
def none_at_all() -> Iterator[None]:
    yield None


class Town:
    """Two people, a chain, and processes that serve them."""

    def __init__(self, application: Application, settings: Settings, servers: Embedded, database_url: str) -> None:
        self.application = application
        self.url = f"http://127.0.0.1:{settings.port}"
        self.environment = {
            **os.environ,
            "MONETA_HOME": str(settings.home),
            "MONETA_PORT": str(settings.port),
            "MONETA_DATABASE_URL": database_url,
            "MONETA_REDIS_URL": servers.redis_url,
            "MONETA_LOG_LEVEL": "debug",
        }
        for name in ("secret_key", "key_encryption_keys"):
            self.environment[f"MONETA_{name.upper()}"] = getattr(settings, name).get_secret_value()
        self.tokens: SessionTokens
        self.wallets: dict[str, str] = {}

    async def settle(self, clock: FixedClock) -> None:
        services = self.application.services
        for name in ("bob", "alice"):
            session = await register_session(services, f"{name}@example.com")
            wallet = await Reads(self.application.database, PUBLIC).one(wallet_by_user, session.viewer.user_id)
            assert wallet is not None
            self.wallets[name], alices = wallet.wallet_id, session.viewer
        chain, alice = services[LedgerServices].chain, self.wallets["alice"]
        await chain.ensure_genesis(alice)
        for _ in range(TRANSFERS + 2):
            clock.advance(timedelta(seconds=10))
            await chain.connect(await solved((await chain.template(alice)).block), alice)
        clock.advance(datetime.now(UTC) - clock.now())
        self.tokens = (await open_session(services, alices.user_id)).tokens

    @contextlib.contextmanager
    def process(self, verb: str, stderr: int | None) -> Iterator["subprocess.Popen[bytes]"]:
        started = subprocess.Popen(
            [sys.executable, "-m", "app", verb],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if stderr is None else stderr,
            preexec_fn=(lambda: os.close(2)) if stderr is None else None,  # noqa: PLW1509  # one system call
        )
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(HANG_S)
            finally:
                started.kill()


STREAMS = [full_disk, dead_reader, reader_that_has_stopped, none_at_all]


@pytest.fixture
def town(application: Application, settings: Settings, servers: Embedded, database_url: str) -> Town:
    return Town(application, settings.model_copy(update={"port": lasting_port()}), servers, database_url)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
async def test_every_answer_and_every_row_is_right(town: Town, owner: Owner, clock: FixedClock, stream: Any) -> None:
    await town.settle(clock)
    with stream() as stderr, town.process("serve", stderr) as server:
        async with httpx.AsyncClient(
            base_url=town.url, trust_env=False, timeout=HANG_S, limits=httpx.Limits(max_connections=1)
        ) as client:

            async def ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await client.get("/health/ready")).status_code == 200
                return False

            await until(lambda: server.poll() is not None or ready())
            assert server.poll() is None

            async def ask(query: str, **variables: str) -> httpx.Response:
                headers = {"authorization": f"Bearer {town.tokens.access_token}"}
                return await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

            keys = [str(uuid4()) for _ in range(TRANSFERS)]
            paid = await asyncio.gather(*(ask(TRANSFER, to=town.wallets["bob"], key=key) for key in keys))
            assert [answer.status_code for answer in paid] == [200] * TRANSFERS
            hashes = {answer.json()["data"]["transfer"]["transaction"]["hash"] for answer in paid}
            # Again under the same keys: the same payments.
            again = await asyncio.gather(*(ask(TRANSFER, to=town.wallets["bob"], key=key) for key in keys))
            assert {answer.json()["data"]["transfer"]["transaction"]["hash"] for answer in again} == hashes
            # What is refused, and logged, is answered as well; a reply of many kilobytes is not cut.
            assert (await client.get("/nowhere%ed%a0%80%ff")).status_code == 404
            json = {"content-type": "application/json"}
            assert (await client.post("/graphql", content=b"\xff", headers=json)).status_code == 400
            long = await ask(BLOCKS)
            assert len(long.json()["data"]["blocks"]["nodes"]) == 20
            assert server.poll() is None
    stored = await owner.fetch("SELECT transaction_hash FROM transactions WHERE status = 'pending'")
    assert {row[0] for row in stored} == hashes
    assert len(hashes) == TRANSFERS
    assert server.returncode == 0


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
async def test_a_worker_works_on(town: Town, owner: Owner, clock: FixedClock, stream: Any) -> None:
    await town.settle(clock)
    assert await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL") > TRANSFERS
    with stream() as stderr, town.process("work", stderr) as worker:

        async def done() -> bool:
            left = await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL")
            ran = await owner.fetchval("SELECT count(*) FROM job_runs WHERE succeeded")
            ticked = await owner.fetchval("SELECT count(*) FROM market_data")
            return bool(left == 0 and ran >= 2 and ticked > 0)

        await until(done)
        assert worker.poll() is None
    assert worker.returncode == 0
