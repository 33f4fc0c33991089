"""Each argument of each field, one hostile value after the other, as nobody, as a user, and as an admin."""

from typing import Any

import pytest

from app.main import Application
from tests.graph.fuzz.callers import PEOPLE, belongings, samples
from tests.graph.fuzz.calls import Caller
from tests.graph.fuzz.target import SDL, all_arguments, open_target
from tests.graph.world import World


def refusals(body: dict[str, Any]) -> set[str]:
    """The codes of an answer's errors."""
    return {error["extensions"]["code"] for error in body.get("errors", [])}


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_value_of_any_argument_is_answered_with_an_internal_error(
    application: Application, world: World, name: str
) -> None:
    async with open_target(application, world) as target:
        caller = Caller(SDL, samples(world, name) | await belongings(application, world, name))
        for kind, each, _ in caller.fields():
            ask = target.subscribe if kind is SDL.subscription_type else target.ask
            for call in caller.calls(kind, each):
                body = await ask(call, name)
                if name == "admin" and call.coordinate.endswith("(after:)") and call.variables["after"] is not None:
                    assert refusals(body) <= {"BAD_USER_INPUT", "RESYNC_REQUIRED"}, call
                    assert refusals(body), call
        print(f"{name}: {sum(target.codes.values()):,} answers: {dict(target.codes)}")
        assert target.failures == []
        assert all_arguments(SDL) - target.executed == set()
