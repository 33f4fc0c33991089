"""A cursor of another tenant or mode, given as `after` or `before`, shows nothing of theirs."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from app.domains.campaigns.imports.model import import_stream
from app.domains.campaigns.participations.model import participation_stream
from app.domains.campaigns.projects.model import project_stream
from app.engine.declarations.nodes import global_id
from app.engine.declarations.stream_cursors import stream_cursor
from app.engine.execution.operations import Response
from app.transport.runtime import AppRuntime
from tests.conftest import Execute
from tests.graph.fuzz.calls import Call, Caller
from tests.graph.fuzz.target import SDL
from tests.graph.isolation.asking import NODES, Walk, named_fields
from tests.graph.isolation.estates import Asker, Estate, Estates
from tests.graph.isolation.test_ids import ABSENT, OF_BOTH_MODES, field_of, samples_of
from tests.graph.world import World

EMPTY: Final = {"Project.retention"}
"""Lists that have no rows in an estate: what they sum happened at other times."""
FOR_USERS: Final = {"Tenant.apiKeys"}
"""What no key reads."""
STREAMS: Final = {
    "Subscription.participantImportProgress": ("ParticipantImport", import_stream),
    "Subscription.projectUpdates": ("Project", project_stream),
    "Subscription.participationUpdates": ("Project", participation_stream),
}
"""The durable subscriptions of tenants, and whose streams they follow."""


def lists(estate: Estate, world: World, cursor: str | None) -> list[Call]:
    """A call with this cursor for each list of something of a tenant, and each way that it is paged."""
    span = {"since": lambda: "2026-11-21T05:00:00Z", "until": lambda: "2026-11-21T20:00:00Z"}
    caller = Caller(SDL, {**samples_of(estate, world), **span})
    return [each for each in caller.leaves("Cursor", cursor) if each.coordinate.partition(".")[0] in NODES]


def found(value: Any, ending: str) -> Iterator[Any]:
    """Everything under keys that end so, at any depth."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key.endswith(ending):
                yield below
            yield from found(below, ending)
    if isinstance(value, list):
        for below in value:
            yield from found(below, ending)


def uuid_of(estate: Estate, kind: str) -> UUID:
    ids = {"ParticipantImport": estate.imported, "Project": estate.project}
    return ids[kind]


async def asked(execute: Execute, call: Call, asker: Asker) -> Response:
    return await execute(call.document, call.variables, asker.viewer, tenancy=asker.tenancy)


@pytest.mark.parametrize("name", ["a member", "a key"])
async def test_a_cursor_of_another_list_shows_nothing_of_it(
    name: str, estates: Estates, world: World, execute: Execute
) -> None:
    asker, used, refused = estates.askers[name], set(), set()
    for foreign in estates.foreign_to(asker):
        theirs = estates.members[foreign.name]
        is_same = foreign.tenancy.tenant_id == estates.own.tenancy.tenant_id
        ids = [id for kind, id in foreign.ids.items() if not (is_same and kind in OF_BOTH_MODES)]
        secrets = [*ids, *(str(each) for each in foreign.keys.values())]
        for their, own in zip(lists(foreign, world, None), lists(estates.own, world, None), strict=True):
            shown, mine = await asked(execute, their, theirs), await asked(execute, own, asker)
            if mine.codes == ["FORBIDDEN"]:
                refused.add(field_of(own))
                continue
            assert shown.errors == mine.errors == [], own.coordinate
            cursors = [*found(shown.data, "Edge_cursor")]
            if not cursors:
                continue
            used.add(field_of(own))
            [(argument, _)] = [each for each in own.variables.items() if each[1] is None]
            for cursor in {cursors[0], cursors[-1]}:
                paged = await asked(execute, own._replace(variables={**own.variables, argument: cursor}), asker)
                assert paged.errors == [], own.coordinate
                assert not any(each in str(paged.data) for each in secrets), own.coordinate
                [nodes], [everything] = [*found(paged.data, "nodes")], [*found(mine.data, "nodes")]
                assert all(each in everything for each in nodes), own.coordinate
                assert [*found(paged.data, "totalCount")] == [*found(mine.data, "totalCount")], own.coordinate
    assert used == {field_of(each) for each in lists(estates.own, world, None)} - EMPTY - refused
    assert refused == (FOR_USERS if name == "a key" else set())


def streams(caller: Caller, cursor: str) -> list[Call]:
    """A call with this cursor for each durable subscription of tenants."""
    return [each for each in caller.leaves("Cursor", cursor) if field_of(each) in named_fields() & {*STREAMS}]


def test_every_durable_subscription_of_tenants_is_tried(estates: Estates, world: World) -> None:
    caller = Caller(SDL, samples_of(estates.own, world))
    durable = {field_of(each) for each in caller.leaves("Cursor", "x")} & named_fields()
    assert {each for each in durable if each.startswith("Subscription.")} == {*STREAMS}


async def test_a_cursor_of_another_stream_is_refused_as_one_of_nothing(
    estates: Estates, world: World, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker, epoch = Walk(execute, runtime), estates.askers["a member"], runtime.hub.epoch
    own = Caller(SDL, samples_of(estates.own, world))

    async def opened(name: str, cursor: str, caller: Caller = own) -> str:
        [call] = [each for each in streams(caller, cursor) if field_of(each) == name]
        return (await walk.answer(call, asker, cursor))[0]

    absent = Estate(estates.own.tenancy, dict(estates.own.ids), dict(estates.own.keys), estates.own.participant)
    absent.ids["ParticipantImport"] = global_id("ParticipantImport", uuid4())
    absent.keys["ProjectBy.key"] = ABSENT["ProjectBy.key"]
    nowhere = Caller(SDL, samples_of(absent, world))
    for name, (kind, stream) in STREAMS.items():
        mine = stream_cursor(epoch, stream(uuid_of(estates.own, kind)), 1)
        assert await opened(name, mine) == '"opened"', name
        nothing = await opened(name, stream_cursor(epoch, stream(uuid4()), 1))
        assert "RESYNC_REQUIRED" in nothing, name
        for foreign in estates.foreign_to(asker):
            theirs = stream_cursor(epoch, stream(uuid_of(foreign, kind)), 1)
            assert await opened(name, theirs) == nothing, (name, foreign.name)
            there = Caller(SDL, samples_of(foreign, world))
            for cursor in (mine, theirs):
                expected = await opened(name, cursor, nowhere)
                assert "NOT_FOUND" in expected, name
                assert await opened(name, cursor, there) == expected, (name, foreign.name)
