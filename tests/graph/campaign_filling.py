"""Several rows in every list of campaigns."""

from typing import Final

CAMPAIGN_FILL: Final = """
INSERT INTO projects (id, tenant_id, livemode, key, name, network, token_decimals, distribution, claim_amount,
    is_active, archived_at, created_at)
SELECT gen_random_uuid(), t.id, true, 'proj_' || left(md5(t.id::text || n), 12), 'Project ' || n % 4,
    ('{internal,solana,ethereum}'::text[])[1 + n % 3], 9, '{"type": "fixed", "claim_amount": "5"}', 5, n % 4 > 0,
    CASE n % 5 WHEN 0 THEN now() END, now() - n / 3 * interval '1 s'
FROM tenants t, generate_series(1, 12) n;
INSERT INTO participants (id, tenant_id, livemode, telegram_id, discord_id, username, is_active, is_verified,
    referral_code, total_referrals, user_id, created_at, last_active_at)
SELECT gen_random_uuid(), t.id, true, n, 'discord ' || n, 'User ' || n % 4, n % 3 > 0, n % 2 > 0,
    upper(left(md5(t.id::text || n), 10)), n % 4,
    u.id, now() - n / 3 * interval '1 s', now() - n / 4 * interval '1 s'
FROM tenants t, generate_series(1, 12) n
LEFT JOIN (SELECT id, row_number() OVER (ORDER BY email) AS n FROM users) u USING (n);
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, status, points, level,
    verification_status, joined_at, left_at, banned_at, user_id)
SELECT gen_random_uuid(), p.tenant_id, true, j.id, p.id, s.status, n % 5, 1 + n % 3,
    ('{pending,verified,rejected}'::text[])[1 + n % 3], now() - n / 3 * interval '1 s',
    CASE s.status WHEN 'left' THEN now() END, CASE s.status WHEN 'banned' THEN now() END, p.user_id
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM participants) p
JOIN projects j USING (tenant_id, livemode),
    LATERAL (SELECT ('{active,left,banned}'::text[])[1 + n % 3] AS status) s;
INSERT INTO tasks (id, tenant_id, livemode, project_id, key, name, points, max_completions, proof_kind, is_active,
    position, created_at)
SELECT gen_random_uuid(), j.tenant_id, true, j.id, 'task-' || n, 'Task', n, 1, ('{manual,api}'::text[])[1 + n % 2],
    n % 3 > 0, n / 3, now()
FROM projects j, generate_series(1, 9) n;
INSERT INTO task_completions (id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points,
    created_at, reviewed_at)
SELECT gen_random_uuid(), p.tenant_id, true, p.project_id, p.id, t.id, n,
    ('{pending,accepted,rejected}'::text[])[1 + n % 3], n, now() - n / 3 * interval '1 s',
    CASE WHEN n % 3 > 0 THEN now() END
FROM participations p, LATERAL (SELECT id FROM tasks t WHERE t.project_id = p.project_id ORDER BY t.key LIMIT 2) t,
    generate_series(1, 4) n;
INSERT INTO point_entries (id, tenant_id, livemode, project_id, participation_id, amount, balance, reason, note,
    created_at)
SELECT gen_random_uuid(), p.tenant_id, true, p.project_id, p.id, n, n, 'bonus', 'x', now() - n / 3 * interval '1 s'
FROM participations p, generate_series(1, 8) n;
INSERT INTO analytics_events (tenant_id, livemode, project_id, participant_id, source, event_type, event_name,
    occurred_at)
SELECT p.tenant_id, true, p.id, CASE n % 2 WHEN 0 THEN (
        SELECT w.id FROM participants w WHERE w.tenant_id = p.tenant_id ORDER BY w.id OFFSET n % 3 LIMIT 1
    ) END, 'tenant', 'type.' || n % 3, 'Event', now() - n / 3 * interval '1 s'
FROM projects p, generate_series(1, 12) n;
INSERT INTO project_statistics (tenant_id, livemode, project_id, interval, started_at, joins)
SELECT p.tenant_id, true, p.id, 'hour', timestamptz '2026-11-21 00:00Z' + n * interval '1 hour', n
FROM projects p, generate_series(1, 20) n;
INSERT INTO project_retention (tenant_id, livemode, project_id, joined_week, active_week, participants)
SELECT p.tenant_id, true, p.id, timestamptz '2026-06-01Z' + n * interval '7 days',
    timestamptz '2026-06-01Z' + (n + k) * interval '7 days', 9 - k
FROM projects p, generate_series(1, 5) n, generate_series(0, 4) k;
SELECT repair_leaderboard(id) FROM projects;
INSERT INTO participant_imports (id, tenant_id, livemode, status, on_duplicate, size_bytes, delimiter, fields,
    processed_rows, refused_count, created_at, finished_at)
SELECT gen_random_uuid(), t.id, true, CASE n % 3 WHEN 0 THEN 'failed' ELSE 'completed' END, 'skip', 10, ',',
    '{telegram_id}', 9, 9, now() - n / 3 * interval '1 s', now() FROM tenants t, generate_series(1, 12) n;
INSERT INTO participant_import_refusals (import_id, tenant_id, livemode, number, row_number, field, reason, detail)
SELECT i.id, i.tenant_id, true, n, 1 + n / 2, 'telegram_id', 'invalid', 'No.'
FROM participant_imports i, generate_series(1, 9) n;
INSERT INTO participant_exports (id, tenant_id, livemode, status, created_at, finished_at)
SELECT gen_random_uuid(), t.id, true, CASE n % 3 WHEN 0 THEN 'failed' ELSE 'expired' END,
    now() - n / 3 * interval '1 s', now() FROM tenants t, generate_series(1, 12) n;
"""
