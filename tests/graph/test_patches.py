"""Every update is a patch: a field that is absent stays unchanged, null clears it or is refused, and nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, build_schema

from app.kit.clock import FixedClock
from tests.graph.stage import Stage
from tests.graph.transcripts import HERE

SDL: Final = build_schema((HERE.parents[1] / "schema.graphql").read_text())
REFUSED: Final = object()
"""Null is InvalidInput."""


@dataclass(frozen=True)
class Update:
    """An object in which each field has a value, and what null in a field of its update does."""

    make: str
    """The mutation that gives each field a value; its arguments are `$in`."""
    show: str
    """What is shown of the object: all that the update changes."""
    nulls: dict[str, Any]
    """By the field of the input: what the object then shows under that name, or REFUSED."""
    start: dict[str, Any]
    changed: dict[str, Any]
    """New values of fields, each of which changes nothing else."""
    by: str = "alice"


UPDATES: Final = {
    "UpdateAlertInput": Update(
        "createAlert",
        "alert { id rearm cooldownMs enabled: isEnabled expiresAt condition { ... on PriceAboveCondition { priceUsd } }"
        " }",
        # The cooldown cannot be cleared as long as `rearm` is AFTER_COOLDOWN.
        {"condition": REFUSED, "rearm": REFUSED, "cooldownMs": REFUSED, "enabled": REFUSED, "expiresAt": None},
        {
            "symbol": "BTC",
            "condition": {"priceAbove": {"priceUsd": "123456"}},
            "rearm": "AFTER_COOLDOWN",
            "cooldownMs": 60_000,
        },
        {"cooldownMs": 120_000, "enabled": False, "condition": {"priceAbove": {"priceUsd": "200000"}}},
    ),
    "UpdateProfileInput": Update(
        "updateProfile",
        "profile { username displayName avatarUrl tradingMode analyticsEnabled: isAnalyticsEnabled }",
        {
            "username": None,
            "displayName": "<generated>",
            "avatarUrl": None,
            "tradingMode": REFUSED,
            "analyticsEnabled": REFUSED,
        },
        {
            "username": "alice",
            "displayName": "Alice A.",
            "avatarUrl": "https://example.com/a.png",
            "tradingMode": "PAPER",
            "analyticsEnabled": False,
        },
        {"username": "alicia", "displayName": "A.", "avatarUrl": "https://example.com/b.png"},
    ),
    "UpdateWatchlistItemInput": Update(
        "addToWatchlist",
        "item { id notes position lastViewedAt }",
        {"notes": None, "position": REFUSED, "viewed": REFUSED},
        {"symbol": "ADA", "notes": "Cheap."},
        {"notes": "Dear."},
    ),
    "UpdatePortfolioInput": Update(
        "createPortfolio",
        "portfolio { id name default: isDefault }",
        {"name": REFUSED, "default": REFUSED},
        {"name": "Cheap."},
        {"name": "Dear.", "default": True},
    ),
    "UpdateBotInput": Update(
        "createBot",
        "bot { id name symbols interval maxPositionUsd stopLossPercentage takeProfitPercentage riskLevel"
        " dailyLossLimitUsd coolDownMs aiModel strategy { ... on GridStrategy { levels } } }",
        {
            **dict.fromkeys(("name", "strategy", "symbols", "interval", "maxPositionUsd", "riskLevel"), REFUSED),
            **dict.fromkeys(("stopLossPercentage", "takeProfitPercentage", "coolDownMs"), REFUSED),
            "dailyLossLimitUsd": None,
            "aiModel": None,
        },
        {
            "name": "Cheap.",
            "strategy": {"grid": {"levels": 5}},
            "symbols": ["BTC"],
            "interval": "ONE_DAY",
            "maxPositionUsd": "100.00000000",
            "stopLossPercentage": 4.5,
            "takeProfitPercentage": 9.0,
            "riskLevel": "LOW",
            "dailyLossLimitUsd": "10.00000000",
            "coolDownMs": 60_000,
            "aiModel": "a-model",
        },
        {
            "name": "Dear.",
            "strategy": {"grid": {"levels": 7}},
            "symbols": ["ETH", "BTC"],
            "interval": "ONE_MINUTE",
            "maxPositionUsd": "200.50000000",
            "stopLossPercentage": 3.25,
            "takeProfitPercentage": 20.0,
            "riskLevel": "HIGH",
            "dailyLossLimitUsd": "20.00000000",
            "coolDownMs": 0,
            "aiModel": "another",
        },
    ),
    "UpdateTenantInput": Update(
        "updateTenant",
        "tenant { name email billingEmail websiteUrl supportEmail timeZone }",
        {
            **dict.fromkeys(("name", "email", "timeZone"), REFUSED),
            **dict.fromkeys(("billingEmail", "websiteUrl", "supportEmail")),
        },
        {
            "name": "Acme A.",
            "email": "a@acme.example",
            "billingEmail": "b@acme.example",
            "websiteUrl": "https://a.example",
            "supportEmail": "c@acme.example",
            "timeZone": "Europe/Vienna",
        },
        {
            "name": "Acme B.",
            "email": "d@acme.example",
            "billingEmail": "e@acme.example",
            "websiteUrl": "https://b.example",
            "supportEmail": "f@acme.example",
            "timeZone": "Asia/Tokyo",
        },
    ),
    "UpdateTenantPlanInput": Update(
        "updateTenantPlan",
        "tenant { id plan status billingReference projectLimit participantLimit monthlyCallLimit }",
        {
            **dict.fromkeys(("plan", "status", "projectLimit", "participantLimit", "monthlyCallLimit"), REFUSED),
            "billingReference": None,
        },
        {
            "plan": "PRO",
            "status": "SUSPENDED",
            "billingReference": "sub_1",
            "projectLimit": 1_000,
            "participantLimit": 10_000_000,
            "monthlyCallLimit": 100_000_000,
        },
        # Of the plan ENTERPRISE, which brings the limits that it has already.
        {
            "plan": "ENTERPRISE",
            "status": "CANCELLED",
            "billingReference": "sub_2",
            "projectLimit": 5,
            "participantLimit": 6,
            "monthlyCallLimit": 7,
        },
        by="admin",
    ),
    "UpdateProjectInput": Update(
        "createProject",
        "project { id name description tokenName tokenSymbol tokenAddress tokenDecimals totalSupply"
        " requirements { minAccountAgeMs } distribution { ... on FixedDistribution { claimAmount } } maxParticipants"
        " maxClaimsPerParticipant active: isActive public: isPublic startsAt endsAt }",
        {
            **dict.fromkeys(("name", "tokenDecimals", "requirements", "distribution", "active", "public"), REFUSED),
            "maxClaimsPerParticipant": REFUSED,
            **dict.fromkeys(("description", "tokenName", "tokenSymbol", "tokenAddress", "totalSupply")),
            **dict.fromkeys(("maxParticipants", "startsAt", "endsAt")),
        },
        {"name": "Drop", "network": "SOLANA", "distribution": {"fixed": {"claimAmount": "5"}}},
        {
            "name": "Moon",
            "description": "A drop.",
            "tokenName": "Moon",
            "tokenSymbol": "MOON",
            "tokenAddress": "So11111111111111111111111111111111111111112",
            "tokenDecimals": 0,
            "totalSupply": "1000",
            "requirements": {"minAccountAgeMs": 5},
            "distribution": {"fixed": {"claimAmount": "6"}},
            "maxParticipants": 7,
            "maxClaimsPerParticipant": 8,
            "active": False,
            "public": False,
            "startsAt": "2027-01-01T00:00:00Z",
            "endsAt": "2027-01-02T00:00:00Z",
        },
    ),
    "UpdateParticipantInput": Update(
        "createParticipant",
        "participant { id telegramId discordId username firstName lastName contactEmail locale localTimeZone"
        " notifications: hasNotifications attributes { name text: value } active: isActive verified: isVerified"
        " referralCode referrerCode: referredBy { id } wallets { network address } lastActiveAt }",
        {
            **dict.fromkeys(("notifications", "attributes", "active", "verified", "referralCode", "wallets"), REFUSED),
            "lastActiveAt": REFUSED,
            **dict.fromkeys(("telegramId", "discordId", "username", "firstName", "lastName", "contactEmail")),
            **dict.fromkeys(("locale", "localTimeZone", "referrerCode")),
        },
        {"username": "alice", "referrerCode": "R"},
        {
            "telegramId": "7",
            "discordId": "alice#1",
            "username": "al",
            "firstName": "Alice",
            "lastName": "A.",
            "contactEmail": "a@example.com",
            "locale": "de-AT",
            "localTimeZone": "Europe/Vienna",
            "notifications": False,
            "attributes": [{"name": "tier", "text": "gold"}],
            "active": False,
            "verified": True,
            "referralCode": "ALICE",
            "wallets": [{"network": "ETHEREUM", "address": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"}],
            "lastActiveAt": "2027-01-01T00:00:00Z",
        },
    ),
    "UpdateBeneficiaryInput": Update(
        "addBeneficiary",
        "beneficiary { id name nickname }",
        {"name": None, "nickname": None},
        {"name": "Carol", "nickname": "C."},
        {"name": "Carola", "nickname": "Co."},
    ),
}


def inputs() -> dict[str, GraphQLInputObjectType]:
    return {
        name: kind
        for name, kind in SDL.type_map.items()
        if isinstance(kind, GraphQLInputObjectType) and name.startswith("Update")
    }


async def run(stage: Stage, mutation: str, show: str, given: dict[str, Any], by: str = "alice") -> dict[str, Any]:
    noun = mutation[0].upper() + mutation[1:]
    query = f"""mutation($in: {noun}Input!) {{ done: {mutation}(input: $in) {{ __typename
        ... on InvalidInput {{ path }} ... on {noun}Payload {{ {show} }} }} }}"""
    response = await stage.execute(query, {"in": given}, stage.world.viewers[by])
    assert response.errors == []
    assert response.data is not None
    done: dict[str, Any] = response.data["done"]
    return done


async def made(stage: Stage, update: Update) -> tuple[dict[str, Any], dict[str, Any]]:
    """The object of an update as it is shown, and what identifies it."""
    given = dict(update.start)
    if update.make == "updateTenantPlan":
        given["id"] = stage.names["acme"]
    elif not update.make.startswith("update"):
        given["idempotencyKey"] = "patch"
    if update.make == "createAlert":
        given["expiresAt"] = (stage.application.clock.now() + timedelta(days=1)).isoformat()
    if update.make == "createBot":
        given["portfolioId"] = stage.names["alice.portfolio"]
    if update.make == "addBeneficiary":
        given["walletId"] = stage.names["carol.wallet"]
    if update.make == "createParticipant":
        referrer = {"username": "r", "referralCode": given["referrerCode"], "idempotencyKey": "referrer"}
        await run(stage, update.make, update.show, referrer)
    done = await run(stage, update.make, update.show, given, update.by)
    assert done["__typename"].endswith("Payload"), done
    (shown,) = (value for name, value in done.items() if name != "__typename")
    return shown, {"id": shown["id"]} if "id" in shown else {}


def test_each_update_and_each_of_its_fields_is_tried() -> None:
    patched = {
        name: {field for field, each in kind.fields.items() if not isinstance(each.type, GraphQLNonNull)}
        for name, kind in inputs().items()
        # In a `@oneOf` nothing is absent or null: its field is the whole update.
        if not kind.is_one_of
    }
    assert {name: fields for name, fields in patched.items() if fields} == {
        name: {*update.nulls} for name, update in UPDATES.items()
    }


@pytest.mark.parametrize("name", UPDATES)
async def test_an_absent_field_stays_unchanged_and_null_clears_it_or_is_refused(stage: Stage, name: str) -> None:
    update, mutation = UPDATES[name], name[0].lower() + name[1:].removesuffix("Input")
    first, which = await made(stage, update)
    (key,) = {update.show.split(" ", 1)[0]}
    assert (await run(stage, mutation, update.show, which, update.by))[key] == first
    refused = [field for field, null in update.nulls.items() if null is REFUSED]
    for field in refused:
        done = await run(stage, mutation, update.show, {**which, field: None}, update.by)
        assert done == {"__typename": "InvalidInput", "path": ["input", field]}
    assert (await run(stage, mutation, update.show, which, update.by))[key] == first
    shown = first
    for field, value in update.changed.items():
        before, shown = shown, (await run(stage, mutation, update.show, {**which, field: value}, update.by))[key]
        assert {each for each in shown if shown[each] != before[each]} == {field}
        # Of a `@oneOf` input, the type of what is set is shown, not its name.
        assert shown[field] in ((value, next(iter(value.values()))) if isinstance(value, dict) else (value,))
    for field in update.nulls.keys() - refused:
        before, shown = shown, (await run(stage, mutation, update.show, {**which, field: None}, update.by))[key]
        assert {each for each in shown if shown[each] != before[each]} == {field}
        assert shown[field] == update.nulls[field] or (update.nulls[field] == "<generated>" and shown[field])


STATE = """SELECT coalesce(jsonb_object_agg(name, rows), '{{}}') FROM ({}) AS state"""
ROWS = "SELECT '{0}' AS name, (SELECT jsonb_agg(r ORDER BY r::text) FROM {0} r) AS rows"
TABLES = (
    "alerts",
    "profiles",
    "display_names",
    "watchlist_items",
    "beneficiaries",
    "trading_bots",
    "events",
    "tenants",
    "projects",
    "participants",
)


@pytest.mark.parametrize("name", UPDATES)
async def test_an_update_without_any_field_changes_nothing_and_is_not_announced(stage: Stage, name: str) -> None:
    mutation, (_, which) = name[0].lower() + name[1:].removesuffix("Input"), await made(stage, UPDATES[name])
    state = STATE.format(" UNION ALL ".join(ROWS.format(table) for table in TABLES))
    before = await stage.owner.fetchval(state)
    cast(FixedClock, stage.application.clock).advance(timedelta(minutes=1))
    assert (await run(stage, mutation, UPDATES[name].show, which, UPDATES[name].by))["__typename"].endswith("Payload")
    assert await stage.owner.fetchval(state) == before


async def test_a_cooldown_is_a_whole_number_of_seconds(stage: Stage) -> None:
    update = UPDATES["UpdateAlertInput"]
    first, which = await made(stage, update)
    for cooldown_ms in (1500, 0, 86_400_000 * 366):
        done = await run(stage, "updateAlert", update.show, {**which, "cooldownMs": cooldown_ms})
        assert done == {"__typename": "InvalidInput", "path": ["input", "cooldownMs"]}
    assert (await run(stage, "updateAlert", update.show, which))["alert"] == first
