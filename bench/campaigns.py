"""Joins through an API key, points for many of one project, and a leaderboard and a funnel of a million."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, islice, repeat
from statistics import median
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.dev.processes import Log, spawn, stop
from app.domains.campaigns.analytics import loaders as analytics_loaders
from app.domains.campaigns.analytics.model import Interval
from app.domains.campaigns.analytics.services.statistics import span
from app.domains.campaigns.leaderboards import loaders
from app.engine.declarations.nodes import global_id
from app.kit.db import PUBLIC, Scope
from app.kit.lists import Page, PageRequest, Position, page_request
from app.kit.reads import Reads
from app.main import open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.keys import credentials_of, make_user
from bench.load import Plan, request_bytes
from bench.machine import QUIET_PATIENCE_S, ROOT
from bench.report import Bar, Report
from bench.servers import HOME, WORK, Run, Target, moneta, put_load

PROJECTS: Final = 20
PEOPLE: Final = 1_000_000
FEW: Final = 10_000
JOINERS: Final = 10_000
"""Participants who join every project."""
CONNECTIONS: Final = (16, 64)
TARGET_PER_S: Final = 500.0
TARGET_MS: Final = 20.0
PAGES: Final = 50
"""How often each page is read."""
BOARD: Final = UUID(int=1)
"""The project that all have joined."""

_JOIN: Final = "mutation ($input: JoinProjectInput!) { joinProject(input: $input) { __typename } }"
_AWARD: Final = "mutation ($input: AdjustPointsInput!) { adjustPoints(input: $input) { __typename } }"
_TOP: Final = """query ($key: String!, $first: Int) { project(by: {key: $key}) { leaderboard(first: $first) {
    nodes { rank points level publicName } } } }"""
_RANK: Final = "query ($id: ID!) { participation(by: {id: $id}) { rank } }"
_FILL: Final = """
UPDATE api_keys SET scopes = ARRAY['*:read', '*:write'];
UPDATE tenants SET max_users_per_project = 2000000000;
INSERT INTO projects (id, tenant_id, livemode, key, name, network, token_decimals, distribution, claim_amount,
    created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, t.id, true, 'proj_' || lpad(n::text, 12, '0'), 'Bench', 'internal', 9,
    '{"type": "fixed", "claim_amount": "5"}', 5, now() FROM tenants t, generate_series(1, 21) n;
INSERT INTO participants (id, tenant_id, livemode, username, attributes, referral_code, created_at, last_active_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, t.id, true, 'user ' || n,
    CASE WHEN n %% 2 = 0 THEN jsonb_build_object('public_name', 'User ' || n) ELSE '{}' END, 'R' || n, now(), now()
FROM tenants t, generate_series(1, %d) n;
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, points, level, verification_status,
    has_completed, joined_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, t.id, true, lpad('1', 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid,
    g.points, 1 + width_bucket(g.points, j.level_thresholds),
    CASE WHEN n %% 3 = 0 THEN 'verified' ELSE 'pending' END, g.points > 0, now()
FROM tenants t, projects j, (
    SELECT n, CASE WHEN n %% 10 = 0 THEN 0 ELSE (random() ^ 3 * 1000000)::bigint END AS points
    FROM generate_series(1, %d) n
) g
WHERE j.id = lpad('1', 32, '0')::uuid;
INSERT INTO funnel_counts (tenant_id, livemode, project_id, has_completed, is_verified, level, participants)
SELECT tenant_id, livemode, project_id, has_completed, verification_status = 'verified', level, count(*)
FROM participations GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO project_statistics (tenant_id, livemode, project_id, interval, started_at, joins)
SELECT t.id, true, lpad('1', 32, '0')::uuid, 'day', date_trunc('day', now(), 'UTC') - n * interval '1 day', 1000
FROM tenants t, generate_series(0, 365) n
"""


class Timed(msgspec.Struct, frozen=True):
    """How long a read takes in this process, in ms."""

    name: str
    times_ms: list[float]


def measure(servers: Embedded, seconds: float, rounds: int, progress: Progress, *, people: int) -> Report:
    """One server process and one worker, as `make serve` has them."""
    database_url = asyncio.run(fresh_database(servers.database_url, "bench_campaigns"))
    asyncio.run(make_user(database_url))
    runs: dict[str, list[Run]] = {}
    with moneta(database_url, servers.redis_url, {}) as target, _worker(database_url, servers.redis_url):
        key = asyncio.run(credentials_of(target.port, database_url))["API key"]
        asyncio.run(_fill(database_url, people, progress))
        settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
        timed = asyncio.run(_reads(settings, people, progress))
        plans = _plans(key, people)
        task = progress.add_task("Measuring campaigns", total=rounds * len(plans))
        for _ in range(rounds):
            for name, (requests, connections, expect) in plans.items():
                once = "top" not in name and "rank" not in name
                patience_s = 0.0 if people <= FEW else QUIET_PATIENCE_S
                run = _run(target, requests, connections, seconds, patience_s, expect=expect, once=once)
                runs.setdefault(name, []).append(run)
                progress.advance(task)
        joined = asyncio.run(_joined(database_url))
    return _report(runs, timed, joined, people, seconds)


def _run(
    target: Target,
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    patience_s: float,
    *,
    expect: bytes,
    once: bool,
) -> Run:
    most = int((seconds + 1) * 2_500) if once else 1
    plan = Plan(
        host="127.0.0.1",
        port=target.port,
        connections=connections,
        warmup_s=1.0,
        seconds=seconds,
        requests=list(islice(requests, most)),
        once=once,
        expect=expect,
    )
    return put_load(target, plan, patience_s)


@contextmanager
def _worker(database_url: str, redis_url: str) -> Iterator[None]:
    """`python -m app work`: it publishes the events."""
    settings = {"MONETA_HOME": str(HOME), "MONETA_DATABASE_URL": database_url, "MONETA_REDIS_URL": redis_url}
    command = [sys.executable, "-m", "app", "work"]
    environment, log = {**os.environ, **settings}, Log(WORK / "campaigns-worker.log")
    process = spawn(command, cwd=ROOT, env=environment, user=None, log=log, on_parent_death=signal.SIGTERM)
    try:
        yield
        if process.poll() is not None:
            raise log.error("The worker ended.")
    finally:
        stop(process, (signal.SIGTERM, 10.0))


async def _fill(database_url: str, people: int, progress: Progress) -> None:
    statements = [
        "SET session_replication_role = replica",
        *(_FILL % (people, people)).split(";\n"),
        "RESET session_replication_role",
        f"SELECT repair_leaderboard('{BOARD}')",
        "VACUUM (ANALYZE)",
        "CHECKPOINT",
    ]
    task = progress.add_task("Filling projects", total=len(statements))
    owner = await asyncpg.connect(database_url, command_timeout=3600)
    try:
        for statement in statements:
            await owner.execute(statement)
            progress.advance(task)
    finally:
        await owner.close()


def _plans(key: str, people: int) -> dict[str, tuple[Iterator[bytes], int, bytes]]:
    """What is sent, over how many connections, and what each answer holds."""
    joins, by_key = _joins(key, people), {"Authorization": key}
    awards = (_request(_AWARD, _award(number, people), by_key, is_input=True) for number in count())
    top = {"key": f"proj_{1:012}"}
    rank = {"id": global_id("Participation", UUID(int=people // 2))}
    return {
        **{f"joins, {each} at once": (joins, each, b'"JoinProjectPayload"') for each in CONNECTIONS},
        "awards in one project, 16 at once": (awards, 16, b'"AdjustPointsPayload"'),
        "top 20": (repeat(_request(_TOP, {**top, "first": 20}, {})), 1, b'"rank":1'),
        "top 100": (repeat(_request(_TOP, {**top, "first": 100}, {})), 1, b'"rank":1'),
        "own rank": (repeat(_request(_RANK, rank, by_key)), 1, b'"rank":'),
    }


def _joins(key: str, people: int) -> Iterator[bytes]:
    """Each participant joins each of the 20 projects; who joins next joins another project."""
    joiners = min(JOINERS, people)
    for number in range(joiners * PROJECTS):
        project, participant = 2 + number % PROJECTS, 1 + number // PROJECTS
        given = {"projectKey": f"proj_{project:012}", "participantId": global_id("Participant", UUID(int=participant))}
        yield _request(_JOIN, {**given, "idempotencyKey": f"join {number}"}, {"Authorization": key}, is_input=True)


def _award(number: int, people: int) -> dict[str, Any]:
    id = global_id("Participation", UUID(int=1 + number * 7919 % people))
    given = {"participationId": id, "points": "10", "pointReason": "BONUS", "note": "Bench"}
    return given | {"idempotencyKey": f"award {number}"}


def _request(query: str, given: dict[str, Any], headers: dict[str, str], *, is_input: bool = False) -> bytes:
    variables = {"input": given} if is_input else given
    return request_bytes("/graphql", json.dumps({"query": query, "variables": variables}).encode(), headers)


async def _reads(settings: Settings, people: int, progress: Progress) -> list[Timed]:
    """Pages of 100 as the public reads them, and what members read of a project, without HTTP and GraphQL."""
    board, statistics, now = loaders.entries_by_project, analytics_loaders.statistics_by_project, datetime.now(UTC)
    places: dict[str, Position | None] = {
        "page of 100 at the top": None,
        "in the middle": (125_000, UUID(int=people // 2)),
        "at the end": (0, UUID(int=people // 10)),
    }
    month = page_request(statistics, 100, filters=span(now - timedelta(days=31), now, Interval.DAY))
    reads: dict[str, tuple[bool, Callable[[Reads], Awaitable[object]]]] = {
        name: (False, partial(_read_page, board, page_request(board, 100, after=after)))
        for name, after in places.items()
    }
    reads["statistics of a month by day"] = True, partial(_read_page, statistics, month)
    reads["funnel"] = True, lambda reads: reads.one(analytics_loaders.funnel_by_project, BOARD)
    task, found = progress.add_task("Reading", total=len(reads)), []
    async with open_application(settings) as application:
        member = await _member(settings)
        for name, (is_members, read) in reads.items():
            times = []
            for _ in range(PAGES):
                own, began = Reads(application.database, member if is_members else PUBLIC), time.perf_counter()
                await read(own)
                times.append(1000 * (time.perf_counter() - began))
                await own.aclose()
            found.append(Timed(name, times))
            progress.advance(task)
    return found


async def _read_page(list: Page[Any], request: PageRequest, reads: Reads) -> object:
    return await reads.page(list, BOARD, request)


async def _member(settings: Settings) -> Scope:
    owner = await asyncpg.connect(settings.database_url)
    try:
        row = await owner.fetchrow("SELECT user_id, tenant_id FROM tenant_members")
        assert row is not None
        return Scope(user_id=row["user_id"], tenant_id=row["tenant_id"])
    finally:
        await owner.close()


async def _joined(database_url: str) -> int:
    owner = await asyncpg.connect(database_url)
    try:
        return int(await owner.fetchval("SELECT count(*) FROM participations WHERE project_id <> $1", BOARD))
    finally:
        await owner.close()


def _report(runs: dict[str, list[Run]], timed: list[Timed], joined: int, people: int, seconds: float) -> Report:
    rows, bars = [], []
    for name, each in runs.items():
        outcomes = [run.outcome for run in each]
        rates = [outcome.per_second for outcome in outcomes]
        p50, p99 = median(outcome.p50_ms for outcome in outcomes), median(outcome.p99_ms for outcome in outcomes)
        cpu = median(run.server_cpu_ms for run in each)
        rows.append([name, f"{median(rates):,.0f}", f"{p50:.1f} ms", f"{p99:.1f} ms", f"{cpu:.2f} ms"])
        bars.append(Bar(name, "Moneta", median(rates), min(rates), max(rates)))
    for read in timed:
        at_99 = sorted(read.times_ms)[-1 - len(read.times_ms) // 100]
        rows.append([f"{read.name}, in the process", "", f"{median(read.times_ms):.1f} ms", f"{at_99:.1f} ms", ""])
    return Report(
        name="campaigns",
        title="Joins, points and leaderboards",
        unit="requests/s, median and range",
        target=TARGET_PER_S,
        other_load=[run.other_load for each in runs.values() for run in each],
        conditions=[
            f"Targets: {TARGET_PER_S:g} joins a second through an API key over {PROJECTS} projects, each on disk before"
            f" its answer; a page of a leaderboard and a rank in less than {TARGET_MS:g} ms.",
            f"One server process, one worker, Postgres and Valkey; median of {len(next(iter(runs.values())))} runs of"
            f" {seconds:g} s. {joined:,} joins in all. Limits of the key are lifted in the database.",
            f"The project of the leaderboard has {people:,} participants, a tenth without points. It is read by one"
            " request at a time, over one connection.",
        ],
        columns=["", "a second", "p50", "p99", "server CPU each"],
        rows=rows,
        bars=bars,
        raw={"runs": runs, "reads": timed},
    )
