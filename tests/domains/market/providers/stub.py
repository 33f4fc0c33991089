"""A provider on the loopback with set answers, good or bad, and remembers what it was asked."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SHAPES = Path(__file__).parent / "shapes"


def shape(name: str) -> Any:
    """A recorded answer."""
    return json.loads((SHAPES / f"{name}.json").read_text())


@dataclass(frozen=True)
class Answer:
    """What to say once."""

    body: bytes = b"[]"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Half of the body is sent, then the connection is closed."""
    hangs: bool = False
    """Nothing is sent at all."""


def answer(value: Any, **rest: Any) -> Answer:
    """A value as JSON; NaN and Infinity as Python writes them."""
    return Answer(json.dumps(value).encode(), **rest)


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


class Stub:
    """Answers of one path follow each other; the last is repeated."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], deque[Answer]] = defaultdict(deque)
        self._over = asyncio.Event()

    def says(self, path: str, *answers: Answer, currency: str = "") -> None:
        """Sets what is said to a path from now on; to questions about a currency, if one is named."""
        self._answers[path, currency.lower()] = deque(answers)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        target = urlsplit(head[0].split(" ")[1])
        params = dict(parse_qsl(target.query))
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.asked.append(Asked(target.path, params, headers))
        said = self._next(target.path, params.get("vs_currency", params.get("convert", "")).lower())
        if said.hangs:
            await self._over.wait()
        else:
            lines = [f"HTTP/1.1 {said.status} Said", f"content-length: {len(said.body)}", "connection: close"]
            lines += [f"{name}: {value}" for name, value in said.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            writer.write(said.body[: len(said.body) // 2] if said.cut else said.body)
        writer.close()

    def _next(self, path: str, currency: str) -> Answer:
        answers = self._answers.get((path, currency)) or self._answers.get((path, "")) or deque([Answer(status=404)])
        return answers.popleft() if len(answers) > 1 else answers[0]


@asynccontextmanager
async def running() -> AsyncIterator[Stub]:
    """A stub that listens on the loopback."""
    stub = Stub()
    server = await asyncio.start_server(stub._serve, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        stub._over.set()
        server.close()
        await server.wait_closed()
