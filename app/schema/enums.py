"""Enums of the domain in the graph: the domain's own class is declared, with a description of each value."""

from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=StrEnum)


def declare_enum(cls: type[E], /, *, name: str | None = None, description: str | None = None, **values: str) -> None:
    """Declares `cls` as a GraphQL enum; without a description of its own, its docstring becomes the enum's description.

    `values` has the description of each member, in the order of the schema. `name` is the name in the graph, where it
    differs from the class's. Raises ValueError if a member has no description, or a description has no member, or if a
    type that was declared before has a field of this enum.
    """
    if values.keys() != cls.__members__.keys():
        raise ValueError(f"{cls.__name__} has other members than those described")
    if "__strawberry_definition__" in vars(cls):
        raise ValueError(f"{cls.__name__} is in the graph already, without its descriptions")
    strawberry.enum(cls, name=name, description=description)
    definition: StrawberryEnumDefinition = vars(cls)["__strawberry_definition__"]
    order = list(values)
    definition.values.sort(key=lambda each: order.index(each.name))
    for each in definition.values:
        each.description = values[each.name]
