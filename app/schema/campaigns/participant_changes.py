"""Creating and changing participants, and proving their wallets."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.domains.campaigns.participants import model
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.campaigns.networks import ADDRESS, SIGNATURE, Network
from app.schema.campaigns.participants import Participant, read_participant
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.scalars import BigInt
from app.schema.tenancy.changes import TenantNotActive

TELEGRAM = "Their number at Telegram, 1 to 2^63 - 1, which no other participant of the tenant has."
DISCORD = "Their key at Discord, 1 to 100 printable characters, which no other participant of the tenant has."
USERNAME = (
    "Their user name, 1 to 100 characters. The letters of a word are of one alphabet, and it does not look like that of"
    " the tenant, of Moneta, or of who helps."
)
FIRST = "Their first name, 1 to 255 characters."
LAST = "Their last name, 1 to 255 characters."
EMAIL = "Where they can be reached."
LOCALE = "Their language, by BCP 47, such as de-AT."
ZONE = "Their time zone, by the IANA database, such as Europe/Vienna."
NOTIFIED = "Whether they want to be notified."
ATTRIBUTES = f"What the tenant notes of them, up to {model.MAX_ATTRIBUTES}, each with a name of its own."
CODE = (
    f"The code with which they refer others, 1 to {model.MAX_CODE_CHARS} letters A-Z in any case, digits, hyphens and"
    " underscores. No other participant of the tenant has it."
)
REFERRER = "The code of the participant of the tenant who has referred them. Null: nobody."
WALLETS = "Their wallets, at most one in each network."
UNKNOWN = "Null: not known."
KEPT = "Omitted: unchanged. Not null."


@problem_type(model.ParticipantExists)
class ParticipantExists(Problem):
    """Another participant of the tenant has this ID or code."""


@problem_type(model.ParticipantErased)
class ParticipantErased(Problem):
    """The participant was erased: nothing of them can be set or noted again."""


@problem_type(model.ReferralRefused)
class ReferralRefused(Problem):
    """Nobody refers themself, not even by way of others."""


@problem_type(model.ChallengeInvalid)
class ChallengeInvalid(Problem):
    """There is nothing to sign for the wallet, or it has expired or was used."""


@problem_type(model.WalletProven)
class WalletProven(Problem):
    """Another participant of the tenant has proven that the wallet is theirs."""


@strawberry.input
class ParticipantWalletInput:
    """A wallet of a participant."""

    network: Network = strawberry.field(description="The network of the wallet, SOLANA or ETHEREUM.")
    address: str = strawberry.field(description=f"The address. {ADDRESS}")
    allows_off_curve: bool | None = strawberry.field(
        default=None,
        description="Whether it may be one that a program of Solana has derived, which nobody can sign for. Null:"
        " false.",
    )


@strawberry.input
class ParticipantAttributeInput:
    """What a tenant notes of a participant."""

    name: str = strawberry.field(
        description="The name: a letter, and up to 63 letters, digits, dots, hyphens and underscores."
    )
    value: str = strawberry.field(name="text", description="The value, up to 255 characters.")


def _wallets(given: list[ParticipantWalletInput]) -> tuple[model.NamedWallet, ...]:
    return tuple(model.NamedWallet(each.network, each.address, bool(each.allows_off_curve)) for each in given)


def _attributes(given: list[ParticipantAttributeInput]) -> tuple[model.Attribute, ...]:
    return tuple(model.Attribute(each.name, each.value) for each in given)


@strawberry.input
class CreateParticipantInput:
    """The participant to create, in the tenant that the request names. An ID, a user name or a wallet is required."""

    telegram_id: BigInt | None = strawberry.field(default=None, description=f"{TELEGRAM} {UNKNOWN}")
    discord_id: str | None = strawberry.field(default=None, description=f"{DISCORD} {UNKNOWN}")
    username: str | None = strawberry.field(default=None, description=f"{USERNAME} {UNKNOWN}")
    first_name: str | None = strawberry.field(default=None, description=f"{FIRST} {UNKNOWN}")
    last_name: str | None = strawberry.field(default=None, description=f"{LAST} {UNKNOWN}")
    email: str | None = strawberry.field(name="contactEmail", default=None, description=f"{EMAIL} {UNKNOWN}")
    locale: str | None = strawberry.field(default=None, description=f"{LOCALE} {UNKNOWN}")
    time_zone: str | None = strawberry.field(name="localTimeZone", default=None, description=f"{ZONE} {UNKNOWN}")
    has_notifications: bool | None = strawberry.field(
        name="notifications", default=None, description=f"{NOTIFIED} Null: true."
    )
    attributes: list[ParticipantAttributeInput] | None = strawberry.field(
        default=None, description=f"{ATTRIBUTES} Null: nothing."
    )
    is_active: bool | None = strawberry.field(
        name="active", default=None, description="Whether they can take part. Null: true."
    )
    is_verified: bool | None = strawberry.field(
        name="verified", default=None, description="Whether the tenant has verified who they are. Null: false."
    )
    referral_code: str | None = strawberry.field(default=None, description=f"{CODE} Null: Moneta draws one.")
    referrer_code: str | None = strawberry.field(default=None, description=REFERRER)
    wallets: list[ParticipantWalletInput] | None = strawberry.field(default=None, description=f"{WALLETS} Null: none.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewParticipant:
        """The participant to create."""
        converted = {"attributes", "wallets", "idempotency_key"}
        given = {name: value for name, value in vars(self).items() if name not in converted and value is not None}
        return model.NewParticipant(
            **given, attributes=_attributes(self.attributes or []), wallets=_wallets(self.wallets or [])
        )


@strawberry.input
class UpdateParticipantInput:
    """Changes to a participant. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The global ID of the participant.")
    telegram_id: BigInt | None = changeable(description=f"{TELEGRAM} {UNKNOWN}")
    discord_id: str | None = changeable(description=f"{DISCORD} {UNKNOWN}")
    username: str | None = changeable(description=f"{USERNAME} {UNKNOWN}")
    first_name: str | None = changeable(description=f"{FIRST} {UNKNOWN}")
    last_name: str | None = changeable(description=f"{LAST} {UNKNOWN}")
    email: str | None = changeable(name="contactEmail", description=f"{EMAIL} {UNKNOWN}")
    locale: str | None = changeable(description=f"{LOCALE} {UNKNOWN}")
    time_zone: str | None = changeable(name="localTimeZone", description=f"{ZONE} {UNKNOWN}")
    has_notifications: bool | None = changeable(name="notifications", description=f"{NOTIFIED} {KEPT}")
    attributes: list[ParticipantAttributeInput] | None = changeable(description=f"All of these. {ATTRIBUTES} {KEPT}")
    is_active: bool | None = changeable(name="active", description=f"Whether they can take part. {KEPT}")
    is_verified: bool | None = changeable(
        name="verified", description=f"Whether the tenant has verified who they are. {KEPT}"
    )
    referral_code: str | None = changeable(description=f"{CODE} {KEPT}")
    referrer_code: str | None = changeable(description=REFERRER)
    wallets: list[ParticipantWalletInput] | None = changeable(
        description=f"All of these. {WALLETS} One that stays the same stays proven. {KEPT}"
    )
    last_active_at: datetime | None = changeable(
        description=f"When they last did something, if that is later than what is known. {KEPT}"
    )


@strawberry.input
class StartWalletProofInput:
    """The wallet to prove."""

    participant_id: strawberry.ID = strawberry.field(description="The global ID of the participant.")
    network: Network = strawberry.field(description="The network of the wallet.")


@strawberry.input
class VerifyWalletInput:
    """The proof of a wallet."""

    participant_id: strawberry.ID = strawberry.field(description="The global ID of the participant.")
    network: Network = strawberry.field(description="The network of the wallet.")
    signature: str = strawberry.field(
        description=f"The signature of the message of `startWalletProof` by the private key of the wallet: {SIGNATURE}"
    )


@strawberry.type
class CreateParticipantPayload:
    """The participant was created, now or when the idempotency key was first used."""

    participant: Participant = strawberry.field(description="The participant as it is now.")


@strawberry.type
class UpdateParticipantPayload:
    """The participant was changed."""

    participant: Participant = strawberry.field(description="The participant as it is now.")


@strawberry.type
class StartWalletProofPayload:
    """What the owner of the wallet has to sign. An earlier message can be signed no more."""

    address: str = strawberry.field(description="The address of the wallet.")
    message: str = strawberry.field(description="The message, as it is to be signed.")
    typed_data: JSON | None = strawberry.field(
        description="The same as typed data by EIP-712, which wallets of Ethereum show and sign as well. Null in other"
        " networks."
    )
    expires_at: datetime = strawberry.field(description="Until when the signature is accepted.")


@strawberry.type
class VerifyWalletPayload:
    """The wallet was proven."""

    participant: Participant = strawberry.field(description="The participant as it is now.")


@strawberry.type
class ParticipantMutation:
    """Changes to participants, for the owners and admins of a tenant."""

    @mutation(
        CreateParticipantPayload, InvalidInput, TenantNotActive, ParticipantExists, ResultDeleted, IdempotencyKeyReused
    )
    async def create_participant(self, info: Info, input: CreateParticipantInput) -> Any:
        """Creates a participant of the tenant that the request names. For its owners and admins."""
        tenancy = info.context.require_tenancy()
        id = await _services(info).participants.create(tenancy, input.new(), input.idempotency_key)
        if (participant := await read_participant(info.context, id)) is None:
            raise errors.ResultDeleted
        return CreateParticipantPayload(participant=participant)

    @mutation(
        UpdateParticipantPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ParticipantErased,
        ParticipantExists,
        ReferralRefused,
    )
    async def update_participant(self, info: Info, input: UpdateParticipantInput) -> Any:
        """Changes a participant. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, Participant)
        changes = changes_of(
            input, model.ParticipantChanges, attributes=("attributes", _attributes), wallets=("wallets", _wallets)
        )
        await _services(info).participants.update(tenancy, id, changes)
        return UpdateParticipantPayload(participant=await read_participant(info.context, id))

    @mutation(StartWalletProofPayload, NotFound, TenantNotActive)
    async def start_wallet_proof(self, info: Info, input: StartWalletProofInput) -> Any:
        """Issues what the owner of a wallet of a participant has to sign, within ten minutes. For the owners and admins
        of its tenant.
        """
        tenancy, id = info.context.require_tenancy(), key_of(input.participant_id, Participant)
        asked = await _services(info).proofs.start(tenancy, id, input.network)
        return StartWalletProofPayload(
            address=asked.address,
            message=asked.message,
            typed_data=None if asked.typed_data is None else JSON(asked.typed_data),
            expires_at=asked.expires_at,
        )

    @mutation(VerifyWalletPayload, InvalidInput, NotFound, TenantNotActive, ChallengeInvalid, WalletProven)
    async def verify_wallet(self, info: Info, input: VerifyWalletInput) -> Any:
        """Notes that a wallet is the participant's, by the signature of its owner. It is removed from participants of
        the tenant who have named it and not proven it. For the owners and admins of its tenant.
        """
        tenancy, id = info.context.require_tenancy(), key_of(input.participant_id, Participant)
        await _services(info).proofs.verify(tenancy, id, input.network, input.signature)
        return VerifyWalletPayload(participant=await read_participant(info.context, id))


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]
