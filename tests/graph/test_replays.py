"""A replay is answered as the first time, whatever would refuse a new call by now: for every mutation with a key."""

import asyncio

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from tests.graph.replays import KEY, SCENARIOS, SDL, Caller
from tests.graph.stage import Stage


def test_every_mutation_with_a_key_has_a_scenario() -> None:
    assert SDL.mutation_type is not None
    keyed = set()
    for name, field in SDL.mutation_type.fields.items():
        inputs = [get_named_type(argument.type) for argument in field.args.values()]
        if KEY in field.args or any(isinstance(each, GraphQLInputObjectType) and KEY in each.fields for each in inputs):
            keyed.add(name)
    assert keyed == SCENARIOS.keys()


@pytest.mark.parametrize(
    ("name", "between"), [(name, each) for name, scenario in SCENARIOS.items() for each in scenario.changes]
)
async def test_a_replay_is_answered_before_any_limit(stage: Stage, name: str, between: str) -> None:
    caller = Caller(stage, name)
    input, other = [await caller.scenario.input(stage, variant) for variant in ("first", "another")]
    first = await caller.accepted(input, "key")
    await caller.scenario.changes[between](stage)
    new = await caller.call(other, "new key")
    assert new["__typename"] != caller.scenario.type, "the change must refuse the other input as well"
    assert await caller.accepted(input, "key") == first
    assert (await caller.call(other, "key"))["__typename"] == "IdempotencyKeyReused"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_of_equal_calls_at_once_one_works_and_the_others_get_its_result(stage: Stage, name: str) -> None:
    caller = Caller(stage, name)
    input = await caller.scenario.input(stage, "first")
    # More than the pool has connections: those that wait for the key must leave one to the one that works.
    answers = await asyncio.gather(*(caller.accepted(input, "key") for _ in range(40)))
    assert all(answer == answers[0] for answer in answers)
