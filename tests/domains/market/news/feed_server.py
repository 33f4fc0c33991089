"""A server of feeds on loopback that answers exactly what a test says, byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]


@dataclass
class FeedServer:
    """Answers by path; whatever else is asked for is not found."""

    answers: dict[str, bytes] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    """Paths whose answer never ends."""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, path: str, body: bytes, status: str = "200 OK", **headers: str) -> str:
        """Answers a path so from now on; returns its address."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return self.url(path)

    def raw(self, path: str, answer: bytes) -> str:
        """Answers a path with these bytes, whatever they are."""
        self.answers[path] = answer
        return self.url(path)

    def hang(self, path: str, begin: bytes) -> str:
        """Begins to answer, and never goes on."""
        self.hanging.add(path)
        return self.raw(path, begin)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            pairs = (line.partition(": ") for line in head[1:] if line)
            self.asked.append(Asked(path, {name.lower(): value for name, _, value in pairs}))
            writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
            await writer.drain()
            if path in self.hanging:
                await reader.read()
        writer.close()


@asynccontextmanager
async def feed_server() -> AsyncIterator[FeedServer]:
    """A running server."""
    feeds = FeedServer()
    server = await asyncio.start_server(feeds.handle, "127.0.0.1", 0)
    feeds.port = server.sockets[0].getsockname()[1]
    try:
        yield feeds
    finally:
        server.close()
