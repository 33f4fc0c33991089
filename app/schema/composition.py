"""A house in the graph, and the graph made of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import strawberry
from graphql.utilities.print_schema import print_description
from strawberry.schema.config import StrawberryConfig
from strawberry.types import get_object_definition

from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.descriptions import describe
from app.engine.declarations.extensions import extend
from app.engine.declarations.nodes import NodeKind, kind_of
from app.engine.declarations.problems import declare_codes
from app.kit.house import House
from app.schema.admins import declares_admins
from app.schema.key_scopes import declare_key_scopes
from app.schema.scalars import SCALARS
from app.schema.viewer import Viewer

DESCRIPTION: Final = (
    "The graph of Moneta: accounts, a proof-of-work ledger, and the market, with live subscriptions."
    "\n\n"
    "Names tell units. A field that ends in `Ms` is a duration in milliseconds, one that ends in `At` a time. `Usd` and"
    " `Aud` are amounts of money; amounts of the ledger are in coins, as their descriptions say. `Percentage` is in"
    " percent; `Fraction` and `Ratio` are numbers of which 1 is the whole."
    "\n\n"
    "A mutation returns its payload or a problem. In an update, a field that is absent stays unchanged, and null clears"
    " it. Fields for admins are listed after all others."
)
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
    key_scopes: Mapping[str, str] = field(default_factory=dict)
    """What an API key must hold: see `app/schema/key_scopes.py`."""


class Graph(strawberry.Schema):
    """A schema whose printed form begins with its description, which Strawberry leaves out."""

    def as_str(self, **options: Any) -> str:
        """The SDL."""
        roots = "".join(f"  {root}: {root.capitalize()}\n" for root in ROOTS)
        return f"{print_description(self._schema)}schema {{\n{roots}}}\n\n{super().as_str(**options)}"

    __str__ = as_str


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
    viewer.fields = [each for part in _parts(houses, "viewer") for each in _fields(part)]
    composed = {root: _composed(roots[root], list(_parts(houses, root))) for root in ROOTS}
    for kind in (*composed.values(), Viewer):
        # Sorting is stable: the fields for admins are listed last, the others stay in the order of the houses.
        get_object_definition(kind, strict=True).fields.sort(key=lambda each: declares_admins(each.metadata))
    schema = Graph(**composed, config=StrawberryConfig(scalar_map=SCALARS))
    schema._schema.description = DESCRIPTION
    describe(schema)
    bind_resolvers(schema)
    declare_key_scopes(schema._schema, {house_name(house): house.key_scopes for house in houses})
    return schema


def house_name(house: GraphHouse) -> str:
    """Its folder below `app/schema`."""
    return "realtime" if house.domain is None else house.domain.name


def _parts(houses: Sequence[GraphHouse], root: str) -> Iterator[type]:
    for house in houses:
        yield from getattr(house, root)


def _fields(part: type) -> list[Any]:
    return list(get_object_definition(part, strict=True).fields)


def _composed(own: type, parts: list[type]) -> Any:
    composed = type(own.__name__, (*parts, own), {"__doc__": own.__doc__, "__module__": own.__module__})
    return strawberry.type(composed)
