"""Lists: the arguments of connections, filters and orders."""

import re
from typing import Final

from graphql import GraphQLField, GraphQLInputObjectType, GraphQLNonNull, GraphQLSchema, get_named_type

from tests.schema.conventions.sites import fields, given, is_order_by, own_types, words

PAGING: Final = {"first": "Int", "after": "Cursor", "last": "Int", "before": "Cursor"}
BOUNDS: Final = {"minimum", "maximum", "least", "most", "from", "to", "after", "before"}
"""Words for what is called `min`, `max`, `since` and `until`."""
WORDING: Final = re.compile(
    r"Filters [^.]+ by all fields that are given\. A field that is null or omitted matches all\."
)


def pages(schema: GraphQLSchema) -> list[str]:
    """A connection can be paged both ways."""
    found = []
    for site in fields(schema):
        assert isinstance(site.definition, GraphQLField)
        if site.kind.endswith("Connection"):
            paging = {name: str(each.type) for name, each in site.definition.args.items() if name in PAGING}
            found += [site.coordinate] if paging != PAGING else []
    return found


def filters_and_orders(schema: GraphQLSchema) -> list[str]:
    """`filter` is a `...Filter`, whose fields are optional and bounded by `min...`, `max...`, `since` and `until`.
    `search` is an argument beside it. `orderBy` is a `...OrderBy`, with a field and a direction that are required.
    """
    found = []
    for site in given(schema):
        kind = get_named_type(site.definition.type)
        if (site.name == "filter") is not kind.name.endswith("Filter") or (site.name == "orderBy") is not (
            is_order_by(kind) and isinstance(kind, GraphQLInputObjectType)
        ):
            found.append(site.coordinate)
        if site.owner.name.endswith("Filter") and (
            isinstance(site.definition.type, GraphQLNonNull) or BOUNDS & {*words(site.name)} or site.name == "search"
        ):
            found.append(site.coordinate)
    for kind in own_types(schema):
        if isinstance(kind, GraphQLInputObjectType) and is_order_by(kind):
            shape = {name: str(field.type) for name, field in kind.fields.items()}
            if shape != {"field": f"{kind.name}Field!", "direction": "OrderByDirection!"}:
                found.append(kind.name)
    return found


def wording_of_filters(schema: GraphQLSchema) -> list[str]:
    """Each filter says in the same words how its fields are combined and what null means, and no field repeats it."""
    found = []
    for kind in own_types(schema):
        if kind.name.endswith("Filter") and isinstance(kind, GraphQLInputObjectType):
            found += [] if WORDING.fullmatch(kind.description or "") else [kind.name]
            described = {name: field.description or "" for name, field in kind.fields.items()}
            found += [f"{kind.name}.{name}" for name, text in described.items() if re.search(r"(?i)\bnull\b", text)]
    return found
