"""A house in the graph, and the graph made of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import get_object_definition

from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.descriptions import describe
from app.engine.declarations.extensions import extend
from app.engine.declarations.nodes import NodeKind, kind_of
from app.engine.declarations.problems import declare_codes
from app.kit.house import House
from app.schema.scalars import SCALARS
from app.schema.viewer import Viewer

ROOTS: Final = ("query", "mutation", "subscription")


@dataclass(frozen=True, eq=False)
class GraphHouse:
    """What a house adds to the graph. Each part is a class whose fields become fields of a root type or the viewer."""

    domain: House[Any] | None
    """Null for what has no data of its own."""
    query: tuple[type, ...] = ()
    mutation: tuple[type, ...] = ()
    subscription: tuple[type, ...] = ()
    viewer: tuple[type, ...] = ()
    nodes: tuple[type, ...] = ()
    """The types whose objects `node(id)` finds."""
    extensions: tuple[type, ...] = ()
    """Fields that it adds to types of the houses that it knows."""


def domains_of(houses: Sequence[GraphHouse]) -> list[House[Any]]:
    """The houses' domains, each after those that it knows."""
    ordered: dict[House[Any], None] = {}

    def add(house: House[Any]) -> None:
        for known in house.knows:
            add(known)
        ordered.setdefault(house)

    for house in houses:
        if house.domain is not None:
            add(house.domain)
    return list(ordered)


def nodes_of(houses: Sequence[GraphHouse]) -> Mapping[str, NodeKind]:
    """The types of objects that have a global ID, by name. Raises ValueError."""
    kinds: dict[str, NodeKind] = {}
    for node in (node for house in houses for node in house.nodes):
        if node.__name__ in kinds:
            raise ValueError(f"Two node types are named {node.__name__}")
        kinds[node.__name__] = kind_of(node)
    return kinds


def compose(houses: Sequence[GraphHouse], roots: Mapping[str, type]) -> strawberry.Schema:
    """The graph of these houses. `roots` has the fields of query, mutation and subscription that no house adds."""
    for house in houses:
        for extension in house.extensions:
            extend(extension)
    declare_codes(_parts(houses, "mutation"))
    viewer = get_object_definition(Viewer, strict=True)
    viewer.fields = [field for part in _parts(houses, "viewer") for field in _fields(part)]
    composed = {root: _composed(roots[root], list(_parts(houses, root))) for root in ROOTS}
    schema = strawberry.Schema(**composed, config=StrawberryConfig(scalar_map=SCALARS))
    describe(schema)
    bind_resolvers(schema)
    return schema


def _parts(houses: Sequence[GraphHouse], root: str) -> Iterator[type]:
    for house in houses:
        yield from getattr(house, root)


def _fields(part: type) -> list[Any]:
    return list(get_object_definition(part, strict=True).fields)


def _composed(own: type, parts: list[type]) -> Any:
    composed = type(own.__name__, (*parts, own), {"__doc__": own.__doc__, "__module__": own.__module__})
    return strawberry.type(composed)
