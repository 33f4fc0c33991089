"""The statements about participants."""

from uuid import UUID

from app.domains.campaigns.participants.model import (
    Challenge,
    OpenLink,
    Participant,
    ParticipantWallet,
    Taken,
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


class ProofSql(Statements, file="proofs.sql"):
    """What proves whose a wallet is, and who a participant is."""

    address_of_wallet: Query[str]
    put_challenge: Command
    challenge_of_wallet: Query[Challenge]
    use_challenge: Query[str]
    is_proven: Query[bool]
    set_verified: Command
    put_link: Command
    lock_link: Query[OpenLink]
    is_participant: Query[bool]
    set_user: Command
    delete_link: Command
    remove_challenges: Command
    remove_links: Command
