"""The rows of campaigns."""

from tests.plans.ids import USER

_ONE = USER.format("1")
_N = USER.format("n")


def campaign_fills(rows: int, others: int) -> dict[str, str]:
    """The first tenant has many projects and participants, and the first user takes part in many tenants."""
    ago = f"now() - ({rows} - n) * interval '1 minute'"
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
        "participations": f"""
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, status, points, level,
    verification_status, joined_at, left_at, banned_at)
SELECT {_N}, {_ONE}, true, {_ONE}, {_N},
    CASE WHEN n % 5000 = 3 THEN 'banned' WHEN n % 10 = 1 THEN 'left' ELSE 'active' END, n % 1000, 1,
    CASE WHEN n % 5000 = 7 THEN 'verified' WHEN n % 10 = 2 THEN 'rejected' ELSE 'pending' END, {ago},
    CASE WHEN n % 10 = 1 AND n % 5000 <> 3 THEN now() END, CASE WHEN n % 5000 = 3 THEN now() END
FROM generate_series(1, {rows // 2}) n;
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, joined_at)
SELECT {USER.format(f"n + {rows}")}, {_ONE}, true, {_N}, {_ONE}, {ago} FROM generate_series(2, {rows // 10}) n;
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
