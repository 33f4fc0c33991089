"""What mutations of campaigns are given in the tests of all mutations."""

from typing import Any, Final

from tests.graph.stage import Stage

LONG: Final = "x" * 300
FIXED: Final = {"fixed": {"claimAmount": "5"}}

KEYED: Final[dict[str, tuple[dict[str, Any], list[list[str]]]]] = {
    "createProject": (
        {
            "name": LONG,
            "description": " ",
            "network": "SOLANA",
            "tokenName": LONG,
            "tokenSymbol": LONG,
            "tokenAddress": "x",
            "tokenDecimals": 37,
            "totalSupply": "0",
            "requirements": {"allowedCountries": []},
            "distribution": {"byPoints": {"amountPerPoint": "0", "maxClaimAmount": "0"}},
            "maxParticipants": 0,
            "maxClaimsPerParticipant": 0,
            "startsAt": "2027-01-01T00:00:00Z",
            "endsAt": "2020-01-01T00:00:00Z",
            "distributionWallet": {"address": "x"},
        },
        [
            ["distributionWallet", "address"],
            ["endsAt"],
            ["name"],
            ["description"],
            ["tokenName"],
            ["tokenSymbol"],
            ["tokenAddress"],
            ["requirements", "allowedCountries"],
            ["distribution", "byPoints", "amountPerPoint"],
            ["distribution", "byPoints", "maxClaimAmount"],
            ["tokenDecimals"],
            ["totalSupply"],
            ["maxParticipants"],
            ["maxClaimsPerParticipant"],
        ],
    ),
    "createParticipant": (
        {
            "telegramId": "0",
            "discordId": " ",
            "username": LONG,
            "firstName": LONG,
            "lastName": LONG,
            "contactEmail": "x",
            "locale": "x",
            "localTimeZone": "x",
            "attributes": [{"name": "1", "text": LONG}],
            "referralCode": "",
            "referrerCode": "",
            "wallets": [{"network": "INTERNAL", "address": "x"}],
        },
        [
            ["telegramId"],
            ["discordId"],
            ["username"],
            ["firstName"],
            ["lastName"],
            ["contactEmail"],
            ["locale"],
            ["localTimeZone"],
            ["attributes", "0", "name"],
            ["attributes", "0", "text"],
            ["referralCode"],
            ["referrerCode"],
            ["wallets", "0", "address"],
        ],
    ),
    "trackProjectEvent": (
        {
            "project": {"key": "proj_000000000000"},
            "events": [
                {"type": "x", "name": "y"},
                {
                    "type": "X",
                    "name": LONG,
                    "properties": [],
                    "userProperties": {"a": LONG * 20},
                    "clientSession": LONG,
                    "ipAddress": "x",
                    "userAgent": "",
                    "occurredAt": "2020-01-01T00:00:00Z",
                },
            ],
        },
        [
            ["events", "1", each]
            for each in (
                "type",
                "name",
                "properties",
                "userProperties",
                "clientSession",
                "ipAddress",
                "userAgent",
                "occurredAt",
            )
        ],
    ),
}
"""For each mutation with a key, an input that is wrong, and its fields in the order in which they are named."""

UPDATED: Final[dict[str, tuple[dict[str, Any], list[str]]]] = {
    "UpdateProjectInput": (
        {
            "name": None,
            "tokenName": LONG,
            "tokenSymbol": LONG,
            "tokenAddress": "x",
            "tokenDecimals": -1,
            "totalSupply": "0",
            "distribution": {"fixed": {"claimAmount": "0"}},
            "maxParticipants": 0,
            "maxClaimsPerParticipant": 0,
        },
        [
            "name",
            "tokenName",
            "tokenSymbol",
            "tokenAddress",
            "distribution.fixed.claimAmount",
            "tokenDecimals",
            "totalSupply",
            "maxParticipants",
            "maxClaimsPerParticipant",
        ],
    ),
    "UpdateParticipantInput": (
        {
            "active": None,
            "telegramId": "0",
            "discordId": " ",
            "username": LONG,
            "firstName": LONG,
            "lastName": LONG,
            "contactEmail": "x",
            "locale": "x",
            "localTimeZone": "x",
            "attributes": [{"name": "1", "text": LONG}],
            "referralCode": "",
            "referrerCode": "",
            "wallets": [{"network": "INTERNAL", "address": "x"}],
        },
        [
            "active",
            "telegramId",
            "discordId",
            "username",
            "firstName",
            "lastName",
            "contactEmail",
            "locale",
            "localTimeZone",
            "attributes.0.name",
            "attributes.0.text",
            "referralCode",
            "referrerCode",
            "wallets.0.address",
        ],
    ),
}
"""For each update, changes that are wrong, with null, and the fields in the order in which they are named."""


async def project(stage: Stage, variant: str) -> dict[str, Any]:
    return {"name": f" {variant} ", "distribution": FIXED}


async def participant(stage: Stage, variant: str) -> dict[str, Any]:
    return {"username": variant, "telegramId": "7"}


PROJECT: Final = """
INSERT INTO projects (id, tenant_id, livemode, key, name, network, token_decimals, distribution, claim_amount,
    created_at)
SELECT gen_random_uuid(), id, true, 'proj_tracked00000', 'Drop', 'internal', 9,
    '{"type": "fixed", "claim_amount": "5"}', 5, now() FROM tenants WHERE slug = 'acme' ON CONFLICT DO NOTHING
"""


async def tracked(stage: Stage, variant: str) -> dict[str, Any]:
    await stage.owner.execute(PROJECT)
    return {"project": {"key": "proj_tracked00000"}, "events": [{"type": "x", "name": variant}]}
