"""Documents that are as expensive to check as a given number of tokens allows, over the real graph."""

from collections.abc import Callable
from typing import Final

Family = Callable[[int], str]


def repeated_inline(tokens: int) -> str:
    """Equal selections in inline fragments: compared in pairs, they are quadratic."""
    return "{" + "...{chain{height}}" * (tokens // 7) + "}"


def repeated_leaves(tokens: int) -> str:
    """The same, a level down."""
    return "{chain{" + "...{height}" * (tokens // 4) + "}}"


def overlapping_fragments(tokens: int) -> str:
    """Named fragments that all select the same."""
    count = tokens // 16
    spreads = " ".join(f"...F{n}" for n in range(count))
    return f"{{{spreads}}}" + "".join(f"fragment F{n} on Query{{chain{{height}}}}" for n in range(count))


def chained_fragments(tokens: int) -> str:
    """Fragments that each spread the next; graphql-core follows at most some 200."""
    count = min(tokens // 14, 180)
    steps = "".join(f"fragment F{n} on Query{{chain{{height}} ...F{n + 1}}}" for n in range(count))
    return "{...F0}" + steps + f"fragment F{count} on Query{{chain{{height}}}}"


def doubling_fragments(tokens: int) -> str:
    """Fragments that each spread the next twice: written out, 2^n fields."""
    count = min(tokens // 12, 150)
    steps = "".join(f"fragment F{n} on Chain{{...F{n + 1} ...F{n + 1}}}" for n in range(count))
    return "{chain{...F0}}" + steps + f"fragment F{count} on Chain{{height}}"


def splitting_places(levels: int) -> str:
    """Places in the response that double with each level, and no two of which select quite the same."""
    parts: list[str] = []
    for n in range(levels):
        last = max(0, levels - n - 1)
        parts.append(f"fragment F{n} on Block{{previous{{...F{n + 1}}}next{{...F{n + 1} ...X{n}_0}}}}")
        parts += [
            f"fragment X{n}_{k} on Block{{previous{{...X{n}_{k + 1}}}next{{...X{n}_{k + 1}}}}}" for k in range(last)
        ]
        parts.append(f"fragment X{n}_{last} on Block{{height}}")
    return "{block(by:{height:1}){...F0}}" + "".join(parts) + f"fragment F{levels} on Block{{height}}"


def many_operations(tokens: int) -> str:
    """Operations that all reach all fragments."""
    count = tokens // 24
    steps = "".join(f"fragment F{n} on Query{{chain{{height}} ...F{n + 1}}}" for n in range(count // 2))
    last = f"fragment F{count // 2} on Query{{chain{{height}}}}"
    return "".join(f"query Q{n}{{...F0}}" for n in range(count)) + steps + last


def many_variables(tokens: int) -> str:
    """Operations with variables that fragments use."""
    count = tokens // 40
    usages = "...{blocks(first:$v){totalCount{value}}}" * count
    return "".join(f"query Q{n}($v:Int!){{...F}}" for n in range(count)) + f"fragment F on Query{{{usages}}}"


def many_subscriptions(tokens: int) -> str:
    """Subscriptions, each of which would be printed with all its fragments."""
    count = tokens // 30
    selected = "...{block{height}}" * count
    return (
        "".join(f"subscription Q{n}{{newBlock{{...F}}}}" for n in range(count))
        + f"fragment F on BlockEvent{{cursor {selected}}}"
    )


def roots_of_subscriptions(tokens: int) -> str:
    """Subscriptions whose root field is at the end of a chain of fragments."""
    count = tokens // 24
    steps = "".join(f"fragment F{n} on Subscription{{...F{n + 1}}}" for n in range(count // 2))
    last = f"fragment F{count // 2} on Subscription{{newBlock{{cursor}}}}"
    return "".join(f"subscription Q{n}{{...F0}}" for n in range(count)) + steps + last


def long_list(tokens: int) -> str:
    """A literal list."""
    return "{nodes(ids:[" + '"a" ' * (tokens - 8) + "]){id}}"


def many_directives(tokens: int) -> str:
    """Directives on everything."""
    return "{chain{" + "...@include(if:true){height}" * (tokens // 11) + "}}"


def differing_arguments(tokens: int) -> str:
    """Conflicts everywhere: each field has other arguments than all others of its name."""
    return "{" + "".join(f"...{{blocks(first:{n}){{totalCount{{value}}}}}}" for n in range(tokens // 16)) + "}"


def unknown_fields(tokens: int) -> str:
    """Nothing that exists, but much like it."""
    return "{" + " ".join(f"chayn{n}" for n in range(tokens)) + "}"


def many_types(tokens: int) -> str:
    """Inline fragments on many types in one place."""
    kinds = ("Block", "Transaction", "Token", "UserAccount", "Alert", "NewsArticle")
    return '{node(id:"x"){' + "".join(f"...on {kinds[n % 6]}{{id}}" for n in range(tokens // 6)) + "}}"


FAMILIES: Final[tuple[Family, ...]] = (
    repeated_inline,
    repeated_leaves,
    overlapping_fragments,
    chained_fragments,
    doubling_fragments,
    many_operations,
    many_variables,
    many_subscriptions,
    roots_of_subscriptions,
    long_list,
    many_directives,
    differing_arguments,
    unknown_fields,
    many_types,
)
