"""What clients give: defaults, patches, and the object that is changed."""

from typing import Final

from graphql import GraphQLInputObjectType, GraphQLNonNull, GraphQLSchema

from tests.schema.conventions.sites import given, own_types, words

CHANGES: Final = ("Update", "Delete", "Remove", "Revoke", "Close", "Cancel", "Mark")
"""The first words of mutations that change an object which exists."""


def no_required_field_with_a_default(schema: GraphQLSchema) -> list[str]:
    """Nothing that clients give is `T! = default`: editors mark it as missing."""
    return [
        site.coordinate
        for site in given(schema)
        if isinstance(site.definition.type, GraphQLNonNull) and site.has_default
    ]


def patches(schema: GraphQLSchema) -> list[str]:
    """A field of an update has no default, so that absent is not null."""
    return [
        site.coordinate
        for site in given(schema)
        if isinstance(site.owner, GraphQLInputObjectType) and site.owner.name.startswith("Update") and site.has_default
    ]


def changed_object(schema: GraphQLSchema) -> list[str]:
    """The object that a mutation changes is `id`, several are `ids`. All of something are named by what has them."""
    found = []
    for kind in own_types(schema):
        if isinstance(kind, GraphQLInputObjectType) and kind.name.endswith("Input") and kind.name.startswith(CHANGES):
            if words(kind.name)[1] == "all":
                continue
            named = [name for name, field in kind.fields.items() if "ID" in str(field.type)]
            found += [f"{kind.name}.{name}" for name in named if not {"id", "ids"} & {*named}]
    return found
