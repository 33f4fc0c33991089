"""Names: booleans, IDs, cases, reserved words, and one type for one notion."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from graphql import GraphQLEnumType, GraphQLSchema, get_nullable_type, is_list_type

from tests.schema.conventions.sites import everything, fields, given, own_types, words

RESERVED: Final = {"Role", "Session", "User", "Output", "Interval"}
"""The names of types that later houses need."""
FOREIGN_IDS: Final[Mapping[str, str]] = {
    "walletId": "the address on the chain, a Hash",
    "coingeckoId": "the key at CoinGecko",
    "nationalId": "a number of an authority",
    "orderId": "the client's own name of an order",
    "telegramId": "a number at Telegram",
    "discordId": "a key at Discord",
}
"""What ends in `Id` and is no global ID, by its last words, each with the reason."""
GENERIC: Final[Mapping[str, str]] = {
    "type": "each kind of thing has its own types",
    "kind": "each kind of thing has its own kinds",
    "status": "each kind of thing has its own statuses",
    "node": "of a connection",
    "nodes": "of a connection",
    "edges": "of a connection",
    "findings": "each analysis has its own",
    "value": "in the type of the thing that has it",
    "code": "of the thing that has it",
    "field": "each order has its own fields",
}
"""Names that say nothing without their type, each with the reason."""
SEVERAL_TYPES: Final[Mapping[str, str]] = {
    "direction": "of a sort order, of a payment, of a pattern",
    "key": "the public name of a project is text, that of a setting one of four",
    "level": "that of a participant is a number, a token's risk is one of three",
    "levels": "of a grid a number of prices, of a project a list",
    "network": "the name of the chain is text, where a token is one of three",
    "open": "a candle's first price, and the candle that is open",
    "points": "of participants, and of a score from 0 to 100",
    "reason": "text for people, except that a rejected transaction has a closed list of reasons",
    "source": "a publisher is text, a source of prices is one of three",
    "version": "the number of a header's format, and the text of a release",
}
"""Names of several notions, each with the reason."""
NAMED_AFTER_OTHERS: Final[Mapping[str, str]] = {
    "ServerLimits": "each field has the name of what it limits",
    "TokenAnalysis": "each field has the name of its analysis",
    "Subscription": "each field has the name of what its events are about",
}
_BOOLEAN: Final = re.compile(r"(is|has|can)[A-Z]")


def booleans(schema: GraphQLSchema) -> list[str]:
    """A Boolean of a type begins with `is`, `has` or `can`; one that clients give does not."""
    shown = [site for site in fields(schema) if site.kind == "Boolean" and not _BOOLEAN.match(site.name)]
    asked = [site for site in given(schema) if site.kind == "Boolean" and _BOOLEAN.match(site.name)]
    return [site.coordinate for site in shown + asked]


def ids(schema: GraphQLSchema) -> list[str]:
    """An ID is `id`, `ids`, or ends so; what has such a name is an ID, unless others gave it out."""
    return [
        site.coordinate
        for site in everything(schema)
        if (site.kind == "ID") is not (words(site.name)[-1] in {"id", "ids"})
        and not (site.kind != "ID" and _is_foreign(site.name))
    ]


def _is_foreign(name: str) -> bool:
    return any(words(name)[-2:] == words(each) for each in FOREIGN_IDS)


def hashes(schema: GraphQLSchema) -> list[str]:
    """A Hash that clients give is that of a wallet, `walletId` or `...WalletId`, or ends in `hash`."""
    return [
        site.coordinate
        for site in given(schema)
        if site.kind == "Hash" and words(site.name)[-1] != "hash" and words(site.name)[-2:] != ["wallet", "id"]
    ]


def cases(schema: GraphQLSchema) -> list[str]:
    """Types are PascalCase, fields and arguments camelCase, values of enums UPPER_CASE."""
    found = [kind.name for kind in own_types(schema) if not re.fullmatch(r"([A-Z][a-z0-9]*)+", kind.name)]
    found += [site.coordinate for site in everything(schema) if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", site.name)]
    for kind in own_types(schema):
        if isinstance(kind, GraphQLEnumType):
            found += [f"{kind.name}.{value}" for value in kind.values if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value)]
    return found


def reserved_words(schema: GraphQLSchema) -> list[str]:
    """No type has a name that a later house needs; only GraphQL's root is a Subscription."""
    root = schema.subscription_type
    return [
        kind.name
        for kind in own_types(schema)
        if kind.name in RESERVED or ("subscription" in words(kind.name) and kind is not root)
    ]


def one_type_for_one_notion(schema: GraphQLSchema) -> list[str]:
    """A field has the same type wherever its name is used; a list and a connection of it count as the same."""
    found = []
    for sites in (fields(schema), (site for site in given(schema) if "(" not in site.coordinate)):
        uses = defaultdict[str, dict[str, str]](dict)
        for site in sites:
            if site.name not in {*GENERIC, *SEVERAL_TYPES} and site.owner.name not in NAMED_AFTER_OTHERS:
                notion = site.kind.removesuffix("Connection")
                is_plural = is_list_type(get_nullable_type(site.definition.type)) or notion != site.kind
                uses[site.name].setdefault(f"{notion}{'s' if is_plural else ''}", site.coordinate)
        found += [coordinate for kinds in uses.values() if len(kinds) > 1 for coordinate in kinds.values()]
    return found
