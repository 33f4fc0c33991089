"""The breadth-first path gives what graphql-core gives, to the letter, for any query on a real chain."""

import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from graphql.execution import Executor

from app.engine.execution import engine as execution
from app.engine.execution.breadth_first import Levels
from app.engine.execution.operations import Prepared, Response
from tests.domains.ledger.scene import Scene
from tests.schema.ledger.graph import SCHEMA, Graph

CORE: GraphQLSchema = SCHEMA._schema
DOCUMENTS = 150
ARGUMENTS = {"block": "(by: {height: %d})", "wallet": '(id: "%s")', "transaction": '(hash: "%s")'}


class Writer:
    """Writes random queries: aliases, fragments, repeated fields, `@skip`, pages of odd sizes, bad cursors.

    At most one list of a query is asked for what it refuses: of several fields that fail below one null, graphql-core
    reports whichever was first, which is not the same in every run.
    """

    def __init__(self, chance: random.Random, roots: dict[str, str]) -> None:
        self._chance = chance
        self._roots = roots
        self._spoiled = False

    def query(self) -> str:
        root = CORE.query_type
        assert root is not None
        self._spoiled = False
        fields = ["blocks", "mempool", "chain", "viewer", "serverInfo", *ARGUMENTS]
        chosen = self._chance.sample(fields, self._chance.randint(1, 3))
        parts = [self._field(name, root.fields[name], depth=0, arguments=self._roots.get(name)) for name in chosen]
        return "query { " + " ".join(parts) + " }"

    def _field(self, name: str, field: GraphQLField, depth: int, arguments: str | None = None) -> str:
        alias = f"{self._chance.choice('abc')}{self._chance.randint(0, 99)}: " if self._chance.random() < 0.2 else ""
        if arguments is None:
            arguments = self._page(field) if "first" in field.args else ""
        skip = self._chance.choice(["", "", "", "", " @skip(if: false)", " @include(if: false)"])
        kind = get_named_type(field.type)
        if is_leaf_type(kind):
            return f"{alias}{name}{skip}"
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        return f"{alias}{name}{arguments}{skip} {{ {self._selection(kind, depth + 1)} }}"

    def _page(self, field: GraphQLField) -> str:
        if not self._spoiled and self._chance.random() < 0.3:
            self._spoiled = True
            return self._chance.choice(["(first: 0)", '(first: 2, after: "bm90IGEgY3Vyc29y")'])
        return f"(first: {self._chance.choice([1, 2, 3, 100])})"

    def _selection(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        usable = {
            name: field
            for name, field in kind.fields.items()
            if not any(map(is_required_argument, field.args.values()))
            and not isinstance(get_named_type(field.type), GraphQLUnionType)
            and (depth < 5 or is_leaf_type(get_named_type(field.type)))
        }
        names = self._chance.sample(sorted(usable), min(len(usable), self._chance.randint(1, 5)))
        parts = ["__typename"] + [self._field(name, usable[name], depth) for name in names]
        if self._chance.random() < 0.2:
            parts.append(f"... on {kind.name} {{ {' '.join(parts)} }}")
        return " ".join(parts)


def documents(roots: dict[str, str]) -> Iterator[str]:
    """The same ones in every run."""
    writer = Writer(random.Random(2026), roots)
    for _ in range(DOCUMENTS):
        yield writer.query()


async def test_every_query_is_answered_as_graphql_core_answers_it(
    graph: Graph, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    paid = await scene.pay(alice, bob, "12.5")
    await scene.mine(bob)
    await scene.pay(bob, alice, "1")
    roots = {
        "block": ARGUMENTS["block"] % 1,
        "wallet": ARGUMENTS["wallet"] % alice.wallet_id,
        "transaction": ARGUMENTS["transaction"] % paid,
    }
    compared, answered_breadth_first, with_errors = 0, 0, 0
    # What lives as long as the run is not looked through again and again.
    gc.freeze()
    for query in documents(roots):
        prepared = graph.engine.prepare(query, None, None, introspection_allowed=True)
        if isinstance(prepared, list):
            continue
        for person in (alice, None):
            with monkeypatch.context() as patched:
                fast, path = await _run(graph, query, person, patched)
            with monkeypatch.context() as patched:
                patched.setattr(execution, "plan", lambda executor: None)
                _forget(prepared)
                slow, _ = await _run(graph, query, person, patched)
                _forget(prepared)
            assert fast.data == slow.data, query
            assert list(_flat(fast.data)) == list(_flat(slow.data)), f"another order: {query}"
            assert _errors(fast.errors) == _errors(slow.errors), query
            compared += 1
            answered_breadth_first += path == ["breadth"]
            with_errors += bool(slow.errors)
    # What is compared must be worth comparing: both paths were taken, and failures occurred.
    assert compared > DOCUMENTS * 3 // 4
    assert answered_breadth_first > compared // 3
    assert with_errors > compared // 20


def _forget(prepared: Prepared) -> None:
    if prepared.plans is not None:
        prepared.plans.clear()


async def _run(graph: Graph, query: str, person: Any, patched: pytest.MonkeyPatch) -> tuple[Response, list[str]]:
    paths: list[str] = []
    objects = Levels.objects
    execute = Executor.execute_operation

    async def breadth(self: Any, *arguments: Any) -> Any:
        if not paths:
            paths.append("breadth")
        return await objects(self, *arguments)

    def core(self: Any) -> Any:
        paths.append("core")
        return execute(self)

    patched.setattr(Levels, "objects", breadth)
    patched.setattr(Executor, "execute_operation", core)
    response = await graph.run(query, by=person)
    # Where a field fails, graphql-core leaves coroutines of others that have not begun. Python warns of each when it is
    # collected, and cannot where that happens inside a namedtuple: its constructor has no `__import__`.
    if response.errors:
        gc.collect()
    return response, paths


def _flat(value: Any) -> Iterator[str]:
    """Response names, in their order."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield name
            yield from _flat(below)
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)


def _errors(errors: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((str(error["path"]), error["message"], error["extensions"]["code"]) for error in errors)
