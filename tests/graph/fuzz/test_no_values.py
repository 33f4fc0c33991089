"""What is no number and what is no text is refused as the caller's mistake, wherever it is sent and over what."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.dev.processes import free_port
from app.main import Application
from app.transport.server import serve
from tests.graph.fuzz.callers import belongings, samples
from tests.graph.fuzz.calls import Call, Caller, written_out
from tests.graph.fuzz.target import SDL, Target, open_target
from tests.graph.world import World
from tests.transport.client import begin, closed, hear, say
from tests.waiting import HANG_S

NAME: Final = "admin"
NO_DECIMALS: Final = ("NaN", "sNaN", "-sNaN123", "Infinity", "-inf", "1e5", "1_0", "\u0661", "")
# Escapes, as JSON and GraphQL write them: Python's own strings would not reach the server.
NO_TEXTS: Final = ("\\ud800", "a\\udfffb", "\\udc00\\ud800", "\\uD83D")
TEXTS: Final = ("String", "ID", "Hash", "Cursor", "DateTime")


@asynccontextmanager
async def caller_in(application: Application, world: World) -> AsyncIterator[tuple[Target, Caller]]:
    async with open_target(application, world) as target:
        yield target, Caller(SDL, samples(world, NAME) | await belongings(application, world, NAME))


@asynccontextmanager
async def server_of(target: Target) -> AsyncIterator[str]:
    """The application behind its own server; gives the address of its sockets."""
    stop = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = target.runtime.settings.model_copy(update={"port": free_port()})
    await target.runtime.sessions.start()
    server = asyncio.create_task(
        serve(target.app, settings, ready=address.set_result, stop=stop, stopping=(target.sockets.close,))
    )
    try:
        yield (await address).replace("http://", "ws://") + "/graphql"
    finally:
        stop.set()
        await server
        await target.runtime.sessions.stop()


@asynccontextmanager
async def begun(url: str) -> AsyncIterator[ClientConnection]:
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol], proxy=None, open_timeout=HANG_S, ping_interval=None) as socket:
        await begin(socket, {"authorization": f"Bearer {NAME}"})
        yield socket


async def over_http(target: Target, body: str) -> dict[str, Any]:
    """The one error of an answer that has nothing else."""
    response = await target.client.post(
        "/graphql",
        content=body,
        headers={
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            "authorization": f"Bearer {NAME}",
        },
    )
    assert response.status_code == 400, (body[:300], response.text[:300])
    answer = response.json()
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"]
    result: dict[str, Any] = error
    return result


def bodies(call: Call) -> list[dict[str, Any]]:
    """The same with a variable, and written into the document."""
    return [{"query": call.document, "variables": call.variables}, {"query": written_out(call, SDL)}]


async def test_the_calls_are_right_but_for_what_is_wrong(application: Application, world: World) -> None:
    async with caller_in(application, world) as (target, caller):
        calls = list(caller.leaves("Decimal", "1"))
        assert len(calls) > 15
        for body in (body for call in calls for body in bodies(call)):
            prepared = target.runtime.engine.prepare(
                body["query"], None, body.get("variables"), introspection_allowed=True
            )
            assert not isinstance(prepared, list), (body, prepared)


@pytest.mark.parametrize("value", NO_DECIMALS)
async def test_what_is_no_number_is_refused_for_every_decimal(
    application: Application, world: World, value: str
) -> None:
    async with caller_in(application, world) as (target, caller), server_of(target) as url, begun(url) as socket:
        asked = [(call, body) for call in caller.leaves("Decimal", value) for body in bodies(call)]
        for number, (call, body) in enumerate(asked):
            error = await over_http(target, json.dumps(body))
            assert "Decimal" in error["message"], call
            await say(socket, "subscribe", id=str(number), payload=body)
            heard = await hear(socket)
            assert (heard["type"], heard["id"]) == ("error", str(number))
            (other,) = heard["payload"]
            assert (other["message"], other["extensions"]["code"]) == (error["message"], "BAD_USER_INPUT"), call


@pytest.mark.parametrize("text", NO_TEXTS)
async def test_half_a_character_is_refused_wherever_text_is_taken(
    application: Application, world: World, text: str
) -> None:
    async with caller_in(application, world) as (target, caller), server_of(target) as url:
        calls = [call for kind in TEXTS for call in caller.leaves(kind, text)]
        assert len(calls) > 80
        async with begun(url) as socket:
            for number, call in enumerate(calls):
                # In the document GraphQL reads the escape; in a variable JSON does.
                written = {"query": written_out(call, SDL)}
                error = await over_http(target, json.dumps(written))
                assert "Unicode" in error["message"], call
                await say(socket, "subscribe", id=str(number), payload=written)
                heard = await hear(socket)
                assert (heard["type"], heard["id"]) == ("error", str(number))
                (other,) = heard["payload"]
                assert (other["message"], other["extensions"]["code"]) == (error["message"], "BAD_USER_INPUT")
                error = await over_http(target, sent := raw(call))
                assert "surrogate" in error["message"], call
        # What is not JSON says not even for which operation it was meant.
        async with begun(url) as socket:
            await socket.send('{"type":"subscribe","id":"1","payload":' + sent + "}")
            code, reason = await closed(socket)
        assert code == 4400
        assert "surrogate" in reason


def raw(call: Call) -> str:
    """With the escape as it is, for JSON to read."""
    return json.dumps({"query": call.document, "variables": call.variables}).replace("\\\\u", "\\u")
