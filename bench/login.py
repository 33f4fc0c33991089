"""How long other requests wait while many users log in at once, on two cores."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from statistics import median, quantiles
from typing import Final

import asyncpg
import httpx
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.kit.crypto.passwords import Passwords
from bench.data import fresh_database
from bench.machine import CORES, ROOT, pin, wait_for_quiet
from bench.report import Bar, Report
from bench.servers import moneta

LOGINS: Final = 200
TARGET_MS: Final = 50.0
LOOK_EVERY_S: Final = 0.01
PASSWORD: Final = "correct-horse-battery"

MUTATION: Final = """mutation Login($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { __typename } }"""
_USERS: Final = """INSERT INTO users (email, password_hash, full_name, is_verified)
SELECT 'login' || n || '@example.com', $2, 'Login ' || n, true FROM generate_series(1, $1) AS n"""


class Burst(msgspec.Struct, frozen=True):
    """What one burst of log-ins did."""

    outcomes: list[str]
    seconds: float
    health_ms: list[float]
    other_load: float

    @property
    def p99_ms(self) -> float:
        """Of the requests to /health/live while the log-ins were under way."""
        return quantiles(self.health_ms, n=100)[98]


def measure(servers: Embedded, rounds: int, progress: Progress) -> Report:
    """Lets all users log in at the same moment, and requests /health/live meanwhile."""
    database_url = asyncio.run(fresh_database(servers.database_url, "bench_login"))
    asyncio.run(_make_users(database_url))
    bursts = []
    task = progress.add_task("Measuring log-ins", total=rounds)
    for _ in range(rounds):
        with moneta(database_url, servers.redis_url, {}) as target:
            # The server has all cores here: how they are shared is what is measured.
            pin(target.pid, CORES)
            other_load = wait_for_quiet()
            bursts.append(asyncio.run(_burst(target.port, other_load)))
            progress.advance(task)
    return _report(bursts)


async def _make_users(database_url: str) -> None:
    passwords = Passwords()
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(_USERS, LOGINS, password_hash)
    finally:
        await owner.close()


async def _burst(port: int, other_load: float) -> Burst:
    # The log-ins come from a process of their own, or its work would be measured along.
    clients = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.login", str(port), stdout=PIPE, cwd=ROOT
    )
    health: list[float] = []
    looking = asyncio.create_task(_look(port, health))
    output, _ = await clients.communicate()
    looking.cancel()
    outcomes, seconds = msgspec.json.decode(output, type=tuple[list[str], float])
    return Burst(outcomes, seconds, health, other_load)


async def _log_everybody_in(port: int) -> tuple[list[str], float]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60.0, limits=limits) as client:
        began = time.perf_counter()
        outcomes = await asyncio.gather(*(_login(client, number) for number in range(1, LOGINS + 1)))
        return outcomes, time.perf_counter() - began


async def _look(port: int, health: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            began = time.perf_counter()
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            health.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        writer.close()


async def _login(client: httpx.AsyncClient, number: int) -> str:
    variables = {"email": f"login{number}@example.com", "password": PASSWORD}
    answer = (await client.post("/graphql", json={"query": MUTATION, "variables": variables})).json()
    if answer.get("errors"):
        return str(answer["errors"][0]["extensions"]["code"])
    return str(answer["data"]["login"]["__typename"])


def _report(bursts: list[Burst]) -> Report:
    worst = [burst.p99_ms for burst in bursts]
    rates = [burst.outcomes.count("LoginPayload") / burst.seconds for burst in bursts]
    return Report(
        name="login",
        title="Waiting for the event loop while everybody logs in",
        unit="p99 of /health/live, ms, median and range",
        target=TARGET_MS,
        other_load=[burst.other_load for burst in bursts],
        conditions=[
            f"Target: p99 under {TARGET_MS:g} ms on 2 cores.",
            f"{LOGINS} users log in at the same moment over connections of their own, each password checked with "
            "Argon2id at the production's cost; every 10 ms somebody else asks /health/live. Median of "
            f"{len(bursts)} bursts. The server, Postgres, Valkey and the client share {os.cpu_count()} cores.",
            f"Answers: {dict(Counter(outcome for burst in bursts for outcome in burst.outcomes))}.",
        ],
        columns=["", "p50", "p99", "worst", "log-ins"],
        rows=[
            [
                "/health/live",
                f"{median(median(burst.health_ms) for burst in bursts):.1f} ms",
                f"{median(worst):.1f} ms ({min(worst):.1f}-{max(worst):.1f})",
                f"{max(max(burst.health_ms) for burst in bursts):.1f} ms",
                f"{median(rates):.0f}/s",
            ]
        ],
        bars=[Bar("log-in", "Moneta", median(worst), min(worst), max(worst))],
        raw=bursts,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_log_everybody_in(int(sys.argv[1])))))
