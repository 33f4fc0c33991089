"""Wherever the graph takes an ID or a key, one of another tenant or mode is answered as one of nothing at all.

The places are found in the schema: who adds one has it tried here, and sees what is missing to try it.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import pytest
from graphql import is_scalar_type

from app.engine.declarations.nodes import global_id
from app.transport.runtime import AppRuntime
from tests.conftest import Execute
from tests.graph.fuzz.callers import samples
from tests.graph.fuzz.calls import Call, Caller
from tests.graph.fuzz.target import SDL
from tests.graph.isolation.asking import NODES, Walk, lookups_of, named_fields
from tests.graph.isolation.estates import Estate, Estates
from tests.graph.world import World

ADDRESS: Final = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
ASKERS: Final = ("a member", "a key", "a linked user", "nobody")
VALUES: Final[dict[str, Any]] = {
    "CreateProjectInput.name": "Clone",
    "UpdateMemberInput.tenantRole": "VIEWER",
    "AdjustPointsInput.points": "5",
    "AdjustPointsInput.pointReason": "BONUS",
    "DefineTaskInput.taskKey": "another",
    "DefineTaskInput.points": "5",
    "DefineTaskInput.proofKind": "API",
    "StartWalletProofInput.network": "SOLANA",
    "VerifyWalletInput.network": "SOLANA",
    "VerifyWalletInput.signature": "1" * 64,
}
"""What is right only there."""
ABSENT: Final = {
    "ProjectBy.key": "proj_000000000000",
    "ParticipantBy.telegramId": "1",
    "ParticipantBy.discordId": "nobody",
    "ParticipantBy.referralCode": "NOBODY",
    "ParticipantBy.walletAddress": ADDRESS,
}
"""Keys of nothing."""
OF_BOTH_MODES: Final = ("Tenant", "TenantMembership", "TenantInvitation")
"""Types of what a tenant has once."""
TEXTS: Final = {"projectKey": "ProjectBy.key", "referrerCode": "ParticipantBy.referralCode"}
"""Other arguments and inputs that name something of a tenant, and as what."""
UNREACHED: Final = {
    "Mutation.importParticipants": "It takes the ID of a file: see test_imports.",
    "Mutation.updateTenantPlan": "For admins of Moneta, who may change any tenant.",
}
"""Fields that take an ID of something of a tenant, but not from who acts in it."""


def samples_of(estate: Estate, world: World) -> dict[str, Callable[[], Any]]:
    """What Alice should send."""

    def constant(value: Any) -> Callable[[], Any]:
        return lambda: value

    own = {f"{name}By.id": id for name, id in estate.ids.items()} | {
        "CompleteTaskInput.participationId": estate.ids["Participation"],
        "CompleteTaskInput.taskId": estate.ids["Task"],
        "ParticipationBy.projectId": estate.ids["Project"],
        "projectKey": estate.keys["ProjectBy.key"],
        "importId": estate.ids["ParticipantImport"],
    }
    return samples(world, "alice") | {name: constant(value) for name, value in (VALUES | own | estate.keys).items()}


def field_of(call: Call) -> str:
    """The field that a call is about, as `Mutation.updateProject`."""
    return call.coordinate.partition("(")[0]


def leaves(caller: Caller, value: str) -> list[Call]:
    """A call for each place that takes an ID."""
    return list(caller.leaves("ID", value))


def absent_id(kind: str) -> str:
    return global_id(kind, uuid4())


def test_there_is_one_of_each_type_and_key(estates: Estates) -> None:
    for estate in estates.all.values():
        assert {*estate.ids} == {*NODES}
        assert {*estate.keys} == lookups_of(NODES) == {*ABSENT}


@pytest.mark.parametrize("name", ASKERS)
async def test_a_foreign_id_is_an_absent_one_wherever_an_id_is_taken(
    name: str, estates: Estates, world: World, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker, differing = Walk(execute, runtime), estates.askers[name], []
    caller = Caller(SDL, samples_of(estates.own, world))
    for kind in NODES:
        nothing = absent_id(kind)
        expected = [await walk.answer(call, asker, nothing) for call in leaves(caller, nothing)]
        for estate in estates.foreign_to(asker):
            acting = asker.tenancy
            if kind in OF_BOTH_MODES and acting is not None and acting.tenant_id == estate.tenancy.tenant_id:
                continue
            id = estate.ids[kind]
            for call, wanted in zip(leaves(caller, id), expected, strict=True):
                if str(call.variables).count(id) > 1:
                    # The answer names the first place with what was not found.
                    continue
                if (given := await walk.answer(call, asker, id)) != wanted:
                    differing.append(f"{call.coordinate}, {kind} of {estate.name}: {given} instead of {wanted}")
    print(f"{name}: {walk.asked:,} answers")
    assert differing == []


@pytest.mark.parametrize("name", ASKERS)
async def test_a_foreign_key_is_an_absent_one(
    name: str, estates: Estates, world: World, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker = Walk(execute, runtime), estates.askers[name]
    for coordinate, nothing in ABSENT.items():

        async def answer(coordinate: str, value: Any) -> tuple[str, int]:
            lookup = coordinate.partition("By.")[0].lower()
            document = f"query Q($by: {coordinate.partition('.')[0]}!) {{ {lookup}(by: $by) {{ id __typename }} }}"
            call = Call(coordinate, document, {"by": {coordinate.partition(".")[2]: value}})
            return await walk.answer(call, asker, str(value))

        wanted = await answer(coordinate, nothing)
        for estate in estates.foreign_to(asker):
            assert await answer(coordinate, estate.keys[coordinate]) == wanted, (coordinate, estate.name)
        # Otherwise this would be a test of nothing.
        if asker.home is not None:
            assert await answer(coordinate, estates.own.keys[coordinate]) != wanted, coordinate


@pytest.mark.parametrize("name", ASKERS)
async def test_a_foreign_key_is_an_absent_one_wherever_a_key_is_taken(
    name: str, estates: Estates, world: World, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker, differing, tried = Walk(execute, runtime), estates.askers[name], [], set()
    caller = Caller(SDL, samples_of(estates.own, world))
    for text, coordinate in TEXTS.items():

        def calls(value: str, text: str = text) -> list[Call]:
            return [
                each for each in caller.leaves("String", value) if each.coordinate.endswith((f"{text}:)", f".{text}:)"))
            ]

        nothing = ABSENT[coordinate]
        wanted = [await walk.answer(call, asker, nothing) for call in calls(nothing)]
        for estate in estates.foreign_to(asker):
            key = estate.keys[coordinate]
            for call, expected in zip(calls(key), wanted, strict=True):
                tried.add(call.coordinate)
                if (given := await walk.answer(call, asker, key)) != expected:
                    differing.append(f"{call.coordinate} of {estate.name}: {given} instead of {expected}")
    assert differing == []
    assert {"Mutation.joinProject(input.projectKey:)", "Mutation.createParticipant(input.referrerCode:)"} <= tried
    assert {each.partition("(")[0] for each in tried} >= {"Subscription.projectUpdates"}


def takers() -> list[str]:
    """The root fields of houses with rows of tenants that take IDs."""
    caller = Caller(SDL, {name: lambda: "x" for name, kind in SDL.type_map.items() if is_scalar_type(kind)})
    return sorted({field_of(call) for call in caller.leaves("ID", "x")} & named_fields())


@pytest.mark.parametrize("taker", takers())
async def test_an_own_id_is_not_answered_as_an_absent_one(
    taker: str, estates: Estates, world: World, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker = Walk(execute, runtime), estates.askers["a member"]
    caller = Caller(SDL, samples_of(estates.own, world))

    async def answers(id: str) -> list[tuple[str, int]]:
        return [await walk.answer(call, asker, id) for call in leaves(caller, id) if field_of(call) == taker]

    found = [kind for kind in NODES if await answers(absent_id(kind)) != await answers(estates.own.ids[kind])]
    assert bool(found) == (taker not in UNREACHED), f"tell {taker} in VALUES what to send beside the ID"
