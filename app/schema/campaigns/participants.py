"""Participants, as the members of their tenant see them, and the user who is linked to one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.campaigns.participants import loaders, model
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import listed, paged, related
from app.kit import errors
from app.schema.accounts.users import UserAccount
from app.schema.campaigns.networks import Network
from app.schema.context import Context
from app.schema.scalars import BigInt
from app.schema.tenancy.tenants import Tenant

MAX_PREFIX = 100
NOT_KNOWN = "Null: not known."


@record_type(model.ParticipantWallet)
class ParticipantWallet:
    """A wallet of a participant. There is at most one in each network."""

    network: Network = strawberry.field(description="The network of the wallet.")
    address: str = strawberry.field(description="The address.")
    allows_off_curve: bool = strawberry.field(
        name="isOffCurveAllowed", description="Whether it may be one of a program of Solana, which nobody can sign for."
    )
    created_at: datetime = strawberry.field(description="When it was first named.")
    verified_at: datetime | None = strawberry.field(description="When its owner has proven it. Null: not yet.")


@record_type(model.Attribute)
class ParticipantAttribute:
    """What a tenant notes of a participant."""

    name: str = strawberry.field(description="The name that the tenant has given it.")
    value: str = strawberry.field(description="The value, up to 255 characters.")


def _attributes(root: model.Participant) -> list[model.Attribute]:
    return [model.Attribute(name, value) for name, value in sorted(root.attributes.items())]


def _telegram_id(root: model.Participant) -> BigInt | None:
    return None if root.telegram_id is None else BigInt(root.telegram_id)


@node_type(by=loaders.participant_by_id)
class Participant(Node):
    """Someone who takes part in the projects of a tenant. The members of the tenant see them, where the request names
    it, and the user who is linked to them.
    """

    livemode: bool = strawberry.field(name="isLive", description="Whether they are real, and not there for tests.")
    telegram_id: BigInt | None = from_parent(_telegram_id, description=f"Their number at Telegram. {NOT_KNOWN}")
    discord_id: str | None = strawberry.field(description=f"Their key at Discord. {NOT_KNOWN}")
    username: str | None = strawberry.field(description=f"Their user name. {NOT_KNOWN}")
    first_name: str | None = strawberry.field(description=f"Their first name. {NOT_KNOWN}")
    last_name: str | None = strawberry.field(description=f"Their last name. {NOT_KNOWN}")
    email: str | None = strawberry.field(name="contactEmail", description=f"Where they can be reached. {NOT_KNOWN}")
    locale: str | None = strawberry.field(description=f"Their language, by BCP 47, such as de-AT. {NOT_KNOWN}")
    time_zone: str | None = strawberry.field(
        name="localTimeZone", description=f"Their time zone, by the IANA database. {NOT_KNOWN}"
    )
    has_notifications: bool = strawberry.field(description="Whether they want to be notified.")
    attributes: list[ParticipantAttribute] = from_parent(
        _attributes, description="What the tenant notes of them, by name.", metadata=holds(model.MAX_ATTRIBUTES)
    )
    is_active: bool = strawberry.field(description="Whether they can take part.")
    is_verified: bool = strawberry.field(description="Whether the tenant has verified who they are.")
    referral_code: str = strawberry.field(description="The code with which they refer others.")
    referred_by: Annotated["Participant", strawberry.lazy("app.schema.campaigns.participants")] | None = related(
        loaders.participant_by_id, key="referred_by", description="Who has referred them. Null: nobody."
    )
    total_referrals: int = strawberry.field(description="The number of participants that they have referred.")
    wallets: list[ParticipantWallet] = listed(
        loaders.wallets_by_participant,
        key="id",
        most=len(model.WALLET_NETWORKS),
        description="Their wallets, by network.",
    )
    user: UserAccount | None = related(
        account_loaders.user_by_id, key="user_id", description="The user who is linked to them. Null: nobody."
    )
    created_at: datetime = strawberry.field(description="When they were created.")
    updated_at: datetime = strawberry.field(description="When they were last changed.")
    last_active_at: datetime = strawberry.field(
        description="When they last joined a project, completed a task, or did something that the tenant tracked, to"
        " the minute. It is a few seconds old."
    )
    erased_at: datetime | None = strawberry.field(
        description="Since when nothing personal of them is stored: then all of that is null, and cannot be set again."
        " Null: they were not erased."
    )


@strawberry.input(one_of=True)
class ParticipantBy:
    """Identifies a participant."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    telegram_id: BigInt | None = strawberry.field(default=strawberry.UNSET, description="Their number at Telegram.")
    discord_id: str | None = strawberry.field(default=strawberry.UNSET, description="Their key at Discord.")
    referral_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code with which they refer others, in any case."
    )
    wallet_address: str | None = strawberry.field(
        default=strawberry.UNSET, description="The address of a wallet that they have proven, as it is shown."
    )


def _telegram_key(value: int) -> int:
    if not 0 < value <= model.MAX_TELEGRAM_ID:
        raise ValueError("no ID of Telegram")
    return value


@strawberry.type
class ParticipantQuery:
    """A single participant."""

    participant: Participant | None = lookup(
        ParticipantBy,
        {
            "id": by_id(Participant, loaders.participant_by_id),
            "telegram_id": Key(loaders.participant_by_telegram_id, _telegram_key),
            "discord_id": Key(loaders.participant_by_discord_id),
            "referral_code": Key(loaders.participant_by_referral_code, str.upper),
            "wallet_address": Key(loaders.participant_by_wallet_address),
        },
        of=Participant,
        argument="Identifies the participant.",
        description="A participant of the tenant that the request names, or by the ID one that the viewer is linked to."
        " Null if there is none.",
    )


@strawberry.input
class ParticipantFilter:
    """Filters participants by all fields that are given. A field that is null or omitted matches all."""

    verified: bool | None = strawberry.field(default=None, description="Whether they are verified.")
    active: bool | None = strawberry.field(default=None, description="Whether they can take part.")
    username_prefix: str | None = strawberry.field(
        default=None, description=f"How their user name begins, in any case, up to {MAX_PREFIX} characters."
    )

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader. Raises InvalidInput."""
        prefix = self.username_prefix
        if prefix is not None and (len(prefix) > MAX_PREFIX or not prefix.isprintable()):
            raise errors.InvalidInput("username_prefix", f"A prefix has at most {MAX_PREFIX} printable characters.")
        return vars(self) | {"username_prefix": None if prefix is None else prefix.strip().lower()}


ParticipantOrderBy = order_input(
    "Participant",
    "Participants that are equal in it are sorted by their IDs.",
    CREATED_AT="When they were created.",
    TOTAL_REFERRALS="How many they have referred.",
)


@extension_of(Tenant)
class TenantParticipants:
    """The participants of a tenant."""

    participants: Connection[Participant] = paged(
        loaders.participants_by_tenant,
        key="id",
        filter=ParticipantFilter,
        order_by=ParticipantOrderBy,
        description="Its participants, newest first: the real ones, or those for tests, as the request acts. Empty"
        " unless the request names the tenant.",
    )


@strawberry.type
class ParticipantViewer:
    """Who the viewer is in tenants."""

    participants: Connection[Participant] = paged(
        loaders.participants_by_user,
        key="user_id",
        description="The participants that the viewer is linked to, at most one of the real ones and one of those for"
        " tests in each tenant, newest first. `isLive` says which: in either mode of the request both are shown.",
    )


async def read_participant(context: Context, id: Any) -> Any:
    """The record of a participant that was just written, for a payload."""
    return await context.reads.one(loaders.participant_by_id, id)
