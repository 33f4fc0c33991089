"""Every subscription follows the conventions: how it is named, and what its events have."""

from typing import Final

import pytest
import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.cursors import Cursor
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import Durable, Volatile, declared_stream
from app.kit.loaders import Audience
from app.main import build_graph
from app.schema.scalars import SCALARS

SINGULAR: Final = {
    "backtestProgress": "backtestProgress",
    "backtestSweepProgress": "backtestSweepProgress",
    "news": "news",
    "participantImportProgress": "participantImportProgress",
}
"""Words whose plural has no further `s`."""


def violations(schema: GraphQLSchema) -> list[str]:
    """What is wrong with the subscriptions of a schema, a line each."""
    assert schema.subscription_type is not None
    found = []
    for name, field in schema.subscription_type.fields.items():
        declared, kind = declared_stream(field), get_named_type(field.type)
        if not isinstance(kind, GraphQLObjectType):
            found.append(f"{name}: {kind} is not an object type")
        elif isinstance(declared, Durable):
            found += durable_violations(name, kind)
            if "after" not in field.args:
                found.append(f"{name}: a durable subscription takes `after`")
        elif isinstance(declared, Volatile):
            found += volatile_violations(name, kind)
            if "after" in field.args:
                found.append(f"{name}: a volatile subscription cannot take `after`")
        else:
            found.append(f"{name}: it is declared neither durable nor volatile")
    return found


def durable_violations(name: str, kind: GraphQLObjectType) -> list[str]:
    """A plural noun, whose type is the singular followed by `Event`, a StreamEvent."""
    found = []
    singular = SINGULAR.get(name, name.removesuffix("s"))
    if singular == name and name not in SINGULAR:
        found.append(f"{name}: a durable subscription is a plural noun")
    elif kind.name != f"{pascal(singular)}Event":
        found.append(f"{name}: its type is {kind.name}, not {pascal(singular)}Event")
    if not is_stream_event(kind):
        found.append(f"{name}: {kind.name} is not a StreamEvent")
    return found


def volatile_violations(name: str, kind: GraphQLObjectType) -> list[str]:
    """The value as it is now: a type of the same name, without a position."""
    found = []
    if kind.name != pascal(name):
        found.append(f"{name}: its type is {kind.name}, not {pascal(name)}")
    if name.endswith("Updates") or kind.name.endswith("Event"):
        found.append(f"{name}: a volatile subscription names the value, not a change of it")
    if is_stream_event(kind) or "cursor" in kind.fields:
        found.append(f"{name}: {kind.name} has a cursor, but a volatile subscription cannot be resumed")
    return found


def is_stream_event(kind: GraphQLObjectType) -> bool:
    return any(interface.name == "StreamEvent" for interface in kind.interfaces)


def pascal(name: str) -> str:
    return name[0].upper() + name[1:]


@strawberry.type
class BlockEvent(StreamEvent):
    """As it must be."""


@strawberry.type
class BookEvent:
    cursor: Cursor
    at: str


@strawberry.type
class PriceTicks:
    price: int


@strawberry.type
class Spreads:
    cursor: Cursor


@strawberry.type
class Query:
    nothing: int = 0


DURABLE: Final = {"stream": Durable(Audience.PUBLIC, 1.0, lambda _: None)}
VOLATILE: Final = {"stream": Volatile(Audience.PUBLIC, 1.0, lambda *_: None)}


def schema_of(name: str, kind: type, metadata: dict[str, object], *, resumable: bool) -> GraphQLSchema:
    """A schema with one subscription."""

    async def plain() -> object:
        return None

    async def resumed(after: str | None = None) -> object:
        return after

    field = strawberry.subscription(
        resolver=resumed if resumable else plain, graphql_type=kind, name=name, metadata=metadata
    )
    root = strawberry.type(type("Subscription", (), {"field": field, "__annotations__": {"field": kind}}))
    return strawberry.Schema(Query, subscription=root, config=StrawberryConfig(scalar_map=SCALARS))._schema


@pytest.mark.parametrize(
    ("name", "kind", "metadata", "resumable", "found"),
    [
        ("blocks", BlockEvent, DURABLE, True, []),
        ("priceTicks", PriceTicks, VOLATILE, False, []),
        ("books", BookEvent, DURABLE, True, ["books: BookEvent is not a StreamEvent"]),
        ("block", BlockEvent, DURABLE, True, ["block: a durable subscription is a plural noun"]),
        ("trades", BlockEvent, DURABLE, True, ["trades: its type is BlockEvent, not TradeEvent"]),
        ("blocks", BlockEvent, DURABLE, False, ["blocks: a durable subscription takes `after`"]),
        (
            "spreads",
            Spreads,
            VOLATILE,
            False,
            ["spreads: Spreads has a cursor, but a volatile subscription cannot be resumed"],
        ),
        ("priceTicks", PriceTicks, VOLATILE, True, ["priceTicks: a volatile subscription cannot take `after`"]),
        ("prices", PriceTicks, VOLATILE, False, ["prices: its type is PriceTicks, not Prices"]),
        ("priceTicks", PriceTicks, {}, False, ["priceTicks: it is declared neither durable nor volatile"]),
    ],
)
def test_a_subscription_that_breaks_a_convention_is_found(
    name: str, kind: type, metadata: dict[str, object], resumable: bool, found: list[str]
) -> None:
    assert violations(schema_of(name, kind, metadata, resumable=resumable)) == found


def test_every_subscription_follows_the_conventions() -> None:
    schema = build_graph()._schema
    assert violations(schema) == []


def test_the_interface_says_where_and_when() -> None:
    interface = build_graph()._schema.get_type("StreamEvent")
    assert isinstance(interface, GraphQLInterfaceType)
    assert {name: str(field.type) for name, field in interface.fields.items()} == {
        "cursor": "Cursor!",
        "at": "DateTime!",
    }
