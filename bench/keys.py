"""What it takes to know who calls: nobody, a user by a token, a program by an API key."""

import asyncio
import time
from statistics import median
from typing import Any, Final

import asyncpg
import httpx
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client
from app.identities import Identities
from app.kit.crypto.passwords import Passwords
from app.main import open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report
from bench.servers import HOME, moneta

EMAIL: Final = "keys@example.com"
PASSWORD: Final = "correct-horse-battery"
REQUESTS: Final = 2000
TARGET_MS: Final = 0.3
KNOWN: Final = "who bears a key"
COUNTED: Final = "counting its call"

_LOGIN: Final = """mutation ($input: LoginInput!) { login(input: $input) { ... on LoginPayload { accessToken } } }"""
_TENANT: Final = """mutation { createTenant(input: {slug: "keys", name: "Keys", email: "keys@example.com",
    idempotencyKey: "tenant"}) { __typename } }"""
_KEY: Final = """mutation { createApiKey(input: {name: "Bench", idempotencyKey: "key"}) {
    ... on CreateApiKeyPayload { secret } } }"""
_QUERY: Final = b'{"query":"{ serverInfo { version } }"}'


class Round(msgspec.Struct, frozen=True):
    """The times of requests of each kind, in turns, and their medians; and those of the two parts of what a key adds,
    called in this process.
    """

    median_ms: dict[str, float]
    parts_ms: dict[str, float]
    other_load: float


def measure(servers: Embedded, rounds: int, requests: int, progress: Progress) -> Report:
    """Sends requests of all kinds in turns over one connection, one at a time."""
    database_url = asyncio.run(fresh_database(servers.database_url, "bench_keys"))
    found = []
    task = progress.add_task("Measuring API keys", total=rounds)
    asyncio.run(_make_user(database_url))
    with moneta(database_url, servers.redis_url, {}) as target:
        credentials = asyncio.run(_credentials(target.port, database_url))
        for _ in range(rounds):
            other_load = wait_for_quiet()
            times = asyncio.run(_times(target.port, credentials, requests))
            settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
            parts = asyncio.run(_parts(settings, credentials["API key"].removeprefix("Bearer "), requests))
            medians = {kind: median(each) for kind, each in times.items()}
            found.append(Round(medians, {part: median(each) for part, each in parts.items()}, other_load))
            progress.advance(task)
    return _report(found, requests)


async def _make_user(database_url: str) -> None:
    passwords = Passwords()
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO users (email, password_hash, full_name, is_verified) VALUES ($1, $2, 'Keys', true)",
        EMAIL,
        password_hash,
    )
    await owner.close()


async def _credentials(port: int, database_url: str) -> dict[str, str]:
    """What each kind of caller sends; of the key nothing is limited."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        async def ask(query: str, variables: Any = None, **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=named)
            return answer.json()["data"]

        given = {"input": {"email": EMAIL, "password": PASSWORD}}
        bearer = f"Bearer {(await ask(_LOGIN, given))['login']['accessToken']}"
        await ask(_TENANT, authorization=bearer)
        made = await ask(_KEY, authorization=bearer, x_moneta_tenant="keys")
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE tenants SET plan_type = 'enterprise', max_api_calls_per_month = 2000000000")
    await owner.execute(
        "UPDATE api_keys SET rate_limit_per_minute = $1, rate_limit_per_hour = $1, rate_limit_per_day = $1", 1_000_000
    )
    await owner.close()
    return {"nobody": "", "user": bearer, "API key": f"Bearer {made['createApiKey']['secret']}"}


async def _times(port: int, credentials: dict[str, str], requests: int) -> dict[str, list[float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: dict[str, list[float]] = {kind: [] for kind in credentials}
    messages = {kind: _message(value) for kind, value in credentials.items()}
    for number in range(requests + requests // 10):
        for kind, message in messages.items():
            began = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(int(length.partition(b":")[2]))
            if number >= requests // 10:
                times[kind].append(1000 * (time.perf_counter() - began))
            if b'"version"' not in body:
                raise RuntimeError(f"{kind}: {head.decode()}{body.decode()}")
    writer.close()
    return times


async def _parts(settings: Settings, key: str, requests: int) -> dict[str, list[float]]:
    """The times of finding out who bears a key, which is known but for the first time and once in a while, and of
    counting its call in Redis.
    """
    times: dict[str, list[float]] = {KNOWN: [], COUNTED: []}
    client = Client(ip="127.0.0.1")
    async with open_application(settings) as application:
        identities = Identities.of(application.services)
        for number in range(requests + requests // 10):
            began = time.perf_counter()
            acting = await identities.acting_by_key(key, client)
            found = time.perf_counter()
            if acting is None or acting.key is None:
                raise RuntimeError("the key is not good")
            await identities.charge(acting, acting.key)
            if number >= requests // 10:
                times[KNOWN].append(1000 * (found - began))
                times[COUNTED].append(1000 * (time.perf_counter() - found))
    return times


def _message(authorization: str) -> bytes:
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(_QUERY)}\r\n"
    if authorization:
        head += f"authorization: {authorization}\r\n"
    return f"{head}\r\n".encode() + _QUERY


def _report(found: list[Round], requests: int) -> Report:
    rows, bars = [], []
    for kind in found[0].median_ms:
        added = [each.median_ms[kind] - each.median_ms["nobody"] for each in found]
        times = [each.median_ms[kind] for each in found]
        rows.append([kind, f"{median(times):.2f} ms", f"{median(added):+.2f} ms"])
        bars.append(Bar(kind, "Moneta", median(times), min(times), max(times)))
    for part in found[0].parts_ms:
        times = [each.parts_ms[part] for each in found]
        rows.append([part, f"{median(times):.2f} ms", ""])
        bars.append(Bar(part, "Moneta", median(times), min(times), max(times)))
    return Report(
        name="keys",
        title="Who calls, by what they send",
        unit="median of a request, ms",
        other_load=[each.other_load for each in found],
        conditions=[
            f"Target: to find out who bears an API key takes less than {TARGET_MS:g} ms. To count its call exactly"
            " takes a round trip to Redis besides: it is measured by itself.",
            f"{requests} requests of each kind, in turns, one at a time over a connection: `serverInfo {{ version }}`."
            " A key's request is looked up unless it was just before, compared, and counted in Redis. The parts are"
            " called in the process of the benchmark, one after the other, without HTTP.",
        ],
        columns=["", "p50", "more than for nobody"],
        rows=rows,
        bars=bars,
        raw=found,
    )
