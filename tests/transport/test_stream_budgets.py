"""What subscriptions may cost together, whatever transport they come by."""

import asyncio
import contextlib
import json
import threading
from typing import Any

import httpx
from msgspec.structs import replace
from redis.asyncio import Redis

from app.engine.streams.budgets import Budgets
from app.kit.db import Database
from tests.transport.client import begin, hear, say, subscribe
from tests.transport.graph import LIMITS
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until

EVENTS = {"accept": "text/event-stream"}


def tighten(stage: Stage, **limits: int) -> None:
    stage.runtime.subscriptions._budgets = Budgets(replace(LIMITS, **limits))


def charged(stage: Stage) -> int:
    """Accounts that something is charged to."""
    return len(stage.runtime.subscriptions._budgets)


def facts(alias: int) -> str:
    """Costs 2 a second, and is like no other."""
    return f"subscription {{ facts {{ a{alias}: n }} }}"


def code(message: dict[str, Any]) -> str:
    assert message["type"] == "error"
    refusal: str = message["payload"][0]["extensions"]["code"]
    return refusal


async def test_a_socket_is_charged_for_all_that_is_open_on_it(database: Database, redis: Redis) -> None:
    async with staged(database, redis) as stage:
        tighten(stage, stream_cost_per_socket=5)
        async with stage.connect() as socket, stage.connect() as another:
            await begin(socket)
            await begin(another)
            for alias in range(2):
                await subscribe(socket, str(alias), facts(alias))
            await until(lambda: stage.open == 2)
            await subscribe(socket, "2", facts(2))
            refused = await hear(socket)
            assert (refused["id"], code(refused)) == ("2", "COST_EXCEEDED")
            assert (
                "of the 5 a second that this connection may use, 1 are left" in refused["payload"][0]["message"].lower()
            )
            # Its id is free, others go on, and another socket of the address is another account.
            await subscribe(another, "2", facts(2))
            await until(lambda: stage.open == 3)
            await say(socket, "complete", id="0")
            await until(lambda: stage.open == 2)
            await subscribe(socket, "2", facts(3))
            await until(lambda: stage.open == 3)
            assert (await stage.metrics())["moneta_subscription_refusals_total"] == 1
        # Nobody said goodbye.
        await until(lambda: stage.open == 0)
        assert charged(stage) == 0


async def test_a_viewers_sockets_and_streams_are_one_account(database: Database, redis: Redis) -> None:
    async with (
        staged(database, redis) as stage,
        httpx.AsyncClient(base_url=stage.url, trust_env=False, timeout=HANG_S) as client,
        contextlib.AsyncExitStack() as stack,
    ):
        tighten(stage, stream_cost_per_viewer=4, stream_cost_per_address=2)
        stage.log_in("alice")
        bearer = {"authorization": "Bearer alice"}
        for alias in range(2):
            socket = await stack.enter_async_context(stage.connect())
            await begin(socket, bearer)
            await subscribe(socket, "a", facts(alias))
        await until(lambda: stage.open == 2)
        refused = (await client.post("/graphql", json={"query": facts(2)}, headers=EVENTS | bearer)).text
        assert "you, on all connections together," in refused
        assert (
            json.loads(refused.split("data: ")[1].split("\n")[0])["errors"][0]["extensions"]["code"] == "COST_EXCEEDED"
        )
        assert stage.open == 2

        anonymous = await stack.enter_async_context(stage.connect())
        await begin(anonymous)
        await subscribe(anonymous, "a", facts(3))
        await until(lambda: stage.open == 3)
        refused = (await client.post("/graphql", json={"query": facts(4)}, headers=EVENTS)).text
        assert "your address" in refused
        # Once she has gone there is room.
        await socket.close()
        await until(lambda: stage.open == 2)
        async with client.stream("POST", "/graphql", json={"query": facts(2)}, headers=EVENTS | bearer):
            await until(lambda: stage.open == 3)
        await until(lambda: stage.open == 2)
    assert charged(stage) == 0


async def test_large_requests_are_answered_like_small_ones(database: Database, redis: Redis) -> None:
    """They are read and checked in a thread."""
    query = "query($v: String!) { hello(name: $v) }"
    async with (
        staged(database, redis, body_limit_bytes=300_000) as stage,
        httpx.AsyncClient(base_url=stage.url, trust_env=False, timeout=HANG_S) as client,
        stage.connect() as socket,
    ):
        await begin(socket)
        for size in (10, 5_000, 100_000):
            name = "n" * size
            body = {"query": query, "variables": {"v": name}}
            answer = (await client.post("/graphql", json=body)).json()
            assert answer["data"] == {"hello": f"hello {name}"}
            await subscribe(socket, "a", query, variables={"v": name})
            assert (await hear(socket))["payload"]["data"] == {"hello": f"hello {name}"}
            assert (await hear(socket)) == {"type": "complete", "id": "a"}
        long = "{" + " ".join(f"a{n}: hello" for n in range(10)) + "}" + " " * 2000
        assert len((await client.post("/graphql", json={"query": long})).json()["data"]) == 10
        wrong = "{" + " ".join(f"nothing{n}" for n in range(100)) + "}"
        assert (await client.post("/graphql", json={"query": wrong})).json()["errors"]


async def test_a_socket_that_closes_while_its_request_is_checked_opens_nothing(
    database: Database, redis: Redis
) -> None:
    async with staged(database, redis) as stage:
        async with stage.connect() as socket:
            await begin(socket)
            await subscribe(socket, "a", "subscription { facts { n } } " + " " * 3000)
        await until(lambda: len(stage.sockets) == 0)
        await until(lambda: stage.open == 0)
        assert charged(stage) == 0


async def test_whoever_hangs_up_leaves_the_line_of_large_requests(database: Database, redis: Redis) -> None:
    checking = threading.Event()
    async with (
        staged(database, redis, body_limit_bytes=300_000) as stage,
        httpx.AsyncClient(base_url=stage.url, trust_env=False, timeout=HANG_S) as client,
    ):
        checks = stage.runtime.engine.checks
        held = asyncio.create_task(checks.run("somebody else", checking.wait))
        try:
            for body in (
                {"query": "{ hello }" + " " * 3000},
                {"query": "{ hello }", "variables": {"v": "n" * 100_000}},
            ):
                asked = [asyncio.create_task(client.post("/graphql", json=body)) for _ in range(3)]
                await until(lambda: checks.turns.waiting == 3)
                for each in asked:
                    each.cancel()
                await until(lambda: checks.turns.waiting == 0)
        finally:
            checking.set()
        await held
        assert (await client.post("/graphql", json=body)).json()["data"] == {"hello": "hello world"}
