"""From the reply of `placeOrder` to the fill on the trader's socket, at a fixed rate of orders."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any, Final

import msgspec
import websockets
from rich.progress import Progress

from app.engine.declarations.nodes import global_id
from bench.machine import wait_for_quiet
from bench.servers import Target, moneta
from bench.trading.figures import Figure, Found, percentile
from bench.trading.placing import CONNECTIONS, requests
from bench.trading.stage import Stage, Trader

ORDERS_PER_S: Final = 100
P50_MS: Final = 25
P99_MS: Final = 80
WARMUP_S: Final = 2.0
PATIENCE_S: Final = 10.0
FILLS: Final = "subscription Fills($id: ID!) { fills(portfolioId: $id) { fill { order { id } } } }"


def measure(stage: Stage, seconds: float, rounds: int, progress: Progress) -> Found:
    """Market orders that the house fills, one trader after the other."""
    task = progress.add_task("Waiting for fills", total=rounds)
    other_load, halves, tails, asked = list[float](), list[float](), list[float](), list[float]()
    with moneta(stage.database_url, stage.redis_url, {}) as api, stage.worker():
        for number in range(rounds):
            other_load.append(wait_for_quiet())
            run = asyncio.run(_run(stage, api, seconds, f"delay {number}"))
            halves.append(percentile(run.delays_ms, 0.5))
            tails.append(percentile(run.delays_ms, 0.99))
            asked.append(percentile(run.requests_ms, 0.5))
            progress.advance(task)
    return Found(
        [
            Figure("reply of `placeOrder` to the fill event, p50", halves, "{:.1f} ms", f"{P50_MS} ms"),
            Figure("the same, p99", tails, "{:.1f} ms", f"{P99_MS} ms"),
            Figure("the request itself, p50", asked, "{:.1f} ms"),
        ],
        other_load,
        [
            f"Reply to event: {ORDERS_PER_S} market orders a second, sent on time whatever becomes of them, each filled by "
            f"the house; {len(stage.traders)} traders listen to their `fills`, a WebSocket each. From the order's reply "
            f"to the first event of a fill of it, {seconds:g} s a run after {WARMUP_S:g} s; every order was filled. The API "
            "has core 0; the worker and this client share core 1.",
        ],
    )


class _Run:
    """When each order was replied to, and when its first fill arrived."""

    def __init__(self) -> None:
        self.requests_ms = list[float]()
        self.replied = dict[str, float]()
        self.filled = dict[str, float]()

    @property
    def delays_ms(self) -> list[float]:
        """An event that comes before the reply has no delay."""
        return [max(0.0, self.filled[order_id] - at) * 1000 for order_id, at in self.replied.items()]


async def _run(stage: Stage, api: Target, seconds: float, name: str) -> _Run:
    async with AsyncExitStack() as stack:
        run = _Run()
        for trader in stage.traders:
            await _listen(stack, api, trader, run)
        free = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        for _ in range(CONNECTIONS):
            connection = await asyncio.open_connection("127.0.0.1", api.port)
            stack.callback(connection[1].close)
            free.put_nowait(connection)
        made = requests(stage, name, rest=False)
        begun, tasks = time.perf_counter(), list[asyncio.Task[None]]()
        count, warmup = int((WARMUP_S + seconds) * ORDERS_PER_S), int(WARMUP_S * ORDERS_PER_S)
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / ORDERS_PER_S - time.perf_counter()))
            tasks.append(asyncio.create_task(_place(free, next(made), run, counts=number >= warmup)))
        await asyncio.gather(*tasks)
        deadline = time.perf_counter() + PATIENCE_S
        while missing := run.replied.keys() - run.filled.keys():
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{len(missing)} of {len(run.replied)} orders were not filled")
            await asyncio.sleep(0.05)
        return run


async def _listen(stack: AsyncExitStack, api: Target, trader: Trader, run: _Run) -> None:
    socket = await stack.enter_async_context(
        websockets.connect(
            f"ws://127.0.0.1:{api.port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        )
    )
    authorization = {"Authorization": f"Bearer {trader.token}"}
    await socket.send(msgspec.json.encode({"type": "connection_init", "payload": authorization}).decode())
    await socket.recv()
    payload = {"query": FILLS, "variables": {"id": global_id("Portfolio", trader.portfolio_id)}}
    await socket.send(msgspec.json.encode({"id": "1", "type": "subscribe", "payload": payload}).decode())
    listening = asyncio.create_task(_hear(socket, run))
    stack.callback(listening.cancel)


async def _hear(socket: websockets.ClientConnection, run: _Run) -> None:
    async for message in socket:
        at = time.perf_counter()
        event = msgspec.json.decode(message)
        if event["type"] == "ping":
            await socket.send('{"type":"pong"}')
        elif event["type"] != "next" or "errors" in event["payload"]:
            raise RuntimeError(str(message)[:500])
        else:
            run.filled.setdefault(event["payload"]["data"]["fills"]["fill"]["order"]["id"], at)


async def _place(
    free: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]", request: bytes, run: _Run, *, counts: bool
) -> None:
    connection = reader, writer = await free.get()
    begun = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
    at = time.perf_counter()
    free.put_nowait(connection)
    answer: Any = msgspec.json.decode(body)
    if "order" not in (placed := answer["data"]["placeOrder"]):
        raise RuntimeError(str(answer)[:500])
    if counts:
        run.requests_ms.append((at - begun) * 1000)
        run.replied[placed["order"]["id"]] = at
