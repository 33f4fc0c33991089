"""What a client of the socket protocol says and hears."""

import contextlib
import json
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed


async def say(socket: ClientConnection, type_: str, **message: Any) -> None:
    await socket.send(json.dumps({"type": type_} | message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def begin(socket: ClientConnection, payload: dict[str, Any] | None = None) -> None:
    await say(socket, "connection_init", **({} if payload is None else {"payload": payload}))
    assert await hear(socket) == {"type": "connection_ack"}


async def subscribe(socket: ClientConnection, id_: str, query: str, **rest: Any) -> None:
    await say(socket, "subscribe", id=id_, payload={"query": query} | rest)


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the server closes; whatever it still says before is dropped."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def whoami(socket: ClientConnection) -> str | None:
    return await _answered(socket, "me")


async def why(socket: ClientConnection) -> str | None:
    """Why this socket is nobody's."""
    return await _answered(socket, "why")


async def _answered(socket: ClientConnection, field: str) -> str | None:
    await subscribe(socket, field, f"{{ {field} }}")
    answer = await hear(socket)
    await hear(socket)
    found: str | None = answer["payload"]["data"][field]
    return found
