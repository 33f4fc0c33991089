"""The loaders of participants. The members of their tenant read them, and the user who is linked to one."""

from app.domains.campaigns.participants.statements import ParticipantSql
from app.kit.lists import by, constant, starts_with
from app.kit.loaders import Audience, many, one, page

participant_by_id = one(ParticipantSql.participants_by_ids, key="id")
participant_by_telegram_id = one(ParticipantSql.participants_by_telegram_ids, key="telegram_id")
participant_by_discord_id = one(ParticipantSql.participants_by_discord_ids, key="discord_id")
participant_by_referral_code = one(ParticipantSql.participants_by_referral_codes, key="referral_code")
participant_by_wallet_address = one(ParticipantSql.participants_by_wallet_addresses, key="address")
wallets_by_participant = many(ParticipantSql.wallets_by_participants)
participants_by_tenant = page(
    ParticipantSql.participants_by_tenant,
    orders={
        "CREATED_AT": by("created_at", "id", descending=True),
        "TOTAL_REFERRALS": by("total_referrals", "id", descending=True),
    },
    filters={
        "verified": constant("is_verified"),
        "active": constant("is_active"),
        "username_prefix": starts_with("username_lower"),
    },
    audience=Audience.TENANT,
)
participants_by_user = page(
    ParticipantSql.participants_by_user, orders={"CREATED_AT": by("created_at", "id", descending=True)}
)
