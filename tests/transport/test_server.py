"""Over a real socket, where framing and disconnects are what they are."""

import asyncio
import json
import resource
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from app.kit.errors import Unavailable
from app.settings import Settings
from app.transport.http_protocol import HEAD_BYTES
from app.transport.server import PEER_PATIENCE_S, UNSENT_BYTES, serve
from tests.transport.support import ORIGIN, Witness, build, errors, serving
from tests.waiting import HANG_S, elapse, until

SMALL = Settings(public_url=ORIGIN, body_limit_bytes=1000)


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the server."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def exchange(url: str, request: bytes) -> tuple[int, bytes]:
    """Status and everything else of the answer to bytes on the wire."""
    async with connection(url) as (reader, writer):
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        return int(head.split()[1]), head + await reader.readexactly(length)


def head(*lines: str) -> bytes:
    """A request to /graphql up to its body."""
    return "\r\n".join(["POST /graphql HTTP/1.1", "Host: x", "Content-Type: application/json", *lines, "", ""]).encode()


def chunked(*chunks: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


async def test_a_chunked_body_is_read() -> None:
    async with serving(build()) as url:
        body = chunked(b'{"query": "{ he', b'llo }"}')
        status, answer = await exchange(url, head("Transfer-Encoding: chunked") + body)
        assert status == 200
        assert b'{"data":{"hello":"hello world"}' in answer


async def ending(url: str, *writes: bytes) -> bytes:
    """What the server says before it closes, though the client never does."""
    async with connection(url) as (reader, writer):
        for data in writes:
            writer.write(data)
            await writer.drain()
            # The server reads what one write brought before the next one comes.
            await elapse(0.02)
        return await reader.read()


@pytest.mark.parametrize(
    "writes",
    [
        (b"POST /gra",),
        (head("Content-Length: 2").removesuffix(b"\r\n"),),
        # Each byte would otherwise be a sign of life.
        (b"POST /graphql HTTP/1.1\r\n", b"x", b"-", b"a"),
    ],
)
async def test_a_head_that_does_not_arrive_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, writes: tuple[bytes, ...]
) -> None:
    body = b'{"query": "{ hello }"}'
    request = head(f"Content-Length: {len(body)}") + body
    async with serving(build()) as url:
        # Long enough for us to have written what we write, in the end, on a busy machine as well.
        for head_s in (0.2 * 4**attempt for attempt in range(5)):
            monkeypatch.setattr("app.transport.http_protocol.HEAD_S", head_s)
            try:
                assert await ending(url) == b""
                alone = await ending(url, *writes)
                # So is that of a second request on a connection that was good for a first.
                second = await ending(url, request, b"POST /gra")
            except ConnectionError:
                continue
            if b"HTTP/1.1 408" in second:
                break
        assert alone.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert second.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"}HTTP/1.1 408 Request Timeout\r\n" in second


@pytest.mark.parametrize("piece", [b"y", b"x-a: b\r\n", b"x-a: " + b"y" * 1000 + b"\r\n"])
async def test_a_head_without_end_is_refused(piece: bytes) -> None:
    async with serving(build()) as url:
        endless = b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-a: " + piece * HEAD_BYTES
        answer = await ending(url, endless[:HEAD_BYTES], endless[HEAD_BYTES : HEAD_BYTES + 1])
        assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_a_long_head_that_ends_is_read() -> None:
    async with serving(build()) as url:
        body = b'{"query": "{ hello }"}'
        status, _ = await exchange(
            url, head(f"Content-Length: {len(body)}", "x-a: " + "y" * (HEAD_BYTES - 1000)) + body
        )
        assert status == 200


async def test_a_body_that_nobody_waits_for_keeps_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.transport.http_protocol.HEAD_S", 0.2)
    async with serving(build()) as url:
        answer = await ending(url, b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx")
        assert answer.startswith(b"HTTP/1.1 404 ")


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_long() -> None:
    async with serving(build(SMALL)) as url:
        # The terminating chunk never comes: a client that reads on to the end waits for ever.
        endless = chunked(b"x" * 600, b"x" * 600).removesuffix(b"0\r\n\r\n")
        status, answer = await exchange(url, head("Transfer-Encoding: chunked") + endless)
        assert status == 413
        assert b"longer than 1,000 bytes" in answer
        assert b"connection: close" in answer


async def test_an_announced_body_that_is_too_long_is_refused_unread() -> None:
    async with serving(build(SMALL)) as url:
        status, answer = await exchange(url, head("Content-Length: 1001"))
        assert status == 413
        assert b"BAD_USER_INPUT" in answer


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    async with serving(build(SMALL)) as url, httpx.AsyncClient(base_url=url, timeout=HANG_S) as client:
        body = json.dumps({"query": "{ hello }"}).encode().ljust(1000)
        response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
        assert response.json()["data"] == {"hello": "hello world"}


async def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.transport.messages.BODY_PATIENCE_S", 0.05)
    async with serving(build()) as url:
        status, _ = await exchange(url, head("Content-Length: 100") + b'{"query"')
        assert status == 408


async def test_a_body_that_is_cut_off_executes_nothing_and_logs_no_error() -> None:
    witness = Witness()
    async with serving(build(witness=witness)) as url:
        async with connection(url) as (_, writer):
            writer.write(head("Content-Length: 1000") + b'{"query": "mutation { login }"}')
            await writer.drain()
        async with httpx.AsyncClient(base_url=url, timeout=HANG_S) as client:
            assert (await client.get("/health/live")).status_code == 200
    assert witness.callers == []


async def test_a_query_whose_client_goes_is_cancelled() -> None:
    witness = Witness()
    async with serving(build(witness=witness)) as url:
        async with connection(url) as (_, writer):
            body = b'{"query": "{ linger }"}'
            writer.write(head(f"Content-Length: {len(body)}") + body)
            await witness.started.wait()
        await until(lambda: witness.finished == ["query cancelled"])


async def test_a_mutation_whose_client_goes_runs_to_its_end() -> None:
    witness = Witness()
    async with serving(build(witness=witness)) as url:
        async with connection(url) as (_, writer):
            body = b'{"query": "mutation { linger }"}'
            writer.write(head(f"Content-Length: {len(body)}") + body)
            await witness.started.wait()
        async with httpx.AsyncClient(base_url=url, timeout=HANG_S) as client:
            assert (await client.get("/health/live")).status_code == 200
        assert witness.finished == []
        witness.release.set()
        await until(lambda: witness.finished == ["mutation done"])


async def test_hostile_bodies_leave_the_server_as_it_was() -> None:
    async with serving(build()) as url, httpx.AsyncClient(base_url=url, timeout=HANG_S) as client:
        for body in (b"[" * 100_000, b"\xff" * 1000, b'{"query": "' + b"\\u0000" * 1000 + b'"}'):
            response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert response.status_code in {200, 400}
            assert errors(response)[0][0] == "BAD_USER_INPUT"
        assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200


async def test_a_port_that_is_taken_gives_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable) as refusal:
            await serve(build(), Settings(port=port))
    assert refusal.value.message == f"Port {port} of 127.0.0.1 is in use: stop what listens there, or set PORT."


async def test_a_host_that_is_not_ours_gives_one_clear_line() -> None:
    with pytest.raises(Unavailable) as refusal:
        await serve(build(), Settings(host="203.0.113.1", port=0))
    assert "203.0.113.1" in refusal.value.message


async def test_sigterm_ends_requests_in_peace_and_returns() -> None:
    witness = Witness()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    app = build(witness=witness)
    running = asyncio.create_task(serve(app, Settings(port=0), ready=address.set_result))
    async with httpx.AsyncClient(base_url=await address, timeout=HANG_S) as client:
        asking = asyncio.create_task(client.post("/graphql", json={"query": "{ linger }"}))
        await witness.started.wait()
        signal.raise_signal(signal.SIGTERM)
        witness.release.set()
        assert (await asking).json()["data"] == {"linger": "query"}
        await running


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
async def test_connections_inherit_the_patience_with_dead_peers_and_what_may_wait_for_slow_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[socket.socket] = []

    class Recorded(socket.socket):
        def listen(self, *backlog: Any) -> None:
            made.append(self)
            super().listen(*backlog)

    monkeypatch.setattr(socket, "socket", Recorded)
    async with serving(build()):
        options = (socket.TCP_USER_TIMEOUT, socket.TCP_NOTSENT_LOWAT)
        values = [made[0].getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert values == [PEER_PATIENCE_S * 1000, UNSENT_BYTES]


async def test_the_server_takes_all_the_descriptors_that_it_may_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        async with serving(build()):
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_an_idle_connection_is_kept_for_longer_than_a_proxy_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    configs: list[uvicorn.Config] = []

    class Witnessed(uvicorn.Config):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            configs.append(self)

    monkeypatch.setattr(uvicorn, "Config", Witnessed)
    stop = asyncio.Event()
    stop.set()
    for settings in (Settings(port=0), Settings(port=0, keep_alive_s=620)):
        await serve(build(), settings, stop=stop)
    # nginx and the load balancers of AWS keep one for 60 s: the side that closes first may cut a request off.
    assert [config.timeout_keep_alive for config in configs] == [75, 620]


@pytest.mark.parametrize("host", ["no such host", "a" * 300, "a..b", "\udcff", "256.256.256.256"])
async def test_what_is_no_host_is_said_in_one_line(host: str) -> None:
    with pytest.raises(Unavailable, match=r"^HOST is .* no address of this machine\.$"):
        await serve(build(), Settings(port=0).model_copy(update={"host": host}))
