"""Clients that follow a stream, come back with their cursor whenever they are cut, and note all that they receive."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.waiting import HANG_S, elapse, now

PROTOCOL = Subprotocol("graphql-transport-ws")
PULSE = "subscription { systemPulse { at feedAgeMs tipAgeMs relayLagMs } }"
RETRY_S = 0.1
NO_CLOSING = 1006
"""Noted where the connection went without a word."""


@dataclass(frozen=True)
class Received:
    """An event of `blocks`."""

    at: float
    cursor: str
    hash: str


@dataclass
class Leg:
    """What came between two cuts."""

    after: str
    events: list[Received] = field(default_factory=list)


class Over(Exception):
    """The server ended the subscription itself, with these error codes; it is not begun again."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(codes)
        self.codes = codes


class Reader(ABC):
    """One subscriber. It stores its cursor with every `notes_every`-th event."""

    def __init__(self, url: str, document: str, after: str, *, token: str | None = None, notes_every: int = 1) -> None:
        self.document = document
        self.legs: list[Leg] = []
        self.cuts: list[int] = []
        """The code of each closing."""
        self.faults: list[Any] = []
        """What a healthy stream never says."""
        self.over: list[str] | None = None
        """The codes with which the subscription was ended."""
        self.newest = after
        self._url = url
        self._token = token
        self._noted = after
        self.notes_every = notes_every
        self._task = asyncio.get_running_loop().create_task(self._follow())

    @property
    def events(self) -> list[Received]:
        return [event for leg in self.legs for event in leg.events]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _follow(self) -> None:
        while True:
            leg = Leg(self._noted)
            try:
                async with contextlib.aclosing(self._payloads(leg.after)) as payloads:
                    self.legs.append(leg)
                    async for payload in payloads:
                        self._note(leg, payload)
                    self.cuts.append(NO_CLOSING)
            except Over as over:
                self.over = over.codes
                return
            except ConnectionClosed as closed:
                self.cuts.append(closed.rcvd.code if closed.rcvd else NO_CLOSING)
            except (OSError, InvalidHandshake, httpx.TransportError):
                if leg.events:
                    self.cuts.append(NO_CLOSING)
            if not leg.events:
                self.legs.remove(leg)
            await elapse(RETRY_S)

    def _note(self, leg: Leg, payload: Any) -> None:
        if "errors" in payload:
            self.faults.append(payload)
            return
        event = payload["data"]["blocks"]
        leg.events.append(Received(now(), event["cursor"], event["block"]["hash"]))
        self.newest = event["cursor"]
        if len(leg.events) % self.notes_every == 0:
            self._noted = self.newest

    @abstractmethod
    def _payloads(self, after: str) -> AsyncGenerator[Any, None]:
        """Results of one connection, until it is cut. Raises Over."""


def open_socket(url: str) -> connect:
    """A WebSocket, not initialised."""
    return connect(
        f"ws{url.removeprefix('http')}/graphql",
        subprotocols=[PROTOCOL],
        proxy=None,
        compression=None,
        open_timeout=HANG_S,
        close_timeout=0.3,
        ping_interval=None,
    )


async def say(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(msgspec.json.encode(message), text=True)


async def hear(socket: ClientConnection) -> Any:
    return msgspec.json.decode(await socket.recv(decode=False))


async def initialise(socket: ClientConnection, token: str | None) -> None:
    await say(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"} if token else {}})
    assert (await hear(socket))["type"] == "connection_ack"


def codes_of(errors: list[dict[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


class SocketReader(Reader):
    """Over a WebSocket, with `after`."""

    async def _payloads(self, after: str) -> AsyncGenerator[Any, None]:
        async with open_socket(self._url) as socket:
            await initialise(socket, self._token)
            variables = {"after": after}
            payload = {"query": self.document, "variables": variables}
            await say(socket, {"id": "1", "type": "subscribe", "payload": payload})
            while True:
                message = await hear(socket)
                match message["type"]:
                    case "next":
                        yield message["payload"]
                    case "error":
                        raise Over(codes_of(message["payload"]))
                    case "complete":
                        raise Over([])
                    case "ping":
                        await say(socket, {"type": "pong"})
                    case other:
                        self.faults.append(other)


class PulseReader:
    """One subscriber of `systemPulse`, which is never cut."""

    def __init__(self, url: str) -> None:
        self.pulses: list[dict[str, Any]] = []
        self._task = asyncio.get_running_loop().create_task(self._follow(url))

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def stop(self) -> None:
        """Raises what has ended it before."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _follow(self, url: str) -> None:
        async with open_socket(url) as socket:
            await initialise(socket, None)
            await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": PULSE}})
            while True:
                message = await hear(socket)
                if message["type"] == "ping":
                    await say(socket, {"type": "pong"})
                    continue
                assert message["type"] == "next", message
                assert "errors" not in message["payload"], message
                self.pulses.append(message["payload"]["data"]["systemPulse"])


class EventSourceReader(Reader):
    """Over SSE, with `Last-Event-ID`."""

    async def _payloads(self, after: str) -> AsyncGenerator[Any, None]:
        headers = {"accept": "text/event-stream", "last-event-id": after}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        timeout = httpx.Timeout(HANG_S, read=None)
        async with (
            httpx.AsyncClient(trust_env=False, verify=False, timeout=timeout) as client,
            client.stream("POST", f"{self._url}/graphql", json={"query": self.document}, headers=headers) as response,
        ):
            if response.status_code != 200:
                raise httpx.TransportError(f"status {response.status_code}")
            failed: list[str] = []
            async for event, data, id_ in sse_events(response):
                if event == "complete":
                    raise Over(failed)
                payload = msgspec.json.decode(data)
                if "data" not in payload:
                    failed = codes_of(payload["errors"])
                    continue
                if id_ != payload["data"]["blocks"]["cursor"]:
                    self.faults.append((id_, payload))
                yield payload


async def sse_events(response: httpx.Response) -> AsyncGenerator[tuple[str, str, str | None], None]:
    """Event, data and id of each, comments left out."""
    text = ""
    async for chunk in response.aiter_text():
        *whole, text = (text + chunk).split("\n\n")
        for block in whole:
            if block.startswith(":"):
                continue
            lines = dict(line.split(":", 1) for line in block.splitlines())
            id_ = lines.get("id")
            yield lines["event"].strip(), lines["data"].strip(), id_.strip() if id_ else None
