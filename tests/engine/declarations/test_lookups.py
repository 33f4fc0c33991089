"""Lookups by one of several keys."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
import strawberry

from app.engine.declarations.audience import audience_of
from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.lookups import Key, Lookup, by_id, lookup
from app.engine.declarations.nodes import Node, global_id, node_type
from app.kit.errors import Forbidden
from app.kit.loaders import Audience, One, one
from app.kit.sql import Query as Statement


class Record(msgspec.Struct, frozen=True):
    """A part."""

    id: UUID
    full_name: str


def loader(key: str, audience: Audience = Audience.PUBLIC) -> One[Record]:
    return one(Statement("parts", "parts.sql", "", Record), key=key, audience=audience)


by_key, by_name, by_secret = loader("id"), loader("full_name"), loader("full_name", Audience.VIEWER)
ID = UUID(int=7)


@node_type(by=by_key)
class Part(Node):
    full_name: str


@strawberry.input(one_of=True)
class PartBy:
    id: strawberry.ID | None = strawberry.UNSET
    full_name: str | None = strawberry.UNSET
    secret: str | None = strawberry.UNSET


def name_of(text: str) -> str:
    if not text:
        raise ValueError("no name")
    return text.upper()


def refuse(context: Any) -> None:
    if not context.is_admin:
        raise Forbidden


KEYS = {"id": by_id(Part, by_key), "full_name": Key(by_name, name_of), "secret": Key(by_secret, allow=refuse)}
PUBLIC = {"id": KEYS["id"], "full_name": KEYS["full_name"]}


@strawberry.input(one_of=True)
class PublicBy:
    id: strawberry.ID | None = strawberry.UNSET
    full_name: str | None = strawberry.UNSET


@strawberry.type
class Query:
    part: Part | None = lookup(PartBy, KEYS, of=Part, argument="Identifies it.", description="A part.")
    public: Part | None = lookup(PublicBy, PUBLIC, of=Part, argument="Identifies it.", description="A part.")


SCHEMA = strawberry.Schema(Query)
bind_resolvers(SCHEMA)


class Reads:
    """Notes what is loaded."""

    def __init__(self) -> None:
        self.loaded: list[tuple[One[Any], Any]] = []

    def one(self, loader: One[Any], key: Any) -> asyncio.Future[Record]:
        self.loaded.append((loader, key))
        found = asyncio.get_running_loop().create_future()
        found.set_result(Record(ID, "Wheel"))
        return found


class Context:
    def __init__(self, *, is_admin: bool = False) -> None:
        self.reads = Reads()
        self.is_admin = is_admin


async def find(by: dict[str, Any], context: Context) -> Any:
    return await SCHEMA.execute("query ($by: PartBy!) { part(by: $by) { fullName } }", {"by": by}, context)


@pytest.mark.parametrize(
    ("by", "loaded"),
    [
        ({"id": global_id("Part", ID)}, (by_key, ID)),
        ({"fullName": "wheel"}, (by_name, "WHEEL")),
        ({"secret": "s"}, (by_secret, "s")),
    ],
)
async def test_each_key_has_its_loader(by: dict[str, Any], loaded: tuple[One[Any], Any]) -> None:
    context = Context(is_admin=True)
    found = await find(by, context)
    assert (found.errors, found.data) == (None, {"part": {"fullName": "Wheel"}})
    assert context.reads.loaded == [loaded]


@pytest.mark.parametrize("by", [{"id": "nonsense"}, {"id": global_id("Other", ID)}, {"fullName": ""}])
async def test_what_can_be_no_key_is_not_looked_up(by: dict[str, Any]) -> None:
    context = Context()
    found = await find(by, context)
    assert (found.errors, found.data, context.reads.loaded) == (None, {"part": None}, [])


async def test_who_may_not_look_up_by_a_key_learns_nothing() -> None:
    context = Context()
    found = await find({"secret": "s"}, context)
    assert found.data == {"part": None}
    assert [type(error.original_error) for error in found.errors] == [Forbidden]
    assert context.reads.loaded == []


def test_the_audience_is_public_if_all_loaders_are() -> None:
    query = SCHEMA._schema.query_type
    assert query is not None
    assert audience_of(query.fields["public"]) is Audience.PUBLIC
    assert audience_of(query.fields["part"]) is Audience.VIEWER
    assert Lookup({"secret": KEYS["secret"]}).audience is Audience.VIEWER


@pytest.mark.parametrize("keys", [{**KEYS, "name": KEYS["id"]}, {"id": KEYS["id"]}])
def test_the_input_has_a_field_for_each_key(keys: dict[str, Key]) -> None:
    with pytest.raises(ValueError, match="PartBy has other fields"):
        lookup(PartBy, keys, of=Part, argument="Identifies it.", description="A part.")
