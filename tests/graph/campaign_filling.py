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
    verification_status, joined_at, left_at, banned_at)
SELECT gen_random_uuid(), p.tenant_id, true, j.id, p.id, s.status, n % 5, 1 + n % 3,
    ('{pending,verified,rejected}'::text[])[1 + n % 3], now() - n / 3 * interval '1 s',
    CASE s.status WHEN 'left' THEN now() END, CASE s.status WHEN 'banned' THEN now() END
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
"""
