"""The reference at `/docs`: every type of the schema with its descriptions, as one page to read and to search in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Final, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

Described: TypeAlias = GraphQLField | GraphQLInputField | GraphQLArgument | GraphQLEnumValue

_ROOTS: Final = ("Query", "Mutation", "Subscription")
_KINDS: Final[Mapping[str, type[GraphQLNamedType]]] = {
    "Objects": GraphQLObjectType,
    "Interfaces": GraphQLInterfaceType,
    "Unions": GraphQLUnionType,
    "Inputs": GraphQLInputObjectType,
    "Enums": GraphQLEnumType,
    "Scalars": GraphQLScalarType,
}


def reference(schema: GraphQLSchema) -> str:
    """The page's HTML. It takes a while."""
    roots = [(name, [schema.type_map[name]]) for name in _ROOTS if name in schema.type_map]
    groups = [*roots, *((title, _of_kind(schema, kind)) for title, kind in _KINDS.items())]
    found = [(title, types) for title, types in groups if types]
    contents = "".join(_contents(title, types) for title, types in found)
    chapters = "".join(_chapter(title, types) for title, types in found)
    about = _text(schema.description) if schema.description else ""
    return (
        f'<h1>Reference</h1>\n{about}<p>The same as SDL: <a href="/schema.graphql">/schema.graphql</a>. '
        f'To try it out: <a href="/ide">/ide</a>.</p>\n<nav aria-label="Contents">\n{contents}</nav>\n{chapters}'
    )


def _of_kind(schema: GraphQLSchema, kind: type[GraphQLNamedType]) -> list[GraphQLNamedType]:
    found = (
        each
        for name, each in sorted(schema.type_map.items())
        if isinstance(each, kind) and name not in _ROOTS and not is_introspection_type(each)
    )
    return list(found)


def _contents(title: str, types: Iterable[GraphQLNamedType]) -> str:
    if title in _ROOTS:
        (root,) = types
        links = " ".join(f'<a href="#{title}.{name}">{name}</a>' for name in _fields(root))
    else:
        links = " ".join(_link(each.name) for each in types)
    return f"<details><summary>{title}</summary><p>{links}</p></details>\n"


def _chapter(title: str, types: Iterable[GraphQLNamedType]) -> str:
    if title in _ROOTS:
        (root,) = types
        return f'<h2 id="{title}">{title}</h2>\n{_body(root)}'
    return f"<h2>{title}</h2>\n" + "".join(
        f'<article><h3 id="{each.name}">{each.name}</h3>\n{_body(each)}</article>\n' for each in types
    )


def _body(named: GraphQLNamedType) -> str:
    return f"{_text(named.description)}{''.join(_about(named))}{_members(named)}"


def _about(named: GraphQLNamedType) -> Iterator[str]:
    match named:
        case GraphQLObjectType(interfaces=interfaces) | GraphQLInterfaceType(interfaces=interfaces) if interfaces:
            yield f"<p>Implements {', '.join(_link(each.name) for each in interfaces)}.</p>\n"
        case GraphQLUnionType(types=types):
            yield f"<p>One of {', '.join(_link(each.name) for each in types)}.</p>\n"
        case GraphQLScalarType(specified_by_url=str(url)):
            yield f'<p>Specified by <a href="{escape(url)}" rel="noreferrer">{escape(url)}</a>.</p>\n'
        case GraphQLInputObjectType(is_one_of=True):
            yield "<p>Exactly one of the fields must be given.</p>\n"


def _fields(named: GraphQLNamedType) -> Mapping[str, Described]:
    return getattr(named, "fields", None) or getattr(named, "values", None) or {}


def _members(named: GraphQLNamedType) -> str:
    members = _fields(named)
    if not members:
        return ""
    return (
        '<dl class="members">\n'
        + "".join(_member(f"{named.name}.{name}", name, each) for name, each in members.items())
        + "</dl>\n"
    )


def _member(anchor: str, name: str, member: Described) -> str:
    arguments: Mapping[str, GraphQLArgument] = getattr(member, "args", {})
    given = "".join(
        f"<li>{_signed(each, argument)} {_line(argument.description)}</li>" for each, argument in arguments.items()
    )
    shown = f"<ul>{given}</ul>" if given else ""
    outdated = f"<p>Deprecated: {_line(member.deprecation_reason)}</p>" if member.deprecation_reason else ""
    return f'<dt id="{anchor}">{_signed(name, member)}</dt><dd>{_text(member.description)}{outdated}{shown}</dd>\n'


def _signed(name: str, member: Described) -> str:
    if isinstance(member, GraphQLEnumValue):
        return f"<code>{name}</code>"
    text, named = str(member.type), get_named_type(member.type)
    before, _, after = text.partition(named.name)
    shown = named.name if is_specified_scalar_type(named) else _link(named.name)
    return f"<code>{name}: {before}{shown}{after}</code>"


def _link(name: str) -> str:
    return f'<a href="#{name}">{name}</a>'


def _text(description: str | None) -> str:
    paragraphs = (description or "").strip().split("\n\n")
    return "".join(f"<p>{_line(each)}</p>\n" for each in paragraphs if each)


def _line(description: str | None) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(description or "", quote=False))
