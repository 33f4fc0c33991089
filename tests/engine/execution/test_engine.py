import asyncio
import threading
from typing import Any

import pytest
from graphql import OperationType

from app.engine.execution.checks import TooManyChecks
from app.engine.execution.failures import MAX_MESSAGE_CHARS, describe
from app.engine.execution.limits.text import MAX_VALUES, check_variables
from app.engine.execution.operations import Prepared, Response
from app.kit.work import current_work
from tests.engine.support import Context, engine, listening, prepare, refusal


async def run(query: str, variables: dict[str, Any] | None = None, **limits: Any) -> Response:
    graph = engine(**limits)
    return await graph.execute(prepare(graph, query, variables), Context())


async def test_a_query_answers_with_its_cost_and_closes_its_loads() -> None:
    graph, context = engine(), Context()
    response = await graph.execute(prepare(graph, 'query Named { item(name: "x") { name } }'), context)
    assert response.body() == {
        "data": {"item": {"name": "x"}},
        "extensions": {"cost": {"requested": 2, "used": 2, "remaining": 998}, "statements": 0},
    }
    assert context.reads.closed == 1
    assert current_work() is None


async def test_an_operation_knows_its_kind_and_name() -> None:
    document = "query A { number } mutation B { add { name } }"
    second = engine().prepare(document, "B", None, introspection_allowed=True)
    assert not isinstance(second, list)
    assert (second.kind, second.name, second.cost) == (OperationType.MUTATION, "B", 11)
    assert "several operations" in refusal(engine(), document)[1]
    absent = engine().prepare(document, "C", None, introspection_allowed=True)
    assert isinstance(absent, list)


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        ("{ number ", None, "Syntax Error"),
        ("", None, "Syntax Error"),
        ("{ nothing }", None, "Cannot query field 'nothing'"),
        ("query($v: Int!) { number(value: $v) }", {"v": "x"}, "Int cannot represent"),
        ("query($v: Int!) { number(value: $v) }", {"v": 2**53 + 1}, "32-bit"),
        ("query($v: Int!) { number(value: $v) }", {"v": 1.5}, "Int cannot represent"),
        ("query($v: Int!) { number(value: $v) }", {}, "to be provided"),
        ("fragment A on Item { name }", None, "never used"),
    ],
)
def test_what_the_client_got_wrong_is_said_in_full(query: str, variables: dict[str, Any] | None, message: str) -> None:
    code, said = refusal(engine(), query, variables)
    assert code == "BAD_USER_INPUT"
    assert message in said


async def test_a_null_for_an_argument_with_a_default_is_the_clients_mistake() -> None:
    response = await run("query($v: Int) { number(value: $v) }", {"v": None})
    assert response.data is None
    assert response.codes == ["BAD_USER_INPUT"]


async def test_expected_failures_say_what_they_are() -> None:
    response = await run("{ missing limited invalid number }")
    assert response.data == {"missing": None, "limited": None, "invalid": None, "number": 1}
    assert [(error["path"], error["extensions"]) for error in response.errors] == [
        (["missing"], {"code": "NOT_FOUND"}),
        (["limited"], {"code": "RATE_LIMITED", "retryAfterMs": 7000}),
        (["invalid"], {"code": "BAD_USER_INPUT", "fields": [{"path": ["name"], "message": "Too short."}]}),
    ]


@pytest.mark.plan_fails
async def test_what_nobody_expected_is_masked_and_logged() -> None:
    with listening() as logs:
        response = await run("query Named { boom }")
    assert response.errors == [
        {
            "message": "Internal error.",
            "locations": [{"line": 1, "column": 15}],
            "path": ["boom"],
            "extensions": {"code": "INTERNAL", "requestId": "request-1"},
        }
    ]
    # Met breadth-first and again by graphql-core, it is one error in the log.
    plan_failed, entry = logs
    assert len(plan_failed.pop("document")) == 64
    assert plan_failed == {
        "event": "engine.plan_failed",
        "log_level": "warning",
        "operation": "Named",
        "errors": ["ValueError"],
    }
    assert (entry["event"], entry["path"], entry["request_id"]) == ("resolver_failed", ["boom"], "request-1")
    assert isinstance(entry["exc_info"], ValueError)


async def test_a_fallback_is_logged_without_what_the_client_sent() -> None:
    with listening() as logs:
        await run("query Named { invalid refused }")
    (entry,) = logs
    assert len(entry.pop("document")) == 64
    assert entry == {
        "event": "engine.fell_back",
        "log_level": "info",
        "operation": "Named",
        "errors": ["InvalidInput BAD_USER_INPUT"],
    }


async def test_an_operation_that_takes_too_long_is_stopped() -> None:
    graph, context = engine(timeout_s=0.01), Context()
    response = await graph.execute(prepare(graph, "{ forever }"), context)
    assert (response.data, response.codes, response.executed) == (None, ["MAINTENANCE"], True)
    assert context.reads.closed == 1


async def test_a_cancelled_operation_closes_its_loads() -> None:
    graph, context = engine(), Context()
    running = asyncio.create_task(graph.execute(prepare(graph, "{ forever }"), context))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert context.reads.closed == 1


def test_who_may_not_introspect_gets_neither_schema_nor_suggestions() -> None:
    graph = engine()
    for query in ("{ __schema { types { name } } }", '{ ...Q } fragment Q on Query { __type(name: "Item") { name } }'):
        assert refusal(graph, query, introspection_allowed=False)[0] == "FORBIDDEN"
        # The same document stays known to those who may.
        assert prepare(graph, query).cost > 0
        assert refusal(graph, query, introspection_allowed=False)[0] == "FORBIDDEN"
    assert "Did you mean 'number'" in refusal(graph, "{ numbr }")[1]
    assert refusal(graph, "{ numbr }", introspection_allowed=False)[1] == "Cannot query field 'numbr' on type 'Query'."
    assert not isinstance(graph.prepare("{ __typename }", None, None, introspection_allowed=False), list)


async def test_the_schema_is_read_in_a_thread_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, parties = engine(), list[object]()
    run = graph.checks.run

    async def noting(party: Any, check: Any) -> Any:
        parties.append(party)
        return await run(party, check)

    monkeypatch.setattr(graph.checks, "run", noting)
    for query, times in (
        ("{ __schema { queryType { name } } }", 1),
        ('{ ...Q } fragment Q on Query { __typename t: __type(name: "Query") { name } }', 1),
        ("{ __typename }", 0),
        ("{ __schema { queryType { name } } number }", 0),
    ):
        parties.clear()
        response = await graph.execute(prepare(graph, query), Context())
        assert response.errors == []
        assert len(parties) == times, query

    async def overloaded(_: Any, __: Any) -> Any:
        raise TooManyChecks

    monkeypatch.setattr(graph.checks, "run", overloaded)
    response = await graph.execute(prepare(graph, "{ __schema { queryType { name } } }"), Context())
    assert [error["extensions"]["code"] for error in response.errors] == ["MAINTENANCE"]


@pytest.mark.parametrize(
    ("query", "variables", "size_bytes", "apart"),
    [
        ("{ number }", None, 10, False),
        ("{ number }" + " " * 2000, None, 2010, True),
        ("query($name: String!) { item(name: $name) { name } }", {"name": "n" * 3000}, 3100, False),
        ("query($name: String!) { item(name: $name) { name } }", {"name": "n" * 9000}, 9100, True),
    ],
)
async def test_what_takes_long_to_check_is_checked_in_a_thread(
    query: str, variables: dict[str, Any] | None, size_bytes: int, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, threads = engine(), list[int]()
    check = graph.prepare

    def noted(*arguments: Any, **named: Any) -> Any:
        threads.append(threading.get_ident())
        return check(*arguments, **named)

    monkeypatch.setattr(graph, "prepare", noted)
    for _ in range(2):
        prepared = await graph.prepare_fairly(
            query, None, variables, introspection_allowed=True, size_bytes=size_bytes, party=lambda: None
        )
        assert not isinstance(prepared, list)
    here = threading.get_ident()
    # A document that is known is read no more; variables are coerced each time.
    assert [each != here for each in threads] == [apart, apart and variables is not None]


class Line:
    """Large requests to an engine whose checks go on when `checking` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
        self.graph = engine(**limits)
        self.checking = threading.Event()
        self.checked: list[str] = []
        check = self.graph.prepare

        def slow(query: str, *arguments: Any, **options: Any) -> Any:
            self.checking.wait()
            self.checked.append(query.partition("#")[2])
            return check(query, *arguments, **options)

        monkeypatch.setattr(self.graph, "prepare", slow)

    def ask(self, party: str, name: str = "") -> "asyncio.Task[Any]":
        return asyncio.create_task(
            self.graph.prepare_fairly(
                f"{{ number }} #{name}", None, None, introspection_allowed=True, size_bytes=100_000, party=lambda: party
            )
        )


async def test_large_requests_wait_for_their_check_in_a_bounded_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.execution.checks.MAX_WAITING", 8)
    line = Line(monkeypatch)
    waiting = [line.ask("alice") for _ in range(3)]
    await asyncio.sleep(0)
    [refused] = await line.ask("alice")
    assert "Too many large requests" in refused.message
    assert line.graph.checks.turns.refused == 1
    # One is checked and a quarter of those who may wait are one party's; there is room for others.
    waiting.append(line.ask("bob"))
    line.checking.set()
    assert [isinstance(each, Prepared) for each in await asyncio.gather(*waiting)] == [True] * 4
    assert isinstance(await line.ask("alice"), Prepared)


async def test_large_requests_are_checked_in_turns_among_who_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(monkeypatch)
    waiting = [line.ask("mallory", f"mallory {number}") for number in range(20)]
    await asyncio.sleep(0)
    waiting += [line.ask("alice", "alice"), line.ask("bob", "bob")]
    await asyncio.sleep(0)
    line.checking.set()
    await asyncio.gather(*waiting)
    assert line.checked[:4] == ["mallory 0", "mallory 1", "alice", "bob"]
    assert len(line.checked) == 22


async def test_a_cancelled_caller_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(monkeypatch)
    first, *others = [line.ask("mallory", f"mallory {number}") for number in range(20)]
    await asyncio.sleep(0)
    for each in (first, *others):
        each.cancel()
    await asyncio.wait([first, *others])
    assert line.graph.checks.turns.waiting == 0
    line.checking.set()
    assert isinstance(await line.ask("alice", "alice"), Prepared)
    # A check that had begun cannot be stopped.
    assert line.checked == ["mallory 0", "alice"]


async def test_a_turn_that_does_not_come_is_not_waited_for_any_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(monkeypatch, timeout_s=0.05)
    first = line.ask("alice")
    await asyncio.sleep(0)
    [refused] = await line.ask("bob")
    assert refused.message.startswith("The operation took too long")
    line.checking.set()
    assert isinstance(await first, Prepared)


def test_variables_hold_a_bounded_number_of_values() -> None:
    values = {"item": [{"a": 1}] * (MAX_VALUES // 4)}
    assert check_variables(values) is None
    refused = check_variables({"item": [{"a": 1}] * MAX_VALUES})
    assert refused is not None
    assert describe([refused], "r", executed=False)[0]["extensions"] == {"code": "COST_EXCEEDED"}


def test_a_message_is_not_as_long_as_what_it_quotes() -> None:
    refused = engine().prepare(
        "query($name: Int!) { __typename }", None, {"name": "x" * 100_000}, introspection_allowed=True
    )
    assert isinstance(refused, list)
    assert len(describe(refused, "r", executed=False)[0]["message"]) <= MAX_MESSAGE_CHARS
