"""The rows of campaigns."""

from tests.plans.ids import USER

_ONE = USER.format("1")
_N = USER.format("n")


def _people(rows: int, others: int, ago: str) -> dict[str, str]:
    """The first tenant has many projects and participants, and the first user takes part in many tenants."""
    return {
        "projects": f"""
INSERT INTO projects (id, tenant_id, livemode, key, name, network, token_decimals, distribution, claim_amount,
    is_active, archived_at, created_at)
SELECT {_N}, {_ONE}, true, 'proj_' || lpad(n::text, 12, '0'), 'Project ' || n % 1000,
    CASE WHEN n % 5000 = 3 THEN 'ethereum' WHEN n % 10 = 0 THEN 'internal' ELSE 'solana' END, 9,
    '{{"type": "fixed"}}', 5, n % 5000 <> 7, CASE WHEN n % 10 = 1 THEN now() END, {ago}
FROM generate_series(1, {rows // 5}) n;
INSERT INTO project_wallets (project_id, tenant_id, livemode, network, address, created_at)
SELECT {_N}, {_ONE}, true, 'solana', lpad(n::text, 40, 'A'), {ago} FROM generate_series(1, {rows // 5}) n""",
        "participants": f"""
INSERT INTO participants (id, tenant_id, livemode, telegram_id, discord_id, username, is_active, is_verified,
    referral_code, referred_by, total_referrals, user_id, created_at, last_active_at)
SELECT {_N}, {_ONE}, true, n, 'd' || n, CASE WHEN n % 5000 = 3 THEN 'Rare ' ELSE 'User ' END || n, n % 5000 <> 7,
    n % 5000 = 9, 'C' || n, CASE WHEN n > 100 THEN {USER.format("n % 100 + 1")} END, n % 50,
    CASE WHEN n <= {others} THEN {_N} END, {ago}, {ago} FROM generate_series(1, {rows // 10}) n;
INSERT INTO participants (id, tenant_id, livemode, referral_code, user_id, created_at, last_active_at)
SELECT {USER.format(f"n + {rows}")}, {_N}, true, 'C' || n, {_ONE}, {ago}, {ago} FROM generate_series(2, {others}) n;
INSERT INTO participant_wallets (participant_id, tenant_id, livemode, network, address, created_at, verified_at)
SELECT {_N}, {_ONE}, true, 'solana', 'w' || n, {ago}, {ago} FROM generate_series(1, {rows // 5}) n""",
    }


def _participations(rows: int, others: int, ago: str) -> dict[str, str]:
    """The first project has many participations, and the first participant takes part in many projects."""
    return {
        "participations": f"""
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, status, points, level,
    verification_status, joined_at, left_at, banned_at, user_id)
SELECT {_N}, {_ONE}, true, {_ONE}, {_N},
    CASE WHEN n % 5000 = 3 THEN 'banned' WHEN n % 10 = 1 THEN 'left' ELSE 'active' END, n % 1000, 1,
    CASE WHEN n % 5000 = 7 THEN 'verified' WHEN n % 10 = 2 THEN 'rejected' ELSE 'pending' END, {ago},
    CASE WHEN n % 10 = 1 AND n % 5000 <> 3 THEN now() END, CASE WHEN n % 5000 = 3 THEN now() END,
    CASE WHEN n <= {min(others, rows // 10)} THEN {_N} END
FROM generate_series(1, {rows // 2}) n;
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, joined_at, user_id)
SELECT {USER.format(f"n + {rows}")}, {_ONE}, true, {_N}, {_ONE}, {ago}, {_ONE} FROM generate_series(2, {rows // 10}) n;
INSERT INTO funnel_counts (tenant_id, livemode, project_id, has_completed, is_verified, level, participants)
SELECT tenant_id, livemode, project_id, false, verification_status = 'verified', level, count(*) FROM participations
GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO leaderboard_entries (tenant_id, livemode, participation_id, project_id, points, level)
SELECT tenant_id, livemode, id, project_id, points, level FROM participations WHERE status = 'active';
INSERT INTO leaderboard_counts (tenant_id, livemode, project_id, level, prefix, participants)
SELECT e.tenant_id, e.livemode, e.project_id, d.level, d.prefix, count(*)
FROM leaderboard_entries e, leaderboard_digits(e.points) AS d
GROUP BY e.tenant_id, e.livemode, e.project_id, d.level, d.prefix;
INSERT INTO tasks (id, tenant_id, livemode, project_id, key, name, points, max_completions, proof_kind, is_active,
    position, created_at)
SELECT {_N}, {_ONE}, true, {_ONE}, 'task-' || n, 'Task', 5, 1,
    CASE WHEN n % 10 = 3 THEN 'api' ELSE 'manual' END, n % 10 <> 7, n, now() FROM generate_series(1, 200) n;
INSERT INTO tasks (id, tenant_id, livemode, project_id, key, name, points, proof_kind, created_at)
SELECT {USER.format("n + 200")}, {_ONE}, true, {_N}, 'task', 'Task', 5, 'api', now()
FROM generate_series(2, {others}) n;
INSERT INTO task_completions (id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points,
    created_at, reviewed_at)
SELECT {_N}, {_ONE}, true, {_ONE}, CASE WHEN n % 5 = 0 THEN {_ONE} ELSE {_N} END,
    CASE WHEN n % 2 = 0 THEN {_ONE} ELSE {USER.format("n % 199 + 2")} END, n,
    CASE WHEN n % 5000 = 3 THEN 'pending' WHEN n % 5000 = 7 THEN 'rejected' ELSE 'accepted' END, 5, {ago},
    CASE WHEN n % 5000 = 7 THEN now() END FROM generate_series(1, {rows // 2}) n;
INSERT INTO point_entries (id, tenant_id, livemode, project_id, participation_id, amount, balance, reason, note,
    created_at)
SELECT {_N}, {_ONE}, true, {_ONE}, CASE WHEN n % 5 = 0 THEN {_ONE} ELSE {_N} END, 5, 5, 'bonus', 'x', {ago}
FROM generate_series(1, {rows // 2}) n;
INSERT INTO project_counters (tenant_id, livemode, project_id, shard, participants, is_announced)
SELECT {_ONE}, true, {USER.format("n / 16 + 1")}, n % 16, 1, n % 5000 <> 3 FROM generate_series(0, {others}) n""",
    }


def _events(rows: int, others: int, ago: str) -> dict[str, str]:
    """Most has happened in the first project, and the first import has refused many rows."""
    return {
        "analytics_events": f"""
SELECT make_partitions('analytics_events', now() - interval '3 months', now());
INSERT INTO analytics_events (id, tenant_id, livemode, project_id, participant_id, source, event_type, event_name,
    ip_address, occurred_at)
SELECT {_N}, {_ONE}, true, CASE WHEN n % 5 = 0 THEN {USER.format(f"1 + n % {others}")} ELSE {_ONE} END,
    CASE WHEN n % 3 = 0 THEN {USER.format("CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n % 9999 END")} END, 'tenant',
    CASE WHEN n % 30000 = 3 THEN 'rare' ELSE 'type.1' END, 'x', CASE WHEN n > {rows - 1000} THEN '10.0.0.1'::inet END,
    now() - ({rows} - n) * {1_000_000 // rows} * interval '7 seconds' FROM generate_series(1, {rows}) n;
DELETE FROM analytics_inbox WHERE id < (SELECT max(id) - 1000 FROM analytics_inbox);
INSERT INTO project_statistics (tenant_id, livemode, project_id, interval, started_at, joins)
SELECT {_ONE}, true, {USER.format("p")}, 'hour', date_trunc('hour', now(), 'UTC') - n * interval '1 hour', n
FROM generate_series(0, 2000) n, generate_series(1, {max(1, rows // 10_000)}) p;
INSERT INTO participant_activity (tenant_id, livemode, project_id, interval, started_at, participant_id)
SELECT {_ONE}, true, {_ONE}, 'hour', date_trunc('hour', now(), 'UTC') - n % 190 * interval '1 hour',
    {USER.format(f"1 + n % {rows // 10}")} FROM generate_series(1, {rows // 10}) n;
INSERT INTO project_retention (tenant_id, livemode, project_id, joined_week, active_week, participants)
SELECT {_ONE}, true, {USER.format("p")}, date_trunc('week', now(), 'UTC') - n * interval '7 days',
    date_trunc('week', now(), 'UTC') - (n - k) * interval '7 days', 9
FROM generate_series(0, 150) n, generate_series(0, n) k, generate_series(1, {max(1, rows // 50_000)}) p""",
        "imports": f"""
INSERT INTO participant_imports (id, tenant_id, livemode, status, on_duplicate, size_bytes, delimiter, fields,
    created_at, finished_at)
SELECT {_N}, {_ONE}, true, CASE WHEN n % 5000 = 3 THEN 'failed' ELSE 'completed' END, 'skip', 10, ',',
    '{{telegram_id}}', {ago}, {ago} FROM generate_series(1, {rows // 10}) n;
INSERT INTO participant_import_refusals (import_id, tenant_id, livemode, number, row_number, reason, detail)
SELECT {_ONE}, {_ONE}, true, n, n, 'invalid', 'No.' FROM generate_series(1, {rows // 10}) n;
INSERT INTO participant_exports (id, tenant_id, livemode, status, created_at, finished_at)
SELECT {_N}, {_ONE}, true, CASE WHEN n % 5000 = 3 THEN 'failed' ELSE 'expired' END, {ago}, {ago}
FROM generate_series(1, {rows // 10}) n""",
    }


def campaign_fills(rows: int, others: int) -> dict[str, str]:
    """The rows of campaigns, by what they are of."""
    ago = f"now() - ({rows} - n) * interval '1 minute'"
    return _people(rows, others, ago) | _participations(rows, others, ago) | _events(rows, others, ago)
