"""What campaigns count beside the rows that are counted. What is paid adds its own here."""

from typing import Final

from app.domains.campaigns.consistency.statements import ParticipationCountSql, ReferralSql, SumSql
from app.kit.data_checks import Counter, Mending

COUNTERS: Final = (
    Counter(
        "referrals of participants",
        ReferralSql.differing_referrals,
        Mending(ReferralSql.lock_participants, ReferralSql.mend_referrals),
    ),
    Counter(
        "participants and completions of projects",
        ParticipationCountSql.differing_counts,
        Mending(ParticipationCountSql.lock_counts, ParticipationCountSql.mend_counts),
    ),
    Counter(
        "points of participations",
        ParticipationCountSql.differing_points,
        Mending(ParticipationCountSql.lock_participations, ParticipationCountSql.mend_points),
    ),
    Counter(
        "levels of participations",
        ParticipationCountSql.differing_levels,
        Mending(ParticipationCountSql.lock_participations, ParticipationCountSql.mend_levels),
    ),
    Counter("sums of events of projects", SumSql.differing_sums, Mending(SumSql.lock_sums, SumSql.mend_sums)),
)
