"""The statements about participants."""

from uuid import UUID

from app.domains.campaigns.participants.model import (
    Challenge,
    LinkableClaim,
    OpenLink,
    Participant,
    ParticipantWallet,
    Taken,
    WalletClaim,
    WalletOwner,
)
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class ParticipantSql(Statements, file="participants.sql"):
    """Participants, who has referred them, and their wallets."""

    participants_by_ids: Query[Participant]
    participants_by_telegram_ids: Query[Participant]
    participants_by_discord_ids: Query[Participant]
    participants_by_referral_codes: Query[Participant]
    participants_by_wallet_addresses: Query[WalletOwner]
    participants_by_tenant: Rows[Participant]
    participants_by_user: Rows[Participant]
    wallets_by_participants: Keyed[ParticipantWallet]
    lock_participant: Query[Participant]
    taken: Query[Taken]
    insert_participant: Command
    update_participant: Command
    lock_referrals: Command
    count_referral: Query[UUID]
    referrer_of_code: Query[UUID]
    is_referred_by: Query[bool]
    add_referrals: Command
    remove_other_wallets: Command
    put_wallets: Command
    name_of_tenant: Query[str]


class ProofSql(Statements, file="proofs.sql"):
    """What proves whose a wallet is, and who a participant is."""

    address_of_wallet: Query[str]
    put_challenge: Command
    challenge_of_wallet: Query[Challenge]
    use_challenge: Query[str]
    lock_claims: Query[WalletClaim]
    remove_claims: Command
    set_verified: Command
    remove_challenges: Command


class LinkSql(Statements, file="links.sql"):
    """What links users to participants."""

    put_link: Command
    lock_link: Query[OpenLink]
    is_participant: Query[bool]
    set_user: Command
    delete_link: Command
    unlink: Command
    lock_own: Query[UUID]
    open_tenant: Query[UUID]
    put_link_challenge: Command
    link_challenge: Query[Challenge]
    use_link_challenge: Query[str]
    lock_owners: Query[LinkableClaim]
    remove_link_challenges: Command
    remove_links: Command
