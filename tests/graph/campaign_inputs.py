"""What mutations of campaigns are given in the tests of all mutations."""

from typing import Any, Final
from uuid import UUID

from app.domains.campaigns.participants.model import NewParticipant
from app.domains.campaigns.projects.model import FixedDistribution, NewProject
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import NewTask, ProofKind, TextProof
from app.engine.declarations.nodes import global_id
from app.kit.db import SYSTEM
from tests.graph.stage import Stage

LONG: Final = "x" * 300
NOTHING: Final = global_id("Participation", UUID(int=1))
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
    "joinProject": ({"projectKey": "x"}, []),
    "leaveProject": ({"participationId": NOTHING}, []),
    "banParticipant": ({"participationId": NOTHING, "banReason": " "}, [["banReason"]]),
    "unbanParticipant": ({"participationId": NOTHING}, []),
    "verifyParticipation": (
        {
            "participationId": NOTHING,
            "verificationStatus": "VERIFIED",
            "verificationData": [{"name": "1", "text": LONG}],
            "note": " ",
        },
        [["verificationData", "0", "name"], ["verificationData", "0", "text"], ["note"]],
    ),
    "adjustPoints": (
        {"participationId": NOTHING, "points": "0", "pointReason": "TASK", "note": " "},
        [["points"], ["pointReason"], ["note"]],
    ),
    "completeTask": (
        {"participationId": NOTHING, "taskId": global_id("Task", UUID(int=1)), "proof": {"text": " "}},
        [["proof", "text"]],
    ),
    "reviewCompletion": (
        {"id": global_id("TaskCompletion", UUID(int=1)), "accepted": True, "note": " "},
        [["note"]],
    ),
    "importParticipants": (
        {
            "source": {"csv": LONG * 700},
            "mapping": [
                {"column": "", "fieldName": "nope"},
                {"column": LONG, "fieldName": "tenant_id"},
                {"column": "E-Mail", "fieldName": "email"},
                {"column": "e_mail", "fieldName": None},
            ],
        },
        [
            ["source", "csv"],
            ["mapping"],
            ["mapping", "0", "column"],
            ["mapping", "0", "fieldName"],
            ["mapping", "1", "column"],
            ["mapping", "1", "fieldName"],
        ],
    ),
    "exportParticipants": ({"filter": {"verified": True}}, []),
    "trackProjectEvent": (
        {
            "by": {"key": "proj_000000000000"},
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


class Contest:
    """A project of Alice's, with a task of each kind that needs nothing else, and participants by the variant."""

    def __init__(self, stage: Stage) -> None:
        self.services = stage.services[CampaignsServices]
        self.alice = stage.world.tenancies["alice"]

    async def project(self) -> UUID:
        new = NewProject(name="Contest", distribution=FixedDistribution(5))
        return await self.services.projects.create(self.alice, new, "contest")

    async def key(self) -> str:
        project, database = await self.project(), self.services.projects.database
        [found] = await database.read(SYSTEM, lambda tx: tx.fetch(ProjectSql.projects_by_ids, [project]))
        return found.key

    async def participant(self, variant: str) -> UUID:
        new = NewParticipant(username=variant)
        return await self.services.participants.create(self.alice, new, f"contest {variant}")

    async def participation(self, variant: str) -> UUID:
        participant, key = await self.participant(variant), await self.key()
        return await self.services.joining.join(self.alice, key, participant, f"contest {variant} joins")

    async def task(self, kind: ProofKind) -> UUID:
        new = NewTask(key=kind, name="Task", points=10, proof_kind=kind)
        return await self.services.tasks.define(self.alice, await self.project(), new)


async def joining(stage: Stage, variant: str) -> dict[str, Any]:
    contest = Contest(stage)
    participant = await contest.participant(variant)
    return {"projectKey": await contest.key(), "participantId": global_id("Participant", participant)}


async def participation(stage: Stage, variant: str) -> dict[str, Any]:
    return {"participationId": global_id("Participation", await Contest(stage).participation(variant))}


async def ban(stage: Stage, variant: str) -> dict[str, Any]:
    return await participation(stage, "one") | {"banReason": variant}


async def unban(stage: Stage, variant: str) -> dict[str, Any]:
    contest = Contest(stage)
    id = await contest.participation(variant)
    await contest.services.participations.ban(contest.alice, id, "Spam", f"ban {variant}")
    return {"participationId": global_id("Participation", id)}


async def verification(stage: Stage, variant: str) -> dict[str, Any]:
    return await participation(stage, "one") | {"verificationStatus": "VERIFIED", "note": variant}


async def adjustment(stage: Stage, variant: str) -> dict[str, Any]:
    return await participation(stage, "one") | {"points": "5", "pointReason": "BONUS", "note": variant}


async def completion(stage: Stage, variant: str) -> dict[str, Any]:
    task = await Contest(stage).task(ProofKind.MANUAL)
    return await participation(stage, "one") | {"taskId": global_id("Task", task), "proof": {"text": variant}}


async def review(stage: Stage, variant: str) -> dict[str, Any]:
    contest = Contest(stage)
    id, task = await contest.participation("one"), await contest.task(ProofKind.MANUAL)
    made = await contest.services.completions.complete(contest.alice, id, task, TextProof("x"), "contest completes")
    return {"id": global_id("TaskCompletion", made), "accepted": True, "note": variant}


PROJECT: Final = """
INSERT INTO projects (id, tenant_id, livemode, key, name, network, token_decimals, distribution, claim_amount,
    created_at)
SELECT gen_random_uuid(), id, true, 'proj_tracked00000', 'Drop', 'internal', 9,
    '{"type": "fixed", "claim_amount": "5"}', 5, now() FROM tenants WHERE slug = 'acme' ON CONFLICT DO NOTHING
"""


async def tracked(stage: Stage, variant: str) -> dict[str, Any]:
    await stage.owner.execute(PROJECT)
    return {"by": {"key": "proj_tracked00000"}, "events": [{"type": "x", "name": variant}]}


async def imported(stage: Stage, variant: str) -> dict[str, Any]:
    return {"source": {"csv": f"username,attributes.source\n{variant},file"}}


async def exported(stage: Stage, variant: str) -> dict[str, Any]:
    return {"filter": {"verified": variant == "first"}}
