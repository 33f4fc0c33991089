import base64
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from app.kit.db import Database
from app.kit.volatile import VolatileTopics
from tests.transport.client import begin, closed, hear, say, subscribe
from tests.transport.stage import Stage, staged
from tests.waiting import elapse, until


async def test_a_query_and_a_mutation_answer_once(stage: Stage) -> None:
    async with stage.connect() as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await begin(socket)
        await subscribe(socket, "q", "query A($n: String!) { hello(name: $n) }", variables={"n": "é\U0001f4b8"})
        answer = await hear(socket)
        assert (answer["id"], answer["type"], answer["payload"]["data"]) == (
            "q",
            "next",
            {"hello": "hello é\U0001f4b8"},
        )
        assert await hear(socket) == {"id": "q", "type": "complete"}

        await subscribe(socket, "m", "query A { hello } mutation B { bump }", operationName="B", extensions={})
        answer = await hear(socket)
        assert (answer["type"], answer["payload"]["data"]) == ("next", {"bump": 1})
        assert await hear(socket) == {"id": "m", "type": "complete"}
    assert stage.bumps == 1


async def test_a_socket_of_our_page_sets_no_cookies(stage: Stage) -> None:
    async with stage.connect(origin=stage.url) as socket:
        await begin(socket)
        await subscribe(socket, "q", "{ setsCookies }")
        assert (await hear(socket))["payload"]["data"] == {"setsCookies": False}


async def test_a_subscription_answers_each_event_in_order(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket, {})
        await subscribe(socket, "s", "subscription { facts { n text(size: 3) } }")
        await until(lambda: stage.open == 1)
        await stage.publish(range(3))
        heard = [await hear(socket) for _ in range(3)]
        assert [(each["id"], each["type"]) for each in heard] == [("s", "next")] * 3
        assert [each["payload"]["data"]["facts"] for each in heard] == [{"n": n, "text": "xxx"} for n in range(3)]
    await until(lambda: stage.open == 0)


@pytest.mark.parametrize("size", [1, 100, 1000, 65_300, 65_400, 65_500, 70_000])
async def test_frames_of_every_length_arrive_whole(stage: Stage, size: int) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(
            socket, '\u00e9"x', "subscription($n: Int!) { facts { text(size: $n) } }", variables={"n": size}
        )
        await until(lambda: stage.open == 1)
        await stage.publish([1])
        answer = await hear(socket)
        assert (answer["id"], len(answer["payload"]["data"]["facts"]["text"])) == ('\u00e9"x', size)


async def test_a_volatile_subscription_begins_with_the_latest(stage: Stage) -> None:
    prices = VolatileTopics(stage.redis)
    await prices.publish("price", "BTC", 7)
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { price { n } }")
        assert (await hear(socket))["payload"]["data"] == {"price": {"n": 7}}
        await prices.publish("price", "BTC", 8)
        assert (await hear(socket))["payload"]["data"] == {"price": {"n": 8}}


async def test_operations_run_side_by_side_and_their_ids_are_free_again(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "a", "subscription { facts { n } }")
        await subscribe(socket, "b", "{ hello }")
        assert [(await hear(socket))["type"] for _ in range(2)] == ["next", "complete"]
        await subscribe(socket, "b", "{ hello }")
        assert [(await hear(socket))["type"] for _ in range(2)] == ["next", "complete"]

        await say(socket, "complete", id="a")
        await subscribe(socket, "a", "{ hello }")
        assert [(await hear(socket))["type"] for _ in range(2)] == ["next", "complete"]
        await until(lambda: stage.open == 0)


async def test_complete_ends_an_operation_and_says_nothing(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { facts { n } }")
        await subscribe(socket, "q", "{ forever }")
        await until(lambda: stage.open == 1 and stage.executing == 1)
        await say(socket, "complete", id="s")
        await say(socket, "complete", id="q")
        await say(socket, "complete", id="unknown")
        await until(lambda: stage.open == 0 and stage.executing == 0)
        await stage.publish([1])
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}


@pytest.mark.parametrize("leave", ["complete", "close"])
async def test_a_mutation_that_has_begun_runs_to_its_end(stage: Stage, leave: str) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "m", "mutation { bumpSlowly }")
        await until(lambda: stage.executing == 1)
        if leave == "complete":
            await say(socket, "complete", id="m")
            await say(socket, "ping")
            assert await hear(socket) == {"type": "pong"}
        else:
            await socket.close()
            await until(lambda: len(stage.sockets) == 0)
        stage.released.set()
        await until(lambda: stage.executing == 0)
        assert stage.bumps == 1
        if leave == "complete":
            # Nobody waits for its result any more.
            await say(socket, "ping")
            assert await hear(socket) == {"type": "pong"}


async def test_a_subscription_that_is_completed_while_it_opens_stays_closed(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        for _ in range(20):
            await subscribe(socket, "s", "subscription { facts { n } }")
            await say(socket, "complete", id="s")
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}
        await until(lambda: stage.open == 0)
        assert stage.hub.listening == 1


async def test_ping_is_answered_even_before_the_acknowledgement(stage: Stage) -> None:
    async with stage.connect() as socket:
        await say(socket, "ping", payload={"a": 1})
        assert await hear(socket) == {"type": "pong", "payload": {"a": 1}}
        await say(socket, "pong")
        await begin(socket)


async def test_a_refused_operation_is_an_error_and_the_socket_lives(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        for query in ("{ nonsense }", "{", "{ " + "hello " * 600 + "}", ""):
            await subscribe(socket, "bad", query)
            answer = await hear(socket)
            assert (answer["id"], answer["type"]) == ("bad", "error")
            assert answer["payload"][0]["extensions"]["code"] in {"BAD_USER_INPUT", "COST_EXCEEDED"}
        stage.forbidden = True
        await subscribe(socket, "s", "subscription { mine { n } }")
        answer = await hear(socket)
        refused = {"code": "FORBIDDEN", "reason": "FORBIDDEN"}
        assert (answer["type"], answer["payload"][0]["extensions"]) == ("error", refused)
        # No complete after an error: the next answer is the next operation's.
        await subscribe(socket, "q", "{ hello }")
        assert (await hear(socket))["id"] == "q"


async def test_the_cap_refuses_one_operation_and_keeps_the_others(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        for number in range(4):
            await subscribe(socket, str(number), "subscription { facts { n } }")
        answer = await hear(socket)
        assert (answer["id"], answer["type"]) == ("3", "error")
        assert answer["payload"][0]["message"].startswith("This socket has 3 operations open already")
        assert answer["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await until(lambda: stage.open == 3)


async def test_another_subprotocol_is_closed_with_4406(stage: Stage) -> None:
    for protocol in ("graphql-ws", None):
        async with stage.connect(protocol=protocol) as socket:  # type: ignore[arg-type]
            assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_silence_is_closed_with_4408(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_init_timeout_s=0.05) as stage, stage.connect() as socket:
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_an_initialised_socket_outlives_the_init_timeout(database: Database, redis: Redis) -> None:
    # Long enough to say the first word on a busy machine, in the end.
    for timeout_s in (0.05 * 4**attempt for attempt in range(6)):
        async with staged(database, redis, socket_init_timeout_s=timeout_s) as stage, stage.connect() as socket:
            try:
                await begin(socket)
            except ConnectionClosed:
                continue
            await elapse(2 * timeout_s)
            await say(socket, "ping")
            assert await hear(socket) == {"type": "pong"}
            return
    raise AssertionError("it was never in time")


async def test_subscribe_before_the_acknowledgement_is_closed_with_4401(stage: Stage) -> None:
    async with stage.connect() as socket:
        await subscribe(socket, "q", "{ hello }")
        assert await closed(socket) == (4401, "Unauthorized")


async def test_a_second_init_is_closed_with_4429(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await say(socket, "connection_init")
        assert await closed(socket) == (4429, "Too many initialisation requests")


async def test_an_id_in_use_is_closed_with_4409(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { facts { n } }")
        await subscribe(socket, "s", "{ hello }")
        assert await closed(socket) == (4409, "Subscriber for s already exists")
    await until(lambda: stage.open == 0)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        '"ping"',
        "{}",
        '{"type": 1}',
        '{"type": "unknown"}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "start", "id": "1", "payload": {"query": "{ hello }"}}',
        '{"type": "connection_init", "payload": "x"}',
        '{"type": "ping", "payload": []}',
        '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "' + "i" * 257 + '", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": 7, "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "operationName": 1}}',
        '{"type": "complete"}',
        '{"type": "ping", "payload": ' + "[" * 5000 + "]" * 5000 + "}",
        b'{"type": "ping"}',
    ],
)
async def test_a_malformed_message_is_closed_with_4400(stage: Stage, message: str | bytes) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await socket.send(message)
        code, reason = await closed(socket)
        assert code == 4400
        assert 0 < len(reason.encode()) <= 123


async def test_a_message_over_the_limit_closes_the_socket(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await say(socket, "ping", payload={"x": "y" * 16_384})
        assert (await closed(socket))[0] == 1009


async def test_a_message_is_held_whole_in_however_many_pieces_it_comes(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        (wire,) = [each.wire for each in stage.sockets]
        first, *rest = b'{"type":"ping"'
        pieces = [Frame(Opcode.TEXT, bytes((first,)), fin=False)]
        pieces += [Frame(Opcode.CONT, bytes((each,)), fin=False) for each in rest]
        # Empty ones add nothing to a length that could be limited.
        pieces += [Frame(Opcode.CONT, b"", fin=False)] * 10_000
        socket.transport.write(b"".join(piece.serialize(mask=True) for piece in pieces))
        # The answer says that all before it has been read.
        await (await socket.ping())
        assert wire.frames == [b'{"type":"ping"']
        socket.transport.write(Frame(Opcode.CONT, b"}").serialize(mask=True))
        assert await hear(socket) == {"type": "pong"}
        assert wire.frames == []


async def test_text_that_is_no_text_is_closed_and_not_logged_as_our_error(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await socket.send(b"\xff\xfe", text=True)
        assert await closed(socket) == (1007, "Send UTF-8.")
    await until(lambda: len(stage.sockets) == 0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"introspection": False},
        {
            "environment": "production",
            "secret_key": "s" * 32,
            "key_encryption_keys": f"test:{base64.b64encode(bytes(32)).decode()}",
        },
    ],
)
async def test_who_is_not_logged_in_sees_no_schema_and_gets_no_suggestions_in_production(
    database: Database, redis: Redis, settings: dict[str, Any]
) -> None:
    async with staged(database, redis, **settings) as stage, stage.connect() as nobody, stage.connect() as somebody:
        stage.log_in("alice")
        await begin(nobody)
        await begin(somebody, {"authorization": "Bearer alice"})
        for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
            await subscribe(nobody, "q", query)
            refusal = await hear(nobody)
            assert (refusal["type"], refusal["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
            await subscribe(somebody, "q", query)
            assert (await hear(somebody))["payload"]["data"].keys() <= {"__schema", "__type"}
            assert (await hear(somebody))["type"] == "complete"
        await subscribe(nobody, "q", "{ helo }")
        assert (await hear(nobody))["payload"][0]["message"] == "Cannot query field 'helo' on type 'Query'."
        await subscribe(somebody, "q", "{ helo }")
        assert "Did you mean 'hello'?" in (await hear(somebody))["payload"][0]["message"]
