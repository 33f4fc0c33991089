"""Every way in which a subscription ends is reported to its client, as far as the protocol can, and counted."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from unittest.mock import AsyncMock

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from app.domains.accounts.model import Viewer
from app.engine.declarations.limits import LimitExceeded
from app.engine.execution.failures import TimedOut
from app.engine.execution.operations import NotOpened
from app.engine.streams.group import BROKEN
from app.engine.streams.iterator import _Inbox
from app.engine.streams.model import EndReason
from app.kit.errors import InvalidInput, Unavailable
from app.transport.sessions import Ending
from app.transport.sockets.subscription import SocketSubscription
from tests.databases import Owner
from tests.transport.client import begin, closed, hear, say, subscribe
from tests.transport.stage import Stage
from tests.waiting import HANG_S, until

MINE: Final = "subscription { mine { n } }"
ACCEPTED: Final = {"sse": "text/event-stream", "multipart": 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'}

End = Callable[[Stage, Viewer, Owner, pytest.MonkeyPatch], Awaitable[None]]


async def closed_by_viewer(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    (member,) = stage.runtime.subscriptions.of(viewer.user_id)
    assert stage.runtime.subscriptions.end(member.id, viewer.user_id)


async def expired(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    def is_over() -> bool:
        # A socket is warned before, and looks whether the session was renewed meanwhile.
        stage.time.pass_to(max(viewer.expires_at, stage.time.now()))
        return stage.open == 0

    await until(is_over)


async def revoked(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    await stage.revoke(viewer)


async def unverified(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    stage.runtime.sessions._notify(viewer.session_id, Ending.UNSURE)


async def forbidden(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    stage.forbidden = True
    await stage.publish([1], f"of:{viewer.user_id}")


async def restored(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    await owner.execute("UPDATE event_epoch SET epoch = gen_random_uuid()")
    stage.hub.check_soon()


async def stopping(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    await stage.streams.close()
    await stage.sockets.close()


async def maintained(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    stage.runtime.maintenance.turn_on(None, 60)


async def broken(stage: Stage, viewer: Viewer, owner: Owner, patch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise LookupError

    patch.setattr(SocketSubscription, "deliver", fail)
    patch.setattr(_Inbox, "deliver", fail)
    await stage.publish([1], f"of:{viewer.user_id}")


FINAL: Final[dict[EndReason, tuple[End, str]]] = {
    EndReason.STREAM_CLOSED: (closed_by_viewer, "STREAM_CLOSED"),
    EndReason.FORBIDDEN: (forbidden, "FORBIDDEN"),
    EndReason.RESYNC_REQUIRED: (restored, "RESYNC_REQUIRED"),
    EndReason.FAILED: (broken, "INTERNAL"),
}
"""Only the subscription ends: what ends it, and the code."""

SESSION: Final[dict[EndReason, tuple[End, str, int]]] = {
    EndReason.SESSION_EXPIRED: (expired, "UNAUTHENTICATED", 4403),
    EndReason.SESSION_ENDED: (revoked, "UNAUTHENTICATED", 4403),
    EndReason.SESSION_UNVERIFIED: (unverified, "MAINTENANCE", 1013),
    EndReason.SERVER_STOPPING: (stopping, "MAINTENANCE", 1012),
    EndReason.MAINTENANCE: (maintained, "MAINTENANCE", 1013),
}
"""The connection ends: what ends it, the code of the error over HTTP, and the code with which a socket is closed."""

RETRYABLE: Final = {EndReason.SESSION_UNVERIFIED, EndReason.SERVER_STOPPING, EndReason.MAINTENANCE}


def ends(stage: Stage) -> dict[tuple[str, str], int]:
    """How many subscriptions have ended, by transport and reason."""
    found = stage.runtime.subscriptions.counters.ends
    return {(transport.lower(), reason): count for (transport, reason), count in found.items() if count}


@contextlib.asynccontextmanager
async def watching(stage: Stage) -> AsyncIterator[ClientConnection]:
    """A socket with one subscription, `s`."""
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice"})
        await subscribe(socket, "s", MINE)
        await until(lambda: stage.open == 1)
        yield socket


async def body_of(stage: Stage, accept: str, end: Callable[[], Awaitable[None]]) -> str:
    """The whole body of a stream that we end."""
    headers = {"accept": accept, "authorization": "Bearer alice"}
    async with (
        httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=HANG_S, trust_env=False) as client,
        client.stream("POST", "/graphql", json={"query": MINE}) as response,
    ):
        await until(lambda: stage.open == 1)
        await end()
        return "".join([text async for text in response.aiter_text()])


def last_of(transport: str, body: str) -> tuple[list[dict[str, Any]], bool]:
    """The errors at the end of a body, and whether it says that it is complete."""
    if transport == "multipart":
        assert body.startswith("\r\n--graphql\r\n")
        assert body.endswith("\r\n--graphql--\r\n")
        part = json.loads(body.rsplit("\r\n\r\n", maxsplit=1)[-1].partition("\r\n")[0])
        assert part["payload"] is None
        return part["errors"], True
    *_, error, last = body.removesuffix("\n\n").split("\n\n") if "complete" in body else ("", body)
    if last != "event: complete\ndata:":
        return [], False
    return json.loads(error.partition("data: ")[2])["errors"], True


@pytest.mark.parametrize("reason", FINAL)
async def test_a_subscription_that_ends_on_a_socket_is_an_error_with_its_reason(
    stage: Stage, owner: Owner, monkeypatch: pytest.MonkeyPatch, reason: EndReason
) -> None:
    alice = stage.log_in("alice")
    end, code = FINAL[reason]
    async with watching(stage) as socket:
        await end(stage, alice, owner, monkeypatch)
        message = await hear(socket)
        assert (message["id"], message["type"]) == ("s", "error")
        extensions = [error["extensions"] for error in message["payload"]]
        assert [(each["code"], each["reason"]) for each in extensions] == [(code, reason)]
        # The socket lives, and the id is free.
        await subscribe(socket, "s", "{ hello }")
        assert (await hear(socket))["type"] == "next"
    assert ends(stage) == {("websocket", reason): 1}


@pytest.mark.parametrize("reason", SESSION)
async def test_a_socket_that_is_closed_says_why(
    stage: Stage, owner: Owner, monkeypatch: pytest.MonkeyPatch, reason: EndReason
) -> None:
    alice = stage.log_in("alice")
    end, _, code = SESSION[reason]
    async with watching(stage) as socket:
        await end(stage, alice, owner, monkeypatch)
        assert (await closed(socket))[0] == code
    assert ends(stage) == {("websocket", reason): 1}


@pytest.mark.parametrize("transport", ACCEPTED)
@pytest.mark.parametrize("reason", [*FINAL, *SESSION])
async def test_a_stream_that_ends_over_http_says_why(
    stage: Stage, owner: Owner, monkeypatch: pytest.MonkeyPatch, reason: EndReason, transport: str
) -> None:
    alice = stage.log_in("alice")
    end, code, *_ = FINAL.get(reason) or SESSION[reason]
    body = await body_of(stage, ACCEPTED[transport], lambda: end(stage, alice, owner, monkeypatch))
    errors, is_complete = last_of(transport, body)
    if transport == "sse" and reason in RETRYABLE:
        # Without `complete` clients connect again.
        assert not is_complete
        assert body.startswith(f": {reason} ")
    else:
        assert is_complete
        extensions = [error["extensions"] for error in errors]
        assert [(each["code"], each["reason"]) for each in extensions] == [(code, reason)]
    await until(lambda: ends(stage) == {(transport, reason): 1})


async def refused_by(stage: Stage, transport: str, query: str) -> list[dict[str, Any]]:
    """The extensions of the errors with which a subscription is refused at its start."""
    if transport == "websocket":
        async with stage.connect() as socket:
            await begin(socket, {"authorization": "Bearer alice"})
            await subscribe(socket, "s", query)
            message = await hear(socket)
            assert message["type"] == "error"
            return [error["extensions"] for error in message["payload"]]
    headers = {"accept": ACCEPTED[transport], "authorization": "Bearer alice"}
    async with httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=HANG_S, trust_env=False) as client:
        errors, is_complete = last_of(transport, (await client.post("/graphql", json={"query": query})).text)
    assert is_complete
    return [error["extensions"] for error in errors]


AFTER: Final = 'subscription { facts(after: "x") { n } }'
REFUSALS: Final[dict[str, tuple[str, Exception | None, str, EndReason | None]]] = {
    "resync": (AFTER, None, "RESYNC_REQUIRED", EndReason.RESYNC_REQUIRED),
    "forbidden": (MINE, None, "FORBIDDEN", EndReason.FORBIDDEN),
    "unavailable": (MINE, Unavailable(), "MAINTENANCE", EndReason.FAILED),
    "timeout": (MINE, TimedOut(), "MAINTENANCE", EndReason.FAILED),
    "broken": (MINE, NotOpened(BROKEN), "INTERNAL", EndReason.FAILED),
    "arguments": (MINE, InvalidInput("n", "No."), "BAD_USER_INPUT", None),
    "cost": (MINE, LimitExceeded("Too much."), "COST_EXCEEDED", None),
}
"""What is subscribed to, and what is raised there; the code, and the reason if it is one of an end."""


@pytest.mark.parametrize("transport", ["websocket", *ACCEPTED])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_at_the_start_has_the_reason_of_an_end_and_is_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, refusal: str, transport: str
) -> None:
    stage.log_in("alice")
    stage.forbidden = True
    query, failure, code, reason = REFUSALS[refusal]
    if failure is not None:
        monkeypatch.setattr(stage.runtime.engine, "open_stream", AsyncMock(side_effect=failure))
    (extensions,) = await refused_by(stage, transport, query)
    assert (extensions["code"], extensions.get("reason")) == (code, reason)
    assert ends(stage) == ({} if reason is None else {(transport, reason): 1})
    assert stage.counters.resyncs == (refusal == "resync")


async def test_each_end_is_heard_of_though_nobody_watches(stage: Stage) -> None:
    alice = stage.log_in("alice")
    await stage.revoke(alice)
    await until(lambda: stage.over == [alice.session_id])


@pytest.mark.parametrize("transport", ACCEPTED)
async def test_a_session_that_ended_while_it_was_authenticated_has_no_stream(stage: Stage, transport: str) -> None:
    stage.log_in("alice", lasts=timedelta(0))
    headers = {"accept": ACCEPTED[transport], "authorization": "Bearer alice"}
    async with httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=HANG_S, trust_env=False) as client:
        body = (await client.post("/graphql", json={"query": MINE})).text
    errors, is_complete = last_of(transport, body)
    assert is_complete
    assert [error["extensions"]["reason"] for error in errors] == [EndReason.SESSION_ENDED]
    assert stage.open == 0


async def test_a_stream_whose_server_is_cut_off_is_counted_as_stopped(stage: Stage) -> None:
    stage.log_in("alice")

    async def cut() -> None:
        (answer,) = [each for each in asyncio.all_tasks() if "run_asgi" in repr(each.get_coro())]
        answer.cancel()

    with pytest.raises(httpx.RemoteProtocolError):
        await body_of(stage, ACCEPTED["sse"], cut)
    assert ends(stage) == {("sse", EndReason.SERVER_STOPPING): 1}


@pytest.mark.parametrize(
    ("frame", "code"),
    [("nonsense", 4400), ('{"type":"connection_init"}', 4429), (b"\xff", 4400), ("x" * 2_000_000, 1009)],
)
async def test_a_socket_that_is_closed_for_an_error_of_the_client_is_counted_as_such(
    stage: Stage, frame: str | bytes, code: int
) -> None:
    stage.log_in("alice")
    async with watching(stage) as socket:
        await socket.send(frame)
        assert (await closed(socket))[0] == code
    await until(lambda: ends(stage) == {("websocket", EndReason.CLIENT_ERROR): 1})


async def test_what_the_client_ends_is_counted_apart(stage: Stage) -> None:
    stage.log_in("alice")
    async with watching(stage) as socket:
        await say(socket, "complete", id="s")
        await until(lambda: stage.open == 0)
        assert ends(stage) == {("websocket", EndReason.COMPLETED): 1}
    async with watching(stage):
        pass
    await until(lambda: ends(stage).get(("websocket", EndReason.DISCONNECTED)) == 1)
    async with watching(stage) as socket:
        await socket.send("nonsense")
        assert (await closed(socket))[0] == 4400
    async with watching(stage):
        (wire,) = [each.wire for each in stage.sockets]
        wire.keepalive_timeout()
        await until(lambda: stage.open == 0)
    async with watching(stage):
        (stuck,) = stage.sockets
        stuck._evict()
        await until(lambda: stage.open == 0)
    for transport, accept in ACCEPTED.items():
        headers = {"accept": accept, "authorization": "Bearer alice"}
        async with (
            httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=HANG_S, trust_env=False) as client,
            client.stream("POST", "/graphql", json={"query": MINE}),
        ):
            await until(lambda: stage.open == 1)
        await until(lambda transport=transport: ends(stage).get((transport, EndReason.DISCONNECTED)) == 1)  # type: ignore[misc]
    reasons = ("COMPLETED", "DISCONNECTED", "CLIENT_ERROR", "UNRESPONSIVE", "SLOW_READER")
    assert ends(stage) == {
        **{("websocket", EndReason(reason)): 1 for reason in reasons},
        ("sse", EndReason.DISCONNECTED): 1,
        ("multipart", EndReason.DISCONNECTED): 1,
    }
    shown = await stage.metrics()
    for reason in EndReason:
        name = f'moneta_subscription_ends_total{{reason="{reason.lower()}",transport="websocket"}}'
        assert shown[name] == ends(stage).get(("websocket", reason), 0)


def test_every_reason_is_tried_here() -> None:
    by_client = {"COMPLETED", "DISCONNECTED", "CLIENT_ERROR", "UNRESPONSIVE", "SLOW_READER"}
    assert {*FINAL, *SESSION, *map(EndReason, by_client)} == set(EndReason)
