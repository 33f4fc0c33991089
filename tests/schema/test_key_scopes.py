"""What API keys may read and change: every type and mutation of the graph says it, and documents are held to it."""

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, parse

from app.domains.tenancy.api_keys.model import NOUNS
from app.engine.declarations.key_scopes import NEVER, PUBLIC, declared_key_scope
from app.engine.execution.reach import reach_of
from app.main import HOUSES, build_graph
from app.schema.composition import house_name
from app.schema.key_scopes import declare_key_scopes, undeclared

GRAPH = build_graph()
SCHEMA = GRAPH._schema
DECLARED = {house_name(house): house.key_scopes for house in HOUSES}


def scope(name: str) -> str | None:
    return declared_key_scope(SCHEMA.type_map[name])


def needed(document: str) -> set[str]:
    definitions: Any = parse(document).definitions
    fragments = {each.name.value: each for each in definitions if each.kind == "fragment_definition"}
    [operation] = [each for each in definitions if each.kind == "operation_definition"]
    root = SCHEMA.get_root_type(operation.operation)
    return set(reach_of(SCHEMA, operation.selection_set, root, fragments).key_scopes)


def test_every_type_and_mutation_says_what_keys_need() -> None:
    assert undeclared(SCHEMA) == []
    assert SCHEMA.mutation_type is not None
    known = {PUBLIC, NEVER, *(f"{noun}:read" for noun in NOUNS)}
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            assert declared_key_scope(kind) in known, kind.name
    for name, field in SCHEMA.mutation_type.fields.items():
        assert declared_key_scope(field) in {NEVER, *(f"{noun}:write" for noun in NOUNS)}, name


def test_what_is_a_users_own_is_for_no_key() -> None:
    own = {
        "Viewer", "Profile", "LoginSession", "AuthLogEntry", "UserSetting", "Beneficiary", "Alert", "WatchlistItem",
        "Portfolio", "Order", "Fill", "Bot", "Backtest", "ExchangeAccount", "Notification", "OpenStream", "ApiKey",
        "AccessCode", "ScheduledJob", "OrderUpdateEvent", "WalletBalanceUpdateEvent", "AnalyticsEvent",
        "OrderConnection", "AlertEdge", "StrategyConfig",
    }  # fmt: skip
    for name in own:
        kind = SCHEMA.type_map[name]
        kinds = [kind] if isinstance(kind, GraphQLObjectType) else SCHEMA.get_possible_types(kind)  # type: ignore[arg-type]
        assert {declared_key_scope(each) for each in kinds} == {NEVER}, name


def test_what_everybody_reads_is_public_and_pages_are_as_their_items() -> None:
    for name in ("Token", "Block", "Chain", "ServerInfo", "PageInfo", "NotFound", "TokenConnection", "BlockEdge"):
        assert scope(name) == PUBLIC, name
    for name in ("TenantMembership", "TenantMembershipConnection", "TenantMembershipEdge", "TenantInvitation"):
        assert scope(name) == "members:read", name
    assert scope("Tenant") == scope("TenantUsage") == "tenant:read"


def test_an_interface_is_not_declared_but_for_what_is_checked_when_it_is_found() -> None:
    interfaces = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInterfaceType)]
    assert [kind.name for kind in interfaces if declared_key_scope(kind) is not None] == ["Node"]


@pytest.mark.parametrize(
    ("document", "scopes"),
    [
        ("{ serverInfo { version } blocks(first: 1) { nodes { height } } }", set()),
        ("{ __schema { types { name } } __typename }", set()),
        ("{ tenant { slug } }", {"tenant:read"}),
        ("{ tenant { __typename } }", {"tenant:read"}),
        ("{ public: tenant { slug } }", {"tenant:read"}),
        ("{ tenant { members(first: 1) { totalCount { value } } } }", {"tenant:read", "members:read"}),
        ("{ viewer { __typename } }", {NEVER}),
        ("{ serverInfo: viewer { __typename } }", {NEVER}),
        ("{ ... on Query { ...V } } fragment V on Query { viewer { __typename } }", {NEVER}),
        ("{ ... @include(if: false) { viewer { __typename } } }", {NEVER}),
        ('{ node(id: "x") { id __typename } }', set()),
        ('{ node(id: "x") { ... on Tenant { __typename } } }', {"tenant:read"}),
        ('{ node(id: "x") { ... on TenantMembership { tenantRole } } }', {"members:read"}),
        ('{ nodes(ids: ["x"]) { ...T } } fragment T on Order { id }', {NEVER}),
        ('{ node(id: "x") { ... on Node { ... on ApiKey { prefix } } } }', {NEVER}),
        ("mutation { updateTenant(input: {}) { __typename } }", {"tenant:write"}),
        (
            "mutation { a: updateTenant(input: {}) { ... on UpdateTenantPayload { tenant { slug } } ... on Problem"
            " { message } } }",
            {"tenant:write", "tenant:read"},
        ),
        (
            'mutation { removeMember(input: { id: "x" }) { __typename } logout { __typename } }',
            {"members:write", NEVER},
        ),
        ("subscription { blocks { block { height } } }", set()),
        ("subscription { orderUpdates { cursor } }", {NEVER}),
    ],
)
def test_what_a_document_needs(document: str, scopes: set[str]) -> None:
    assert needed(document) == scopes


@pytest.mark.parametrize(
    ("house", "name", "scope"),
    [
        ("market", "tokens", "prices"),
        ("market", "*", PUBLIC),
        ("market", "nowhere", PUBLIC),
        ("market", "publishNews", PUBLIC),
        ("tenancy", "Tenants", "tenant"),
    ],
)
def test_a_wrong_declaration_is_refused(house: str, name: str, scope: str) -> None:
    wrong = DECLARED | {house: {**DECLARED[house], name: scope}}
    with pytest.raises(ValueError, match=name if name != "*" else r"\*"):
        declare_key_scopes(build_graph()._schema, wrong)


def test_what_is_not_declared_is_found_and_for_no_key() -> None:
    schema = build_graph()._schema
    for kind in schema.type_map.values():
        kind.extensions.pop("moneta-key-scope", None)
    assert schema.mutation_type is not None
    schema.mutation_type.fields["updateTenant"].extensions.pop("moneta-key-scope")
    declare_key_scopes(schema, {**{house: {} for house in DECLARED}, "ledger": {"blocks": PUBLIC}})
    missing = undeclared(schema)
    assert {"Tenant", "Order", "updateTenant"} <= set(missing)
    assert "Block" not in missing
    tree: Any = parse("{ tenant { slug } }").definitions[0]
    assert set(reach_of(schema, tree.selection_set, schema.query_type, {}).key_scopes) == {NEVER}
