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
"""
