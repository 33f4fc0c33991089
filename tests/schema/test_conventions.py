"""The graph keeps its conventions, and each rule finds a field that breaks one."""

import inspect
from typing import Any, Final

import pytest
import strawberry
from graphql import GraphQLSchema, build_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.field import StrawberryField

from app.domains.accounts import loaders
from app.engine.declarations.metadata import metadata_of
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.main import build_graph
from app.schema.accounts.access_codes import AccessCode
from app.schema.admins import admins_only, for_admins
from app.schema.scalars import SCALARS as SCALAR_MAP
from tests.schema.conventions import RULES, names, units
from tests.schema.conventions.cases import CASES
from tests.schema.conventions.sites import everything, words

COMPOSED: Final = build_graph()
GRAPH: Final = COMPOSED._schema
SCALARS: Final = "scalar Decimal scalar DateTime scalar Milliseconds scalar Cursor scalar Hash"


def built(sdl: str) -> GraphQLSchema:
    return build_schema(sdl, assume_valid=True, assume_valid_sdl=True)


AS_CLIENTS_SEE_IT: Final = {"lookups"}
"""Rules for the printed schema: Strawberry's own types do not say that an input takes exactly one field."""


@pytest.mark.parametrize("name", RULES)
def test_the_graph_keeps_each_convention(name: str) -> None:
    assert RULES[name](built(COMPOSED.as_str()) if name in AS_CLIENTS_SEE_IT else GRAPH) == []


@pytest.mark.parametrize("name", CASES)
def test_a_rule_finds_what_breaks_it(name: str) -> None:
    with_scalars = "" if name in {"described", "specified_scalars"} else SCALARS
    found = {sdl: RULES[name](built(sdl + with_scalars)) for sdl in CASES[name].broken}
    assert found == CASES[name].broken
    assert len(found) > 1


@pytest.mark.parametrize("name", CASES)
def test_a_rule_leaves_alone_what_keeps_it(name: str) -> None:
    with_scalars = "" if name in {"described", "specified_scalars"} else SCALARS
    assert RULES[name](built(CASES[name].kept + with_scalars)) == []


def test_each_rule_has_a_case() -> None:
    assert {*CASES} == {*RULES} - {"public_before_admin"}


@strawberry.type
class Query:
    jobs: int = strawberry.field(metadata=for_admins())

    news: int

    codes: Connection[AccessCode] = paged(loaders.access_codes, description="Codes.", allowed=admins_only)

    blocks: int


def test_a_public_field_after_one_for_admins_is_found() -> None:
    kind = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALAR_MAP))._schema
    fields = kind.type_map["Query"].fields  # type: ignore[attr-defined]
    for order, found in (
        (("news", "blocks", "jobs", "codes"), []),
        (("news", "jobs", "blocks", "codes"), ["Query.blocks"]),
        (("codes", "blocks", "news", "jobs"), ["Query.blocks", "Query.news"]),
    ):
        for name in order:
            fields[name] = fields.pop(name)
        assert RULES["public_before_admin"](kind) == found


def test_what_requires_an_admin_says_so() -> None:
    declared, required = set(), set()
    for site in everything(GRAPH):
        definition = site.definition.extensions.get("strawberry-definition")
        if site.owner.name in {"Query", "Mutation", "Viewer"} and isinstance(definition, StrawberryField):
            if metadata_of(site.definition).get("admins"):  # type: ignore[arg-type]  # a field
                declared.add(site.coordinate)
            resolver = definition.base_resolver
            function: Any = resolver and inspect.unwrap(resolver.wrapped_func)  # type: ignore[arg-type]  # a function
            if function and "require_admin" in inspect.getsource(function):
                required.add(site.coordinate)
    assert declared == required
    assert {"Query.scheduledJobs", "Mutation.createAccessCodes", "Mutation.publishNews"} <= declared


@pytest.mark.parametrize("reasons", [units.BARE_NUMBERS, names.FOREIGN_IDS, names.GENERIC, names.SEVERAL_TYPES])
def test_each_exception_is_needed(reasons: dict[str, str]) -> None:
    used = {" ".join(words(site.name)) for site in everything(GRAPH)}
    assert [name for name in reasons if not any(each.endswith(" ".join(words(name))) for each in used)] == []


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("volume24hUsd", ["volume", "24h", "usd"]),
        ("historicalCVaRFraction", ["historical", "c", "va", "r", "fraction"]),
        ("plusDI", ["plus", "di"]),
        ("id", ["id"]),
        ("ticksPerS", ["ticks", "per", "s"]),
    ],
)
def test_the_words_of_a_name(name: str, parts: list[str]) -> None:
    assert words(name) == parts
