"""A load client for one HTTP/1.1 server: keep-alive connections, one request at a time on each, bytes made beforehand.

It runs as a process of its own (`python -m bench.load`, a Plan on standard input, an Outcome on standard output), so
that it shares neither an interpreter nor, where there are two cores, a core with the server. Responses must say their
Content-Length.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from typing import Any, NoReturn, cast

import msgspec
import uvloop


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, and for how long."""

    host: str
    port: int
    connections: int
    warmup_s: float
    """Sent as well, not counted."""
    seconds: float
    requests: list[bytes]
    """Whole requests, head and body."""
    once: bool = False
    """Each request is sent once, in order, instead of the first for ever."""
    expect: bytes = b""
    """What every body holds; a response without it has failed."""
    core: int | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    completed: int
    warmed_up: int
    """Completed before those, in the warm-up."""
    failed: int
    """Of the completed: another status than 200, or without what was expected."""
    seconds: float
    """From the first request to the last response."""
    bytes_received: int
    p50_ms: float
    p99_ms: float
    client_cpu: float
    """Share of its core that the client used: near 1 means that it was the bottleneck, and the rate too low."""
    first_failure: str = ""
    exhausted: bool = False
    """The requests ran out before the time did; `seconds` is how long they lasted."""

    @property
    def per_second(self) -> float:
        """Completed requests per second that did not fail."""
        return (self.completed - self.failed) / self.seconds


def request_bytes(path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """A POST of JSON as it goes over the wire."""
    fields = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class _Run:
    """What all connections share: what to send, whether to go on, and the counters."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.exhausted = False
        self.first_failure = ""
        self._requests: Iterator[bytes] = iter(plan.requests) if plan.once else repeat(plan.requests[0])
        self._connections: list[_Connection] = []
        self._begin()

    def _begin(self) -> None:
        self.completed = self.failures = self.bytes_received = self.waiting = 0
        self.latencies_s: list[float] = []
        self.over = asyncio.Event()
        self.drained = asyncio.Event()

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self.plan.connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), self.plan.host, self.plan.port)
            self._connections.append(connection)

    async def phase(self, seconds: float) -> float:
        """Sends for so long, then waits for the last answer; returns the seconds that all of it took.

        A window that cut requests off would count slow ones in steps of the number of connections: they come back
        together.
        """
        self._begin()
        begun = time.perf_counter()
        for connection in self._connections:
            connection.send()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        self.over.set()
        if self.waiting:
            await self.drained.wait()
        return time.perf_counter() - begun

    def next_request(self) -> bytes | None:
        if self.over.is_set():
            return None
        request = next(self._requests, None)
        if request is None:
            self.exhausted = True
            self.over.set()
        return request

    def answered(self, latency_s: float, failure: str | None) -> None:
        self.waiting -= 1
        self.completed += 1
        self.latencies_s.append(latency_s)
        if failure is not None:
            self.failures += 1
            self.first_failure = self.first_failure or failure
        if self.over.is_set() and self.waiting == 0:
            self.drained.set()


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its response, sends the next."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = bytearray()
        self._missing = -1  # bytes of the body; -1: the head is not complete
        self._ok = False
        self._sent_at = 0.0
        # A body that is not checked is counted and dropped.
        self._keep = bool(run.plan.expect)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def connection_lost(self, error: Exception | None) -> None:
        raise ConnectionError(f"the server closed a connection: {error}")

    def send(self) -> None:
        request = self._run.next_request()
        if request is not None:
            self._run.waiting += 1
            self._sent_at = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._received += data
            if (end := self._received.find(b"\r\n\r\n")) < 0:
                return
            head = bytes(self._received[:end]).lower()
            place = head.find(b"\r\ncontent-length:")
            if place < 0:
                raise ValueError(f"a response without Content-Length: {head!r}")
            self._missing = int(head[place + 17 :].split(b"\r\n", 1)[0]) - (len(self._received) - end - 4)
            self._ok = head.startswith(b"http/1.1 200")
        else:
            self._missing -= len(data)
            if self._keep:
                self._received += data
        self._run.bytes_received += len(data)
        if self._missing == 0:
            self._complete()

    def _complete(self) -> None:
        ok = self._ok and (not self._keep or self._run.plan.expect in self._received)
        failure = None if ok else self._received.decode(errors="replace")[:2000]
        self._run.answered(time.perf_counter() - self._sent_at, failure)
        self._received.clear()
        self._missing = -1
        self.send()


async def execute(plan: Plan) -> Outcome:
    """Sends what is planned and counts."""
    asyncio.get_running_loop().set_exception_handler(_give_up)
    run = _Run(plan)
    await run.connect()
    await run.phase(plan.warmup_s)
    warmed_up = run.completed
    cpu = time.process_time()
    seconds = await run.phase(plan.seconds)
    cpu = time.process_time() - cpu
    latencies = sorted(run.latencies_s)
    return Outcome(
        completed=run.completed,
        warmed_up=warmed_up,
        failed=run.failures,
        seconds=seconds,
        bytes_received=run.bytes_received,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1000,
        client_cpu=cpu / seconds,
        first_failure=run.first_failure,
        exhausted=run.exhausted,
    )


def _give_up(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> NoReturn:
    # A callback that failed leaves a connection that never sends again: without this, the rate would be wrong.
    sys.stderr.write(f"bench.load: {context}\n")
    os._exit(1)


def main() -> None:
    """Reads a Plan, prints an Outcome."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(execute(plan))))


if __name__ == "__main__":
    main()
