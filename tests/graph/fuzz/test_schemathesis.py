"""Documents that schemathesis makes of the schema: many fields, arguments and values at once, in literals.

MONETA_FUZZ_EXAMPLES: how many for each root field and person; 6 by default, for a run of hours some thousands.
"""

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from graphql import (
    GraphQLInputObjectType,
    ObjectValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    introspection_from_schema,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from app.main import Application
from tests.graph.fuzz.callers import PEOPLE, samples
from tests.graph.fuzz.calls import Call
from tests.graph.fuzz.target import SDL, Target, open_target
from tests.graph.fuzz.values import DECIMALS, HASHES, JSONS, MOMENTS, TEXTS, cursors, ids
from tests.graph.world import World

EXAMPLES = int(os.environ.get("MONETA_FUZZ_EXAMPLES", "6"))


def texts_of(values: list[Any]) -> list[str]:
    """Those that a document can spell: a lone surrogate is no character of it."""
    return [value for value in values if (isinstance(value, str) and value.isprintable()) or value in ("", " ", "a\0b")]


def strategies(world: World, name: str) -> dict[str, st.SearchStrategy[Any]]:
    """How to make a literal of each scalar: right values of this person's world, edges, and anything."""
    right = [str(make()) for make in samples(world, name).values()]
    text = st.one_of(st.sampled_from(right), st.sampled_from(texts_of(TEXTS)), st.text(max_size=30))
    return {
        "String": text.map(nodes.String),
        "ID": st.one_of(st.sampled_from(list(world.names.values())), st.sampled_from(texts_of(ids(SDL)))).map(
            nodes.String
        ),
        "Decimal": st.one_of(
            st.sampled_from(texts_of(DECIMALS)), st.decimals(-1000, 1000, places=8).map(lambda each: format(each, "f"))
        ).map(nodes.String),
        "Milliseconds": st.sampled_from([0, 1, 1000, 60_000, 300_000, 2**53 - 1, 2**53]).map(nodes.Int),
        "BigInt": st.integers().map(str).map(nodes.String),
        "DateTime": st.one_of(
            st.sampled_from(texts_of(MOMENTS)), st.datetimes().map(lambda each: f"{each.isoformat()}Z")
        ).map(nodes.String),
        "Hash": st.one_of(
            st.sampled_from([each for each in world.names.values() if len(each) == 64]),
            st.sampled_from(texts_of(HASHES)),
        ).map(nodes.String),
        "Cursor": st.sampled_from([*texts_of(cursors()), "AAAA"]).map(nodes.String),
        "JSON": st.sampled_from([each for each in JSONS if isinstance(each, int | float)]).map(
            lambda each: nodes.Float(each) if isinstance(each, float) else nodes.Int(each)
        ),
    }


class OneOf(Visitor):
    """Leaves one field of each input that takes exactly one: schemathesis knows of no such inputs."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode | None:
        kind = get_named_type(self.types.get_input_type())
        if isinstance(kind, GraphQLInputObjectType) and kind.is_one_of and len(node.fields) > 1:
            return ObjectValueNode(fields=tuple(node.fields[:1]))
        return None


def with_one_of(document: str) -> str:
    """The document with its inputs of exactly one field as they must be."""
    types = TypeInfo(SDL)
    return print_ast(visit(parse(document), TypeInfoVisitor(types, OneOf(types))))


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_document_is_answered_with_an_internal_error(
    application: Application, world: World, name: str
) -> None:
    for scalar, strategy in strategies(world, name).items():
        schemathesis.graphql.scalar(scalar, strategy)
    schema = schemathesis.graphql.from_dict(dict(introspection_from_schema(SDL)))
    async with open_target(application, world) as target:
        for found in schema.get_all_operations():
            operation = found.ok()  # type: ignore[union-attr]  # as all are, or this raises
            await asyncio.to_thread(ask_many, target, operation, name, asyncio.get_running_loop())
        print(f"{name}: {sum(target.codes.values()):,} answers: {dict(target.codes)}")
        assert target.failures == []
        assert target.codes["answered"] > 0


def ask_many(target: Target, operation: Any, name: str, loop: asyncio.AbstractEventLoop) -> None:
    """Asks what hypothesis makes up for one root field; it waits for answers, so it has a thread of its own."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def ask(case: Any) -> None:
        call = Call(operation.label, with_one_of(case.body), {})
        asyncio.run_coroutine_threadsafe(target.ask(call, name), loop).result()

    ask()
