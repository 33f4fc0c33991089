"""Participants of tenants. They are apart from Moneta's users."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.campaigns.networks.model import Network
from app.kit.changes import Changes
from app.kit.errors import Code, Problem

MAX_TELEGRAM_ID: Final = 2**63 - 1
MAX_DISCORD_ID_CHARS: Final = 100
MAX_USERNAME_CHARS: Final = 100
MAX_PERSON_NAME_CHARS: Final = 255
MAX_CODE_CHARS: Final = 20
CODE_CHARS: Final = 10
"""Of a code that Moneta draws."""
MAX_ATTRIBUTES: Final = 50
MAX_ATTRIBUTE_NAME_CHARS: Final = 64
MAX_ATTRIBUTE_CHARS: Final = 255
WALLET_NETWORKS: Final = (Network.SOLANA, Network.ETHEREUM)
CHALLENGE_TTL: Final = timedelta(minutes=10)
LINK_TTL: Final = timedelta(days=1)


class Participant(msgspec.Struct, frozen=True):
    """Someone who takes part in the projects of a tenant."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    telegram_id: int | None
    discord_id: str | None
    username: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    locale: str | None
    time_zone: str | None
    has_notifications: bool
    attributes: dict[str, Any]
    is_active: bool
    is_verified: bool
    referral_code: str
    referred_by: UUID | None
    total_referrals: int
    user_id: UUID | None
    created_at: datetime
    updated_at: datetime
    last_active_at: datetime
    erased_at: datetime | None
    """Since when nothing personal of them is left; null: it is there."""


class WalletOwner(Participant, frozen=True):
    """A participant who has proven a wallet."""

    address: str


class ParticipantWallet(msgspec.Struct, frozen=True):
    """A wallet of a participant, at most one in each network."""

    participant_id: UUID
    network: str
    address: str
    allows_off_curve: bool
    created_at: datetime
    verified_at: datetime | None


class NamedWallet(msgspec.Struct, frozen=True):
    """A wallet that somebody says is a participant's."""

    network: Network
    address: str
    allows_off_curve: bool = False
    """Whether it may be one that a program of Solana has derived, which nobody can sign for."""


class Attribute(msgspec.Struct, frozen=True):
    """What a tenant notes of a participant, by a name of its own."""

    name: str
    value: str


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """A participant to create."""

    telegram_id: int | None = None
    discord_id: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    has_notifications: bool = True
    attributes: tuple[Attribute, ...] = ()
    is_active: bool = True
    is_verified: bool = False
    referral_code: str | None = None
    referrer_code: str | None = None
    """The code of who has referred them."""
    wallets: tuple[NamedWallet, ...] = ()


class ParticipantChanges(Changes, frozen=True, kw_only=True):
    """Changes to a participant. UNSET leaves a field unchanged, None clears it."""

    telegram_id: int | UnsetType | None = UNSET
    discord_id: str | UnsetType | None = UNSET
    username: str | UnsetType | None = UNSET
    first_name: str | UnsetType | None = UNSET
    last_name: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    locale: str | UnsetType | None = UNSET
    time_zone: str | UnsetType | None = UNSET
    has_notifications: bool | UnsetType = UNSET
    attributes: tuple[Attribute, ...] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    is_verified: bool | UnsetType = UNSET
    referral_code: str | UnsetType = UNSET
    referrer_code: str | UnsetType | None = UNSET
    wallets: tuple[NamedWallet, ...] | UnsetType = UNSET
    last_active_at: datetime | UnsetType = UNSET


class Taken(msgspec.Struct, frozen=True):
    """What another participant of the tenant has."""

    telegram_id: bool
    discord_id: bool
    referral_code: bool


class Challenge(msgspec.Struct, frozen=True):
    """What the owner of a wallet is asked to sign."""

    address: str
    message: str
    expires_at: datetime


class IssuedChallenge(Challenge, frozen=True):
    """A challenge, and what a wallet of Ethereum may sign in its place."""

    typed_data: dict[str, Any] | None


class OpenLink(msgspec.Struct, frozen=True):
    """A participant that a token links a user to."""

    participant_id: UUID
    tenant_id: UUID
    livemode: bool
    is_linked: bool
    is_open: bool


class WalletClaim(msgspec.Struct, frozen=True):
    """A participant with a wallet that somebody has signed with."""

    participant_id: UUID
    is_proven: bool


class LinkableClaim(WalletClaim, frozen=True):
    """A participant with a wallet that a user has signed with, and whether a user is linked to them."""

    is_linked: bool


class Link(msgspec.Struct, frozen=True):
    """A token that links a user to a participant. It is shown once."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "Link(...)"


class ParticipantExists(Problem):
    """Another participant of this tenant has this."""


class ParticipantErased(Problem):
    """This participant was erased: nothing of them can be set or noted again."""

    concerns_id = True


class NotLinked(Problem):
    """The participant is linked to no user."""


class ReferralRefused(Problem):
    """Nobody refers themself, not even by way of others."""

    field = "referrer_code"


class ChallengeInvalid(Problem):
    """There is nothing to sign for this wallet, or it has expired or was used. Start again."""

    code = Code.NOT_FOUND


class WalletProven(Problem):
    """Another participant has proven that this wallet is theirs."""


class LinkInvalid(Problem):
    """This token is not valid any more, or never was. Ask the tenant for another."""

    code = Code.NOT_FOUND
    field = "token"


class NobodyHasWallet(Problem):
    """No participant of this tenant has this wallet, or several have. Ask the tenant for a token."""

    code = Code.NOT_FOUND


class AlreadyLinked(Problem):
    """The participant has a user already, or the user is another participant of this tenant."""
