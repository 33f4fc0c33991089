"""uvicorn, as we run it."""

import asyncio
import contextlib
import errno
import gc
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from app.kit.errors import Unavailable
from app.settings import Settings
from app.transport.http_protocol import HttpProtocol
from app.transport.sockets.wire import Wire

GRACE_S: Final = 5
"""Seconds that requests may take to end once the server is asked to stop."""

PEER_PATIENCE_S: Final = 15
"""Seconds without an acknowledgement after which a peer counts as disconnected."""

UNSENT_BYTES: Final = 128 * 1024
"""How much the kernel buffers for a connection. By default it would hold megabytes for a stalled reader."""

_BACKLOG: Final = 2048


async def serve(
    app: ASGIApp,
    settings: Settings,
    *,
    ready: Callable[[str], None] = lambda _: None,
    stopping: Sequence[Callable[[], Awaitable[None]]] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """Serves until SIGINT, SIGTERM or `stop`, then lets requests end. Raises Unavailable when the port is taken.

    `ready` gets the address once connections are accepted. `stopping` end what would never end by itself; they are
    called after the last connection was accepted, and before requests are waited for. Signals are handled, not raised
    again: the caller cleans up after this returns.
    """
    _allow_descriptors()
    listening = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        loop="none",
        http=HttpProtocol,
        ws=Wire,
        ws_max_size=settings.body_limit_bytes,
        ws_ping_interval=settings.socket_ping_s,
        ws_ping_timeout=settings.socket_ping_s,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=GRACE_S,
    )
    host, port = listening.getsockname()[:2]
    server = _Server(config, lambda: ready(f"http://{f'[{host}]' if ':' in host else host}:{port}"), stopping)
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(server.stop_when(stop)) if stop is not None else None
            await server.serve([listening])
            if watching is not None:
                watching.cancel()
    finally:
        listening.close()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Sequence[Callable[[], Awaitable[None]]]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What exists now lives as long as the process: the garbage collector can skip it.
        gc.collect()
        gc.freeze()
        # A large answer makes tens of thousands of objects, which are freed by reference counting.
        gc.set_threshold(50_000, 10, 50)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.gather(*(each() for each in self._stopping))
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again when it is done, and SIGTERM would then end us before our clean-up.
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.should_exit = True


def _allow_descriptors() -> None:
    """Raises the limit on file descriptors to the maximum: each connection is one, and the usual limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems report a limit that they do not grant.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"HOST is {host!r}, which is no address of this machine.") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Linux only. Connections inherit it.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_PATIENCE_S * 1000)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(f"Port {port} of {host} is in use: stop what listens there, or set PORT.") from error
        raise Unavailable(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return listening
