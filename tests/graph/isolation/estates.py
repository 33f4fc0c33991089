"""Two tenants, each with real things and with things for tests, and who asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
from solders.keypair import Keypair

from app.domains.accounts.model import Viewer
from app.domains.campaigns.imports.model import NewImport
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import NamedWallet, NewParticipant
from app.domains.campaigns.projects.model import FixedDistribution, NewProject, NewWallet
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import NewTask, ProofKind
from app.domains.tenancy.api_keys.model import NewApiKey
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import MemberRole, NewTenant, Tenancy
from app.engine.declarations.nodes import global_id
from app.kit.house import Services
from tests.databases import Owner
from tests.factories import CLIENT
from tests.graph.world import TENANT, World

T = TypeVar("T")

OTHER: Final = "globex"
MODES: Final = (True, False)


@dataclass
class Estate:
    """One thing of each kind, of a tenant in a mode."""

    tenancy: Tenancy
    ids: dict[str, str] = field(default_factory=dict)
    """Global IDs by the name of their type."""
    keys: dict[str, Any] = field(default_factory=dict)
    """What else things are found by, by an argument, or by an input and its field."""
    participant: UUID | None = None
    project: UUID = field(default_factory=uuid4)
    imported: UUID = field(default_factory=uuid4)
    exported: UUID = field(default_factory=uuid4)

    @property
    def name(self) -> str:
        """Which one it is."""
        return f"{self.tenancy.slug}, {'live' if self.tenancy.livemode else 'test'}"


class Asker(msgspec.Struct, frozen=True):
    """Who asks."""

    name: str
    viewer: Viewer | None
    tenancy: Tenancy | None
    home: str | None
    """The estate that is theirs. None: none is."""


@dataclass
class Estates:
    """All of them."""

    all: Mapping[str, Estate]
    askers: Mapping[str, Asker]
    members: Mapping[str, Asker]
    """Who asks in each as its owner."""

    @property
    def own(self) -> Estate:
        """That of Alice."""
        return self.all["acme, live"]

    def foreign_to(self, asker: Asker) -> list[Estate]:
        """Those that are somebody else's."""
        return [each for name, each in self.all.items() if name != asker.home]


@dataclass
class Builder:
    """Fills the estates by the services."""

    world: World
    services: Services
    owner: Owner
    number: int = 0

    @property
    def key(self) -> str:
        """Another idempotency key."""
        self.number += 1
        return f"estate-{self.number}"

    async def build(self) -> Estates:
        """Alice's tenant, Carol's, and Dave, who is a participant of Alice's."""
        tenancy = self.services[TenancyServices]
        carol = self.world.viewers["carol"]
        await tenancy.tenants.create(carol, NewTenant(slug=OTHER, name="Globex", email="x@example.com"), self.key)
        estates = {}
        for slug, viewer in ((TENANT, self.world.viewers["alice"]), (OTHER, carol)):
            acting = found(await tenancy.access.tenancy(viewer.user_id, slug, viewer.client))
            for livemode in MODES:
                estate = await self._fill(msgspec.structs.replace(acting, livemode=livemode))
                estates[estate.name] = estate
        owners = {TENANT: self.world.viewers["alice"], OTHER: carol}
        members = {name: Asker(name, owners[each.tenancy.slug], each.tenancy, name) for name, each in estates.items()}
        return Estates(estates, {each.name: each for each in await self._askers(estates)}, members)

    async def _fill(self, by: Tenancy) -> Estate:
        tenancy, campaigns = self.services[TenancyServices], self.services[CampaignsServices]
        number, estate = self.number, Estate(by)
        address = str(Keypair.from_seed(bytes([number]) * 32).pubkey())
        project = NewProject(
            name="Hidden", network=Network.SOLANA, distribution=FixedDistribution(5), is_public=False,
            wallet=NewWallet(address),
        )  # fmt: skip
        project_id = await campaigns.projects.create(by, project, self.key)
        person = NewParticipant(
            telegram_id=900 + number, discord_id=f"discord-{number}", username=f"person-{number}",
            referral_code=f"CODE-{number}", wallets=(NamedWallet(Network.SOLANA, address),),
        )  # fmt: skip
        estate.participant = await campaigns.participants.create(by, person, self.key)
        await self.owner.execute("UPDATE participant_wallets SET verified_at = now()")
        await campaigns.proofs.start(by, estate.participant, Network.SOLANA)
        key = await self.owner.fetchval("SELECT key FROM projects WHERE id = $1", project_id)
        participation = await campaigns.joining.join(by, key, estate.participant, self.key)
        task = await campaigns.tasks.define(
            by, project_id, NewTask(key="task", name="Task", points=1, cooldown_s=1, proof_kind=ProofKind.API)
        )
        completion = await campaigns.completions.complete(by, participation, task, None, self.key)
        entry = await self.owner.fetchval("SELECT id FROM point_entries WHERE participation_id = $1", participation)
        issued = await tenancy.api_keys.create(by, NewApiKey(name="Key", scopes=["*:read", "*:write"]), self.key)
        invited = await tenancy.members.invite(by, f"guest-{number}@example.com", MemberRole.VIEWER, self.key)
        estate.project = project_id
        await self._transfer(estate)
        estate.ids = {
            "Tenant": global_id("Tenant", by.tenant_id),
            "TenantMembership": global_id("TenantMembership", by.membership_id),
            "TenantInvitation": global_id("TenantInvitation", invited),
            "ApiKey": global_id("ApiKey", issued.id),
            "Project": global_id("Project", project_id),
            "Participant": global_id("Participant", estate.participant),
            "Participation": global_id("Participation", participation),
            "PointEntry": global_id("PointEntry", entry),
            "Task": global_id("Task", task),
            "TaskCompletion": global_id("TaskCompletion", completion),
            "ParticipantImport": global_id("ParticipantImport", estate.imported),
            "ParticipantExport": global_id("ParticipantExport", estate.exported),
        }
        estate.keys = {
            "ProjectBy.key": key,
            "ParticipantBy.telegramId": str(person.telegram_id),
            "ParticipantBy.discordId": person.discord_id,
            "ParticipantBy.referralCode": person.referral_code,
            "ParticipantBy.walletAddress": address,
        }
        return estate

    async def _transfer(self, estate: Estate) -> None:
        """An import of which everything was refused, and an export."""
        campaigns = self.services[CampaignsServices]
        estate.imported = await campaigns.imports.start(estate.tenancy, NewImport(csv="telegram_id\nx"), self.key)
        await campaigns.importer.run({"id": str(estate.imported)})
        estate.exported = await campaigns.exports.start(estate.tenancy, self.key)
        await campaigns.exporter.run({"id": str(estate.exported)})

    async def _askers(self, estates: Mapping[str, Estate]) -> list[Asker]:
        alice, dave = self.world.viewers["alice"], self.world.viewers["dave"]
        campaigns, home = self.services[CampaignsServices], "acme, live"
        acting = estates[home].tenancy
        linked = await campaigns.participants.create(acting, NewParticipant(username="dave"), self.key)
        link = await campaigns.links.issue(acting, linked)
        await campaigns.links.link(dave, link.token)
        new = NewApiKey(name="Asker", scopes=["*:read", "*:write"])
        issued = await self.services[TenancyServices].api_keys.create(acting, new, self.key)
        await self.owner.execute("UPDATE tenants SET plan_type = 'enterprise', max_api_calls_per_month = 1000000")
        await self.owner.execute(
            "UPDATE api_keys SET rate_limit_per_minute = 1000000, rate_limit_per_hour = 1000000,"
            " rate_limit_per_day = 1000000"
        )
        by_key = found(await self.services[TenancyServices].api_keys.authenticate(found(issued.secret), CLIENT))
        return [
            Asker("a member", alice, acting, home),
            Asker("a key", None, by_key, home),
            Asker("a linked user", dave, None, None),
            Asker("nobody", None, None, None),
        ]


def found(value: T | None) -> T:
    """What is there."""
    assert value is not None
    return value
