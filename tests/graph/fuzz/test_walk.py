"""Each argument of each field, one hostile value after the other, as nobody, as a user, and as an admin.

Each argument is tried with some of the values of its type, the next one with others. MONETA_TESTS_WHOLE=1: with all.
"""

from itertools import groupby
from typing import Any, Final

import pytest

from app.main import Application
from tests.graph.fuzz.callers import PEOPLE, belongings, samples
from tests.graph.fuzz.calls import Call, Caller
from tests.graph.fuzz.target import SDL, all_arguments, open_target
from tests.graph.world import World
from tests.whole import WHOLE

PART: Final = 6
"""One in so many values is tried where a person is let in, and half as many elsewhere: Alice tries the rest there."""

OF_TENANTS: Final = {"Participant", "ParticipantImport", "Participation", "Project", "Tenant"}
"""Nobody here has a tenant, so that these are not there, and neither are their lists."""
STREAMS_OF_TENANTS: Final = {"Subscription.participationUpdates(after:)", "Subscription.projectUpdates(after:)"}
"""As little as the projects whose streams these are. `tests/graph/isolation` tries cursors where there are some."""


def refusals(body: dict[str, Any]) -> set[str]:
    """The codes of an answer's errors."""
    return {error["extensions"]["code"] for error in body.get("errors", [])}


def part_of(calls: list[Call], part: int) -> list[Call]:
    """The first value of each argument, which is a right one for many, and one in `part` of the others."""
    groups = [list(group) for _, group in groupby(calls, lambda call: call.coordinate)]
    return [call for number, group in enumerate(groups) for call in (*group[:1], *group[1 + number % part :: part])]


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_value_of_any_argument_is_answered_with_an_internal_error(
    application: Application, world: World, name: str
) -> None:
    async with open_target(application, world) as target:
        caller = Caller(SDL, samples(world, name) | await belongings(application, world, name))
        for kind, each, _ in caller.fields():
            ask = target.subscribe if kind is SDL.subscription_type else target.ask
            calls = list(caller.calls(kind, each))
            is_let_in = name == "alice" or (name == "admin" and "FORBIDDEN" in refusals(await ask(calls[0], "alice")))
            for call in calls if WHOLE else part_of(calls, PART if is_let_in else PART * 2):
                body = await ask(call, name)
                is_list = call.coordinate.endswith("(after:)") and call.coordinate.partition(".")[0] not in OF_TENANTS
                if name == "admin" and is_list and call.variables["after"] is not None:
                    absent = {"NOT_FOUND"} if call.coordinate in STREAMS_OF_TENANTS else set()
                    assert refusals(body) <= {"BAD_USER_INPUT", "RESYNC_REQUIRED"} | absent, call
                    assert refusals(body), call
        print(f"{name}: {sum(target.codes.values()):,} answers: {dict(target.codes)}")
        assert target.failures == []
        assert all_arguments(SDL) - target.executed == set()
