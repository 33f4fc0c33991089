"""The order of fields."""

from graphql import GraphQLObjectType, GraphQLSchema

from app.schema.admins import is_for_admins


def public_before_admin(schema: GraphQLSchema) -> list[str]:
    """In the roots and in the viewer, fields for admins come after all others."""
    found = []
    for name in ("Query", "Mutation", "Viewer"):
        kind = schema.type_map.get(name)
        seen = False
        for field, definition in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            is_admin = is_for_admins(definition)
            if seen and not is_admin:
                found.append(f"{name}.{field}")
            seen = seen or is_admin
    return found
