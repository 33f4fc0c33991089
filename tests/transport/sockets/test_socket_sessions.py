"""A socket lives no longer than its session, and as long as its session is renewed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection

from app.domains.accounts.model import Viewer
from app.kit.db import Database
from app.kit.errors import ResyncRequired, Unavailable
from app.transport import sessions
from tests.transport.client import begin, closed, hear, say, subscribe, whoami
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until

EXPIRED = (4403, "The session has expired.")
ENDED = (4403, "The session was ended.")
SOON = timedelta(seconds=90)


def prolong(stage: Stage, token: str, lasts: timedelta = timedelta(hours=1)) -> None:
    """What a refresh over HTTP does to the session's row."""
    stage.tokens[token] = msgspec.structs.replace(stage.tokens[token], expires_at=stage.time.now() + lasts)


async def warned(stage: Stage, socket: ClientConnection, viewer: Viewer, before: timedelta = SOON / 3) -> datetime:
    """Waits for the warning, and gives the moment that it names."""
    stage.time.pass_to(viewer.expires_at - before)
    message = await hear(socket)
    assert message["type"] == "ping"
    assert message["payload"].keys() == {"expiresAt", "expiresInS"}
    return datetime.fromisoformat(message["payload"]["expiresAt"])


async def still_streams(stage: Stage, socket: ClientConnection) -> None:
    """The subscription that was open before is open yet."""
    await stage.publish([7])
    assert (await hear(socket))["payload"]["data"] == {"facts": {"n": 7}}


async def outlive(stage: Stage, socket: ClientConnection, viewer: Viewer) -> None:
    """Returns when the session's first token has expired. What the client has said before is heard by then."""
    await (await socket.ping())
    stage.time.pass_to(viewer.expires_at + timedelta(seconds=1))


@pytest.fixture(autouse=True)
def _looks_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a session a look gets so long; tests that it is given up make it short."""
    monkeypatch.setattr(sessions, "_RETRY_S", HANG_S)


@contextlib.asynccontextmanager
async def following(stage: Stage, token: str) -> AsyncIterator[ClientConnection]:
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {token}"})
        await subscribe(socket, "s", "subscription { facts { n } }")
        await until(lambda: stage.open == 1)
        yield socket


async def test_an_expired_session_is_closed_at_its_time(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        await warned(stage, socket, alice)
        stage.time.pass_to(alice.expires_at - timedelta(milliseconds=1))
        await still_streams(stage, socket)
        stage.time.pass_to(alice.expires_at)
        assert await closed(socket) == EXPIRED
    await until(lambda: stage.open == 0 and stage.runtime.sessions.watching == 0)


async def test_a_revoked_session_is_closed_at_once(stage: Stage) -> None:
    alice, bob = stage.log_in("alice"), stage.log_in("bob")
    async with stage.connect(cookie="alice", origin=stage.url) as socket, stage.connect() as other:
        await begin(socket)
        await begin(other, {"authorization": "Bearer bob"})
        await subscribe(socket, "s", "subscription { facts { n } }")
        await stage.revoke(alice)
        assert await closed(socket) == ENDED
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
        # A minute before would be in the first third of its life.
        stage.time.pass_to(alice.expires_at - SOON / 3 - timedelta(milliseconds=1))
        await still_streams(stage, socket)
        assert await warned(stage, socket, alice) == alice.expires_at
        stage.tokens["next"] = msgspec.structs.replace(alice, expires_at=stage.time.now() + timedelta(hours=1))
        del stage.tokens["alice"]
        await say(socket, "pong", payload={"authorization": "Bearer next"})
        await outlive(stage, socket, alice)
        await still_streams(stage, socket)
        await stage.revoke(alice)
        assert await closed(socket) == ENDED


async def test_a_ping_brings_a_token_as_well_and_gets_it_not_back(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        prolong(stage, "alice")
        await say(socket, "ping", payload={"authorization": "Bearer alice"})
        assert await hear(socket) == {"type": "pong"}
        await outlive(stage, socket, alice)
        await still_streams(stage, socket)


async def test_another_session_of_the_same_user_takes_over(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    other = stage.log_in("other")
    stage.tokens["other"] = other = msgspec.structs.replace(other, user_id=alice.user_id)
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"authorization": "Bearer other"})
        await outlive(stage, socket, alice)
        await still_streams(stage, socket)
        await stage.revoke(other)
        assert await closed(socket) == ENDED


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
        await warned(stage, socket, alice)
        await still_streams(stage, socket)
        stage.time.pass_to(alice.expires_at)
        assert await closed(socket) == EXPIRED


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
        await warned(stage, socket, alice)
        prolong(stage, "alice")
        await say(socket, "pong", payload={"renewed": True})
        await outlive(stage, socket, alice)
        await still_streams(stage, socket)


async def test_a_session_that_was_renewed_before_the_warning_is_not_warned(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        prolong(stage, "alice")
        await outlive(stage, socket, alice)
        # The first thing that is heard: no ping came before it.
        await still_streams(stage, socket)


async def test_a_renewal_that_was_claimed_only_changes_nothing(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        for _ in range(3):
            await say(socket, "pong", payload={"renewed": True})
        await warned(stage, socket, alice)
        stage.time.pass_to(alice.expires_at)
        assert await closed(socket) == EXPIRED


async def test_claiming_a_renewal_again_and_again_does_not_outlive_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    expiries = stage.expiries
    looks = 0
    answered = asyncio.Semaphore(0)

    async def slowly(session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        nonlocal looks
        looks += 1
        await answered.acquire()
        return await expiries(session_ids)

    monkeypatch.setattr(stage.runtime.sessions, "_expiries", slowly)

    async def claim(socket: ClientConnection) -> None:
        """A claim comes in the middle of each look, and many do."""
        for _ in range(20):
            await say(socket, "pong", payload={"renewed": True})
        await (await socket.ping())

    async with following(stage, "alice") as socket:
        await claim(socket)
        for done in range(1, 5):
            # One look after the other, however many claims there were.
            assert looks == done
            answered.release()
            await until(lambda done=done: looks == done + 1)  # type: ignore[misc]
            await claim(socket)
        # The look that precedes the warning takes the place of what a claim began.
        stage.time.pass_to(alice.expires_at - SOON / 3)
        await until(lambda: looks == 6)
        await claim(socket)
        answered.release()
        await hear(socket)
        await until(lambda: looks == 7)
        await claim(socket)
        stage.time.pass_to(alice.expires_at)
        await until(lambda: looks == 8)
        await claim(socket)
        answered.release()
        assert await closed(socket) == EXPIRED
    assert looks == 8


async def test_the_echo_of_a_warning_is_only_an_echo(stage: Stage) -> None:
    alice = stage.log_in("alice", lasts=SOON)
    async with following(stage, "alice") as socket:
        await say(socket, "pong", payload={"expiresAt": "2026-11-21T12:00:00Z", "expiresInS": 1})
        await warned(stage, socket, alice)
        stage.time.pass_to(alice.expires_at)
        assert await closed(socket) == EXPIRED
        assert stage.authentications == 1


async def test_who_lost_the_thread_looks_after_everybody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.log_in("alice")
    stage.log_in("bob")
    monkeypatch.setattr(sessions, "_CHECK_EVERY_S", 0.05)
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
        assert (code, reason) == (1013, "The session cannot be verified at the moment. Connect again.")
        await say(anonymous, "ping")
        assert await hear(anonymous) == {"type": "pong"}


async def test_when_the_database_cannot_be_asked_a_session_ends_at_its_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(stage.runtime.sessions, "_expiries", silent)
    monkeypatch.setattr(sessions, "_RETRY_S", 0.05)
    short = timedelta(seconds=0.3)
    alice = stage.log_in("alice", lasts=short)
    async with following(stage, "alice") as socket:
        # The looks are given up: the first when as much time has passed as was left.
        await warned(stage, socket, alice, short / 3)
        stage.time.pass_to(alice.expires_at)
        assert await closed(socket) == EXPIRED


async def test_the_warning_comes_as_early_as_is_set(database: Database, redis: Redis) -> None:
    early = timedelta(seconds=5)
    async with staged(database, redis, socket_token_warning_s=early.total_seconds()) as stage:
        alice = stage.log_in("alice", lasts=SOON)
        async with following(stage, "alice") as socket:
            stage.time.pass_to(alice.expires_at - early - timedelta(milliseconds=1))
            await still_streams(stage, socket)
            assert await warned(stage, socket, alice, early) == alice.expires_at
