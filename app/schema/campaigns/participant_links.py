"""Linking users to participants."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.domains.campaigns.participants import model
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import InvalidInput, NotFound, Problem, mutation, problem_type
from app.schema.campaigns.networks import ADDRESS, SIGNATURE, Network
from app.schema.campaigns.participant_changes import ChallengeInvalid, ParticipantErased
from app.schema.campaigns.participants import Participant, read_participant
from app.schema.context import Info
from app.schema.tenancy.changes import TenantNotActive

SLUG = "The slug of the tenant."


@problem_type(model.LinkInvalid)
class LinkInvalid(Problem):
    """The token has expired, was used or replaced, or never was."""


@problem_type(model.NobodyHasWallet)
class NobodyHasWallet(Problem):
    """No participant of the tenant has the wallet, or several have, of whom nobody has proven it."""


@problem_type(model.AlreadyLinked)
class AlreadyLinked(Problem):
    """The participant is linked to a user, or the user to another participant of the tenant."""


@strawberry.input
class IssueParticipantLinkInput:
    """The participant to link a user to."""

    participant_id: strawberry.ID = strawberry.field(description="The global ID of the participant.")


@strawberry.input
class StartParticipantLinkInput:
    """A wallet that the viewer and a participant have."""

    tenant_slug: str = strawberry.field(description=SLUG)
    network: Network = strawberry.field(description="The network of the wallet, SOLANA or ETHEREUM.")
    address: str = strawberry.field(description=f"The address. {ADDRESS}")


@strawberry.input
class WalletSignatureInput:
    """What the viewer has signed with a wallet."""

    tenant_slug: str = strawberry.field(description=SLUG)
    network: Network = strawberry.field(description="The network of the wallet.")
    signature: str = strawberry.field(
        description="The signature of the message of `startParticipantLink` by the private key of the wallet:"
        f" {SIGNATURE}"
    )


@strawberry.input(one_of=True)
class ParticipantLinkProof:
    """What tells that the viewer is a participant."""

    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="The token of `issueParticipantLink`, which the tenant has given them."
    )
    wallet_signature: WalletSignatureInput | None = strawberry.field(
        default=strawberry.UNSET, description="The signature by a wallet of the participant."
    )


@strawberry.input
class LinkParticipantInput:
    """Which participant the viewer is."""

    participant_proof: ParticipantLinkProof = strawberry.field(description="What tells it.")


@strawberry.type
class IssueParticipantLinkPayload:
    """What a user links themself to the participant with. An earlier token is good no more."""

    link_token: str = strawberry.field(description="The token, which is shown once, and good once.")
    expires_at: datetime = strawberry.field(description="Until when it can be used.")


@strawberry.type
class StartParticipantLinkPayload:
    """What the viewer has to sign. An earlier message can be signed no more."""

    address: str = strawberry.field(description="The address of the wallet.")
    message: str = strawberry.field(description="The message, as it is to be signed.")
    typed_data: JSON | None = strawberry.field(
        description="The same as typed data by EIP-712, which wallets of Ethereum show and sign as well. Null in other"
        " networks."
    )
    expires_at: datetime = strawberry.field(description="Until when the signature is accepted.")


@strawberry.type
class LinkParticipantPayload:
    """The viewer is linked to the participant."""

    participant: Participant = strawberry.field(description="The participant as it is now.")


@strawberry.type
class ParticipantLinkMutation:
    """Links of users and participants."""

    @mutation(IssueParticipantLinkPayload, NotFound, TenantNotActive, ParticipantErased, AlreadyLinked)
    async def issue_participant_link(self, info: Info, input: IssueParticipantLinkInput) -> Any:
        """Issues a token with which a user of Moneta links themself to a participant within a day. For the owners and
        admins of its tenant.
        """
        context = info.context
        tenancy, id = context.require_tenancy(), key_of(input.participant_id, Participant)
        link = await _services(info).links.issue(tenancy, id)
        context.reveals_secret = True
        return IssueParticipantLinkPayload(link_token=link.token, expires_at=link.expires_at)

    @mutation(StartParticipantLinkPayload, InvalidInput, NotFound)
    async def start_participant_link(self, info: Info, input: StartParticipantLinkInput) -> Any:
        """Issues what the viewer has to sign with a wallet, within ten minutes, to be linked to the participant of a
        tenant who has it. The answer does not tell whether there is one.
        """
        viewer = info.context.require_viewer()
        asked = await _services(info).links.start(viewer, input.tenant_slug, input.network, input.address)
        return StartParticipantLinkPayload(
            address=asked.address,
            message=asked.message,
            typed_data=None if asked.typed_data is None else JSON(asked.typed_data),
            expires_at=asked.expires_at,
        )

    @mutation(
        LinkParticipantPayload, InvalidInput, NotFound, LinkInvalid, ChallengeInvalid, NobodyHasWallet, AlreadyLinked
    )
    async def link_participant(self, info: Info, input: LinkParticipantInput) -> Any:
        """Links the viewer to a participant: by a token that the tenant has issued, or by a wallet of the participant,
        which is proven then.
        """
        viewer, links, proof = info.context.require_viewer(), _services(info).links, input.participant_proof
        if (signed := proof.wallet_signature) is not None and signed is not strawberry.UNSET:
            id = await links.link_by_wallet(viewer, signed.tenant_slug, signed.network, signed.signature)
        else:
            id = await links.link(viewer, str(proof.token))
        return LinkParticipantPayload(participant=await read_participant(info.context, id))


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]
