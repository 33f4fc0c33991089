"""What campaigns count beside the rows that are counted. What is paid adds its own here."""

from typing import Final

from app.domains.campaigns.consistency.statements import (
    FunnelSql,
    LeaderboardCountSql,
    ParticipationCountSql,
    ReferralSql,
    SumSql,
)
from app.kit.data_checks import Counter, Mending

LEADERBOARDS: Final = Counter(
    "leaderboards of projects",
    LeaderboardCountSql.differing_leaderboards,
    Mending(LeaderboardCountSql.lock_leaderboards, LeaderboardCountSql.mend_leaderboards),
)
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
    # Before the funnels, which count what it mends.
    Counter(
        "users and completions of participations",
        FunnelSql.differing_participations,
        Mending(ParticipationCountSql.lock_participations, FunnelSql.mend_participations),
    ),
    Counter(
        "funnels of projects",
        FunnelSql.differing_funnels,
        Mending(FunnelSql.lock_funnels, FunnelSql.mend_funnels),
    ),
    LEADERBOARDS,
    Counter("sums of events of projects", SumSql.differing_sums, Mending(SumSql.lock_sums, SumSql.mend_sums)),
)
