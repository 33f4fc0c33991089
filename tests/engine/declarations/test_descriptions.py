"""A description is said once: by the declaration's docstring, or where that cannot hold it, by the declaration."""

from typing import Any, Generic, TypeVar

import strawberry

from app.engine.declarations.descriptions import describe

SDL = '''
"""What a search is for."""
input Search {
  """The words."""
  words: String!
}
'''


T = TypeVar("T")


@strawberry.type
class Bare:
    size: int = 0


@strawberry.input
class Search:
    """What a search is for."""

    words: str = strawberry.field(description="The words.")


def _count(search: Search) -> int:
    """Not shown either."""
    return 1


@strawberry.interface
class Named:
    """Something that has
    a name.

    A name is public.
    """

    @strawberry.field
    def name(self) -> str:
        """What it is called."""
        return "x"


@strawberry.type(description="A thing.")
class Thing(Named):
    """Not shown."""

    count: int = strawberry.field(resolver=_count, description="How often it was counted.")


@strawberry.type
class Box(Generic[T]):
    """A box of something."""

    content: T


@strawberry.type
class Query:
    """All that can be read."""

    bare: Bare
    boxed: Box[Thing]

    @strawberry.field
    def thing(self) -> Thing:
        """The only one."""
        return Thing()


def _schema() -> strawberry.Schema:
    schema = strawberry.Schema(query=Query)
    describe(schema)
    return schema


def test_a_docstring_describes_what_has_no_description() -> None:
    types: dict[str, Any] = _schema()._schema.type_map
    query, named, thing = types["Query"], types["Named"], types["Thing"]
    assert query.description == "All that can be read."
    assert query.fields["thing"].description == "The only one."
    assert named.description == "Something that has a name.\n\nA name is public."
    assert named.fields["name"].description == "What it is called."
    assert thing.fields["name"].description == "What it is called."
    assert SDL in _schema().as_str()


def test_a_description_stands_before_a_docstring() -> None:
    thing: Any = _schema()._schema.type_map["Thing"]
    assert thing.description == "A thing."
    assert thing.fields["count"].description == "How often it was counted."


def test_what_says_nothing_is_not_described() -> None:
    bare: Any = _schema()._schema.type_map["Bare"]
    assert (bare.description, bare.fields["size"].description) == (None, None)


def test_a_generic_type_describes_its_specialisations() -> None:
    assert _schema()._schema.type_map["ThingBox"].description == "A box of something."
