"""All fields that are wrong are named at once: of every mutation that has a key, of every update, and of every list."""

import re
from typing import Any, Final, cast

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from app.engine.declarations.nodes import global_id
from tests.graph import replay_inputs
from tests.graph.campaign_inputs import Contest
from tests.graph.invalid_inputs import KEYED, LONG, OLD, UPDATED
from tests.graph.replays import KEY, SCENARIOS, SDL, Caller
from tests.graph.stage import Stage
from tests.graph.test_patches import UPDATES, made

PARENTS: Final = {
    "Query": "%s",
    "Viewer": "viewer { %s }",
    "Wallet": "viewer { wallet { %s } }",
    "Token": 'token(by: { symbol: "BTC" }) { %s }',
    "Block": "block(by: { height: 0 }) { %s }",
    "Portfolio": "viewer { defaultPortfolio { %s } }",
    "JournalEntry": "viewer { defaultPortfolio { journal(first: 1) { nodes { %s } } } }",
    "Order": 'order(by: { id: "<order.1>" }) { %s }',
    "Bot": 'bot(by: { id: "<alice.bot>" }) { %s }',
    "Backtest": 'backtest(by: { id: "<backtest>" }) { %s }',
    "BacktestSweep": 'backtestSweep(by: { id: "<sweep>" }) { %s }',
    "ExchangeAccount": 'node(id: "<account>") { ... on ExchangeAccount { %s } }',
    "Tenant": "tenant { %s }",
    "Project": 'project(by: { id: "<contest>" }) { %s }',
    "Participant": 'participant(by: { id: "<participant>" }) { %s }',
    "Participation": 'participation(by: { id: "<participation>" }) { %s }',
    "ParticipantImport": 'participantImport(by: { id: "<import>" }) { %s }',
    "Reconciliation": 'node(id: "<reconciliation>") { ... on Reconciliation { %s } }',
}
"""How the lists of a type are asked for."""
COMPARED: Final = """
WITH account AS (
    INSERT INTO exchange_accounts (user_id, exchange, label) VALUES ($1, 'binance', 'x') RETURNING id
)
INSERT INTO reconciliations (account_id) SELECT id FROM account RETURNING id, account_id
"""
"""An account of a user at an exchange, and a comparison with it."""
SPAN: Final = ("2027-01-01T00:00:00Z", OLD)
"""A period that ends before it begins."""
WRONG: Final[dict[str, Any]] = {"search": LONG, "emailPrefix": LONG, "minImpact": -1} | {
    name: ["x"] * 150 for name in ("symbols", "sources")
}
"""What no list accepts in its own arguments, or in its filter."""


def lists() -> dict[str, tuple[str, dict[str, str], dict[str, str]]]:
    """Each list of the graph: how it is asked for, and the types of its arguments and of the fields of its filter."""
    found = {}
    for parent in (kind for kind in SDL.type_map.values() if isinstance(kind, GraphQLObjectType)):
        for name, field in parent.fields.items():
            if {"first", "last", "after", "before"} <= field.args.keys():
                own = {each: str(argument.type) for each, argument in field.args.items()}
                given = get_named_type(field.args["filter"].type) if "filter" in field.args else None
                fields = given.fields if isinstance(given, GraphQLInputObjectType) else {}
                filters = {each: str(value.type) for each, value in fields.items()}
                found[f"{parent.name}.{name}"] = (PARENTS[parent.name], own, filters)
    return found


def wrong(names: dict[str, str]) -> tuple[dict[str, Any], set[str]]:
    """Values for as many of these arguments as can be wrong, and which of them are."""
    values = {name: WRONG[name] for name in names if name in WRONG}
    refused = set(values)
    for low, high in [("since", "until"), *((each, f"max{each[3:]}") for each in names if each.startswith("min"))]:
        if low in names and high in names:
            for name, value in zip((low, high), SPAN if low == "since" else (9, 2), strict=True):
                values[name] = str(value) if names[name] == "Decimal" else value
            refused.add(low)
    return values, refused


async def make(stage: Stage, parent: str) -> None:
    """What the world has none of."""
    match parent:
        case "Backtest":
            made = await Caller(stage, "runBacktest").accepted(await replay_inputs.backtest(stage, "one"), "key")
            stage.names["backtest"] = made["backtest"]["id"]
        case "BacktestSweep":
            made = await Caller(stage, "runSweep").accepted(await replay_inputs.sweep(stage, "one"), "key")
            stage.names["sweep"] = made["sweep"]["id"]
        case "Project" | "Participant" | "Participation":
            contest = Contest(stage)
            stage.names["contest"] = global_id("Project", await contest.project())
            stage.names["participant"] = global_id("Participant", await contest.participant("one"))
            stage.names["participation"] = global_id("Participation", await contest.participation("one"))
        case "ParticipantImport":
            given = await SCENARIOS["importParticipants"].input(stage, "one")
            made = await Caller(stage, "importParticipants").accepted(given, "key")
            stage.names["import"] = made["participantImport"]["id"]
        case "ExchangeAccount" | "Reconciliation":
            compared = await stage.owner.fetchrow(COMPARED, stage.world.viewers["alice"].user_id)
            assert compared is not None
            stage.names["account"] = global_id("ExchangeAccount", compared["account_id"])
            stage.names["reconciliation"] = global_id("Reconciliation", compared["id"])


async def failure(stage: Stage, mutation: str, given: dict[str, Any], by: str | None) -> list[list[str]]:
    noun = mutation[0].upper() + mutation[1:]
    query = f"""mutation($in: {noun}Input!) {{ done: {mutation}(input: $in) {{
        __typename ... on InvalidInput {{ fields {{ path }} }} }} }}"""
    response = await stage.execute(query, {"in": given}, None if by is None else stage.world.viewers[by])
    assert response.errors == []
    done = cast(Any, response.data)["done"]
    assert done["__typename"] == "InvalidInput"
    return [each["path"] for each in done["fields"]]


def filled_in(stage: Stage, given: dict[str, Any]) -> dict[str, Any]:
    return {name: stage.names[value[1:-1]] if str(value).startswith("<") else value for name, value in given.items()}


def test_all_of_them_are_tried() -> None:
    assert KEYED.keys() == SCENARIOS.keys()
    assert UPDATED.keys() == UPDATES.keys()
    objects = [kind for kind in SDL.type_map.values() if isinstance(kind, GraphQLObjectType)]
    fields = [
        (kind.name, name, get_named_type(field.type).name) for kind in objects for name, field in kind.fields.items()
    ]
    assert lists().keys() == {f"{kind}.{name}" for kind, name, returned in fields if returned.endswith("Connection")}


@pytest.mark.parametrize("name", KEYED)
async def test_an_invalid_key_is_named_with_all_else_that_is_wrong(stage: Stage, name: str) -> None:
    given, fields = KEYED[name]
    given = filled_in(stage, given)
    wrong = [["input", *path] for path in fields]
    for key in ("", "k" * 201, "a\n"):
        assert await failure(stage, name, {**given, KEY: key}, SCENARIOS[name].by) == [*wrong, ["input", KEY]]
    if wrong:
        assert await failure(stage, name, {**given, KEY: "key"}, SCENARIOS[name].by) == wrong
    good = await SCENARIOS[name].input(stage, "first")
    assert await failure(stage, name, {**good, KEY: ""}, SCENARIOS[name].by) == [["input", KEY]]


@pytest.mark.parametrize("name", UPDATED)
async def test_an_update_names_null_with_all_else_that_is_wrong(stage: Stage, name: str) -> None:
    given, fields = UPDATED[name]
    mutation, (_, which) = name[0].lower() + name[1:].removesuffix("Input"), await made(stage, UPDATES[name])
    assert await failure(stage, mutation, {**which, **given}, UPDATES[name].by) == [
        ["input", *field.split(".")] for field in fields
    ]


@pytest.mark.parametrize("name", lists())
async def test_a_list_names_its_page_its_filter_and_its_other_arguments(stage: Stage, name: str) -> None:
    parent, own, filters = lists()[name]
    variables, refused = wrong(own)
    conditions, refused_conditions = wrong(filters)
    variables |= {"first": 0, "last": 0, "after": "x", "before": "y"}
    variables |= dict.fromkeys({"interval", "resolution"} & own.keys(), "ONE_DAY")
    variables |= dict.fromkeys({"period"} & own.keys(), "DAY")
    variables |= {each: "DAY" for each, type in own.items() if type == "StatisticsInterval!"}
    if filters:
        variables["filter"] = conditions
    expected: set[tuple[str, ...]] = {(each,) for each in (*refused, "first", "last", "after", "before")}
    expected |= {("filter", each) for each in refused_conditions}
    field = name.partition(".")[2]
    declared = ", ".join(f"${each}: {own[each]}" for each in variables)
    asked = f"{field}({', '.join(f'{each}: ${each}' for each in variables)}) {{ totalCount {{ value }} }}"
    is_alices = "Portfolio" in parent or "<" in parent or parent.startswith("tenant")
    viewer = stage.world.viewers["alice" if is_alices else "admin"]
    await make(stage, name.partition(".")[0])
    parent = re.sub(r"<([\w.]+)>", lambda found: stage.names[found[1]], parent)
    response = await stage.execute(f"query({declared}) {{ {parent % asked} }}", variables, viewer)
    (error,) = response.errors
    assert {tuple(each["path"]) for each in error["extensions"]["fields"]} == expected
