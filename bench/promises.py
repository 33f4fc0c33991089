"""How soon a socket is closed when its session ends, and when its peer is gone."""

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from rich.progress import Progress
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client, Role
from app.domains.accounts.services import AccountsServices
from app.kit.db import SYSTEM
from app.kit.relay import Relay
from app.main import Application, open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report
from bench.servers import HOME, Target, moneta

REVOKED_TARGET_S: Final = 1.0
GONE_TARGET_S: Final = 15.0
_PROTOCOL: Final = "graphql-transport-ws"
_TIMES: Final = 20
"""In each round."""
_INSERT_USER: Final = """
INSERT INTO users (id, email, password_hash, full_name, is_verified) VALUES ($1, $2, 'x', 'Somebody', true)
"""


async def measure(servers: Embedded, rounds: int, progress: Progress) -> Report:
    """A server process, its relay in ours, and clients beside them."""
    database_url = await fresh_database(servers.database_url, "bench_promises")
    settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
    load = wait_for_quiet()
    with moneta(database_url, servers.redis_url, {}) as target:
        async with _application(settings) as application:
            user_id = await _user(database_url)
            task = progress.add_task("Ends of sessions", total=rounds * _TIMES)
            revoked_s = []
            for _ in range(rounds * _TIMES):
                revoked_s.append(await _revoked(application, target, user_id))
                progress.advance(task)
        task = progress.add_task("Peers that answer nothing", total=rounds)
        gone_s = []
        for _ in range(rounds):
            gone_s.append(await _gone(target))
            progress.advance(task)
    found = [
        ("A session is ended until its socket is closed", revoked_s, REVOKED_TARGET_S),
        ("A peer answers nothing until it is let go", gone_s, GONE_TARGET_S),
    ]
    return Report(
        name="promises",
        title="Sockets of those who are gone",
        unit="seconds",
        other_load=[load],
        conditions=["One server process; the relay runs in the client's process.", "A socket is pinged every 6.5 s."],
        columns=["from", "times", "median s", "longest s", "promised s"],
        rows=[
            [what, str(len(took)), f"{median(took):.3f}", f"{max(took):.3f}", f"{promised:g}"]
            for what, took, promised in found
        ],
        bars=[Bar(what, "Moneta", median(took), min(took), max(took)) for what, took, _ in found],
        raw={what: took for what, took, _ in found},
    )


@asynccontextmanager
async def _application(settings: Settings) -> AsyncIterator[Application]:
    async with open_application(settings) as application:
        relaying = asyncio.create_task(Relay(application.database, application.redis).run())
        try:
            yield application
        finally:
            relaying.cancel()
            await asyncio.wait([relaying])


async def _user(database_url: str) -> UUID:
    owner = await asyncpg.connect(database_url)
    try:
        user_id = uuid4()
        await owner.execute(_INSERT_USER, user_id, f"{user_id}@example.com")
    finally:
        await owner.close()
    return user_id


async def _revoked(application: Application, target: Target, user_id: UUID) -> float:
    sessions, client = application.services[AccountsServices].sessions, Client("127.0.0.1")
    opened = await application.database.write(
        SYSTEM, lambda tx: sessions.open(tx, user_id, Role.USER, is_verified=True, client=client)
    )
    url = f"ws://127.0.0.1:{target.port}/graphql"
    async with connect(url, subprotocols=[Subprotocol(_PROTOCOL)], proxy=None) as socket:
        payload = {"authorization": f"Bearer {opened.tokens.access_token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        await socket.recv()
        began = time.perf_counter()
        await sessions.revoke(opened.viewer, opened.viewer.session_id)
        await socket.wait_closed()
        return time.perf_counter() - began


async def _gone(target: Target) -> float:
    """Completes the handshake, and then sends nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /graphql HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {_PROTOCOL}", "", ""]
    writer.write("\r\n".join(lines).encode())
    await reader.readuntil(b"\r\n\r\n")
    init = _masked(json.dumps({"type": "connection_init"}).encode())
    writer.write(init)
    began = time.perf_counter()
    while await reader.read(4096):
        pass
    writer.close()
    return time.perf_counter() - began


def _masked(text: bytes) -> bytes:
    mask = os.urandom(4)
    return bytes((0x81, 0x80 | len(text))) + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(text))
