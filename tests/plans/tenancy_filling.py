"""The rows of tenants."""

from tests.plans.ids import USER

_ONE = USER.format("1")
_N = USER.format("n")


def tenancy_fills(rows: int, others: int) -> dict[str, str]:
    """The first tenant has many members, invitations and keys, and the first user many memberships."""
    ago = f"now() - ({rows} - n) * interval '1 minute'"
    return {
        "tenants": f"""
INSERT INTO tenants (id, slug, name, email, plan_type, subscription_status, created_at, deleted_at)
SELECT {_N}, 't-' || n, 'x', 'x@example.com',
    CASE WHEN n % 10000 = 3 THEN 'enterprise' WHEN n % 10 = 0 THEN 'pro' ELSE 'free' END,
    CASE WHEN n % 10000 = 7 THEN 'suspended' ELSE 'active' END, now() - n * interval '1 minute',
    CASE WHEN n % 5000 = 9 THEN now() END FROM generate_series(1, {others}) n;
INSERT INTO tenant_members (id, tenant_id, user_id, role, joined_at)
SELECT {_N}, {_ONE}, {_N}, CASE WHEN n % 20000 = 1 THEN 'owner' ELSE 'viewer' END, {ago}
FROM generate_series(1, {rows // 5}) n;
INSERT INTO tenant_members (tenant_id, user_id, role, joined_at)
SELECT {_N}, {_ONE}, CASE WHEN n % 3000 = 1 THEN 'owner' ELSE 'viewer' END, now() - n * interval '1 minute'
FROM generate_series(2, {others}) n;
INSERT INTO tenant_invitations (id, tenant_id, email, role, token_hash, created_at, expires_at, accepted_at)
SELECT {_N}, {_ONE}, n || '@example.com', 'viewer', lpad(to_hex(n), 64, '0'), {ago}, now(),
    CASE WHEN n % 3 = 0 THEN now() END FROM generate_series(1, {rows // 5}) n""",
        "api_keys": f"""
INSERT INTO api_keys (id, tenant_id, key_id, key_hash, name, created_at)
SELECT {_N}, {_ONE}, 'mk_live_' || lpad(n::text, 16, '0'), 'x', 'Key', {ago} FROM generate_series(1, {rows // 10}) n;
INSERT INTO tenant_api_calls (tenant_id, month, shard, calls)
SELECT {_N}, date '2026-11-01', 0, 1 FROM generate_series(1, {others}) n""",
    }
