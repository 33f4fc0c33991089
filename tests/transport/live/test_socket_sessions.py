"""A socket lives no longer than its session, and as long as its session is renewed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.domains.accounts.model import Viewer
from app.kit.db import Database
from app.kit.errors import ResyncRequired, Unavailable
from app.transport import sessions
from tests.transport.live.stage import Stage, begin, closed, hear, say, staged, subscribe, whoami
from tests.waiting import until

EXPIRED = (4403, "The session has expired.")
ENDED = (4403, "The session was ended.")
SOON = timedelta(seconds=0.9)


def prolong(stage: Stage, token: str, lasts: timedelta = timedelta(hours=1)) -> None:
    """What a refresh over HTTP does to the session's row."""
    stage.tokens[token] = msgspec.structs.replace(stage.tokens[token], expires_at=datetime.now(UTC) + lasts)


async def warned(socket: ClientConnection) -> datetime:
    """Waits for the warning, and gives the moment that it names."""
    message = await hear(socket)
    assert message["type"] == "ping"
    assert message["payload"].keys() == {"expiresAt", "expiresInS"}
    return datetime.fromisoformat(message["payload"]["expiresAt"])


async def still_streams(stage: Stage, socket: ClientConnection) -> None:
    """The subscription that was open before is open yet."""
    await stage.publish([7])
    assert (await hear(socket))["payload"]["data"] == {"facts": {"n": 7}}


async def outlive(viewer: Viewer) -> None:
    """Returns when the session's first token has expired."""
    await until(lambda: datetime.now(UTC) > viewer.expires_at + timedelta(seconds=0.2))


@contextlib.asynccontextmanager
async def following(stage: Stage, token: str) -> AsyncIterator[ClientConnection]:
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {token}"})
        await subscribe(socket, "s", "subscription { facts { n } }")
        await until(lambda: stage.open == 1)
        yield socket


async def test_an_expired_session_is_closed_at_its_time(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=timedelta(seconds=0.4))
    async with following(stage, "alice") as socket:
        assert await closed(socket, within_s=2) == EXPIRED
        assert datetime.now(UTC) >= alice.expires_at
    await until(lambda: stage.open == 0 and stage.runtime.sessions.watching == 0)


async def test_a_revoked_session_is_closed_within_a_second(stage: Stage) -> None:
    alice, bob = stage.log_in("alice"), stage.log_in("bob")
    async with stage.connect(cookie="alice", origin=stage.url) as socket, stage.connect() as other:
        await begin(socket)
        await begin(other, {"authorization": "Bearer bob"})
        await subscribe(socket, "s", "subscription { facts { n } }")
        await stage.revoke(alice)
        assert await closed(socket, within_s=1) == ENDED
        assert await whoami(other) == str(bob.user_id)


async def test_a_session_that_ended_between_authentication_and_acknowledgement_does_not_slip_through(
    stage: Stage,
) -> None:
    alice = stage.log_in("alice")
    async with stage.connect(cookie="alice", origin=stage.url) as socket:
        # The handshake has authenticated; nobody watches the session yet.
        assert stage.runtime.sessions.watching == 0
        await stage.revoke(alice)
        await until(lambda: not stage.runtime.sessions.watch(alice.session_id, Deaf()))
        await say(socket, "connection_init")
        assert await closed(socket) == (4403, "Forbidden")


class Deaf:
    def ended(self, ending: sessions.Ending) -> None:
        pass


async def test_a_new_token_keeps_the_socket_and_its_subscriptions(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        assert await warned(socket) == alice.expires_at
        # A minute before would be before its life began.
        assert timedelta(0) < alice.expires_at - datetime.now(UTC) <= SOON / 3
        stage.tokens["next"] = msgspec.structs.replace(alice, expires_at=datetime.now(UTC) + timedelta(hours=1))
        del stage.tokens["alice"]
        await say(socket, "pong", payload={"authorization": "Bearer next"})
        await outlive(alice)
        await still_streams(stage, socket)
        await stage.revoke(alice)
        assert await closed(socket, within_s=1) == ENDED


async def test_a_ping_brings_a_token_as_well_and_gets_it_not_back(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        prolong(stage, "alice")
        await say(socket, "ping", payload={"authorization": "Bearer alice"})
        assert await hear(socket) == {"type": "pong"}
        await outlive(alice)
        await still_streams(stage, socket)


async def test_another_session_of_the_same_user_takes_over(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    other = stage.log_in("other")
    stage.tokens["other"] = other = msgspec.structs.replace(other, user_id=alice.user_id)
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"authorization": "Bearer other"})
        await outlive(alice)
        await still_streams(stage, socket)
        await stage.revoke(other)
        assert await closed(socket, within_s=1) == ENDED


async def test_another_users_token_closes(stage: Stage) -> None:
    stage.log_in("alice")
    stage.log_in("mallory")
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"authorization": "Bearer mallory"})
        assert await closed(socket) == (4403, "Forbidden")
    await until(lambda: stage.open == 0)


@pytest.mark.parametrize("authorization", ["Bearer nobody", "Basic alice", "", 7])
async def test_a_token_that_is_not_good_is_said_so_and_closes_at_expiry_only(
    stage: Stage, authorization: object
) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"authorization": authorization})
        answer = await hear(socket)
        assert (answer["type"], answer["payload"].keys()) == ("ping", {"error"})
        await still_streams(stage, socket)
        assert await closed(socket, within_s=3) == EXPIRED
        assert datetime.now(UTC) >= alice.expires_at


async def test_an_anonymous_socket_has_nothing_to_renew(stage: Stage) -> None:
    stage.log_in("alice")
    async with stage.connect() as socket:
        await begin(socket)
        await say(socket, "pong", payload={"authorization": "Bearer alice"})
        assert "anonymous" in (await hear(socket))["payload"]["error"]
        assert await whoami(socket) is None
        assert stage.authentications == 0


async def test_a_page_that_renewed_its_session_says_so(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with stage.connect(cookie="alice", origin=stage.url) as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { facts { n } }")
        await warned(socket)
        prolong(stage, "alice")
        await say(socket, "pong", payload={"renewed": True})
        await outlive(alice)
        await still_streams(stage, socket)


async def test_a_session_that_was_renewed_before_the_warning_is_not_warned(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        prolong(stage, "alice")
        await outlive(alice)
        # The first thing that is heard: no ping came before it.
        await still_streams(stage, socket)


async def test_a_renewal_that_was_claimed_only_changes_nothing(stage: Stage) -> None:
    stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        for _ in range(3):
            await say(socket, "pong", payload={"renewed": True})
        assert await closed(socket, within_s=3) == EXPIRED


async def test_claiming_a_renewal_again_and_again_does_not_outlive_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    expiries = stage.expiries
    asked = 0

    async def slowly(session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        nonlocal asked
        asked += 1
        # Longer than from one claim to the next, so that one comes in the middle of each look.
        await asyncio.sleep(0.05)
        return await expiries(session_ids)

    monkeypatch.setattr(stage.runtime.sessions, "_expiries", slowly)
    async with following(stage, "alice") as socket:

        async def claim() -> None:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await say(socket, "pong", payload={"renewed": True})
                    await asyncio.sleep(0.001)

        claiming = asyncio.create_task(claim())
        assert await closed(socket, within_s=3) == EXPIRED
        await claiming
        assert datetime.now(UTC) >= alice.expires_at
    # One look after the other, however many claims there were.
    assert asked <= SOON.total_seconds() / 0.05 + 3


async def test_the_echo_of_a_warning_is_only_an_echo(stage: Stage) -> None:
    stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"expiresAt": "2026-11-21T12:00:00Z", "expiresInS": 1})
        assert await closed(socket, within_s=3) == EXPIRED
        assert stage.authentications == 1


async def test_who_lost_the_thread_looks_after_everybody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.log_in("alice")
    stage.log_in("bob")
    monkeypatch.setattr(sessions, "_LOOK_EVERY_S", 0.05)
    async with stage.connect() as gone, stage.connect() as living:
        await begin(gone, {"authorization": "Bearer alice"})
        await begin(living, {"authorization": "Bearer bob"})
        # Ended without a trace in the stream.
        del stage.tokens["alice"]
        top, failures = stage.hub.top, iter([ResyncRequired()])

        async def torn(stream: str) -> int:
            for failure in failures:
                raise failure
            return await top(stream)

        monkeypatch.setattr(stage.hub, "top", torn)
        # The watch looks at its stream whenever something happens there.
        await stage.revoke(stage.log_in("somebody"))
        assert await closed(gone) == ENDED
        await say(living, "ping")
        assert await hear(living) == {"type": "pong"}


async def test_who_cannot_be_vouched_for_is_let_go(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "UNSURE_S", 0.2)
    monkeypatch.setattr(sessions, "_RETRY_S", 0.05)
    stage.log_in("alice")
    async with stage.connect() as known, stage.connect() as anonymous:
        await begin(known, {"authorization": "Bearer alice"})
        await begin(anonymous)

        async def cut_off(stream: str) -> int:
            raise Unavailable

        monkeypatch.setattr(stage.hub, "top", cut_off)
        await stage.revoke(stage.log_in("somebody"))
        code, reason = await closed(known)
        assert (code, reason) == (1013, "It cannot be told whether the session lives. Connect again.")
        await say(anonymous, "ping")
        assert await hear(anonymous) == {"type": "pong"}


async def test_when_the_database_cannot_be_asked_a_session_ends_at_its_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(stage.runtime.sessions, "_expiries", silent)
    alice = stage.log_in("alice", lasts=timedelta(seconds=0.4))
    async with following(stage, "alice") as socket:
        assert await closed(socket, within_s=3) == EXPIRED
        assert datetime.now(UTC) < alice.expires_at + timedelta(seconds=1)


async def test_the_warning_comes_as_early_as_is_set(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_token_warning_s=0.5) as stage:
        alice = stage.log_in("alice", lasts=timedelta(seconds=2))
        async with stage.connect() as socket:
            await begin(socket, {"authorization": "Bearer alice"})
            assert await warned(socket) == alice.expires_at
            assert timedelta(0) < alice.expires_at - datetime.now(UTC) <= timedelta(seconds=0.5)
