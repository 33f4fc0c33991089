"""The statements about what is counted, and what it should be."""

from app.kit.data_checks import CounterDifference, Mended
from app.kit.sql import Command, Query, Statements


class ReferralSql(Statements, file="referrals.sql"):
    """What is counted of participants."""

    differing_referrals: Query[CounterDifference]
    lock_participants: Command
    mend_referrals: Query[Mended]


class ParticipationCountSql(Statements, file="participations.sql"):
    """What is counted of participations."""

    differing_counts: Query[CounterDifference]
    lock_counts: Command
    mend_counts: Query[Mended]
    differing_points: Query[CounterDifference]
    lock_participations: Command
    mend_points: Query[Mended]
    differing_levels: Query[CounterDifference]
    mend_levels: Query[Mended]


class FunnelSql(Statements, file="funnels.sql"):
    """What participations take from other rows, and what is counted of it."""

    differing_participations: Query[CounterDifference]
    mend_participations: Query[Mended]
    differing_funnels: Query[CounterDifference]
    lock_funnels: Command
    mend_funnels: Query[Mended]


class LeaderboardCountSql(Statements, file="leaderboards.sql"):
    """What is on leaderboards."""

    differing_leaderboards: Query[CounterDifference]
    lock_leaderboards: Command
    mend_leaderboards: Query[Mended]


class SumSql(Statements, file="sums.sql"):
    """What is counted of events."""

    differing_sums: Query[CounterDifference]
    lock_sums: Command
    mend_sums: Query[Mended]
