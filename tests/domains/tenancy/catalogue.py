"""What Postgres's own catalogue says of the tables that have rows of tenants."""

from typing import Final

from tests.databases import Owner

_OWNED: Final = """
    owned AS (
        SELECT c.oid, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_forced, EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'livemode' AND NOT a.attisdropped
            ) AS has_mode
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        )
    ),
    names AS (
        SELECT o.oid, array_agg(a.attname::text) AS columns FROM owned o JOIN pg_attribute a ON a.attrelid = o.oid
        WHERE a.attnum > 0 GROUP BY o.oid
    )
"""
TABLES: Final = f"WITH {_OWNED} SELECT relname FROM owned ORDER BY 1"
LOOSE: Final = f"WITH {_OWNED} SELECT relname FROM owned WHERE NOT is_forced ORDER BY 1"
"""Tables whose owner row-level security does not bind, or anybody."""
UNREAD: Final = f"""WITH {_OWNED} SELECT o.relname FROM owned o WHERE NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = o.oid AND pg_get_expr(p.polqual, p.polrelid) LIKE '%tenant_id = ( SELECT app_tenant(%'
) ORDER BY 1"""
"""Tables that no policy shows to their tenant."""
FREE_OF_MODE: Final = f"""WITH {_OWNED} SELECT o.relname || '.' || p.polname FROM owned o
    JOIN pg_policy p ON p.polrelid = o.oid
WHERE o.has_mode AND pg_get_expr(p.polqual, p.polrelid) LIKE '%app_tenant(%'
    AND pg_get_expr(p.polqual, p.polrelid) NOT LIKE '%livemode = ( SELECT app_livemode(%' ORDER BY 1"""
"""Policies that show a tenant both its modes."""
OTHERS: Final = f"""WITH {_OWNED} SELECT o.relname || '.' || p.polname FROM owned o
    JOIN pg_policy p ON p.polrelid = o.oid
WHERE pg_get_expr(p.polqual, p.polrelid) NOT LIKE '%tenant_id = ( SELECT app_tenant(%'
    AND pg_get_expr(p.polqual, p.polrelid) <> 'app_is_system()' ORDER BY 1"""
"""Policies that show rows of a tenant to somebody who does not act in it."""
WRITERS: Final = f"""WITH {_OWNED} SELECT o.relname || '.' || p.polname FROM owned o
    JOIN pg_policy p ON p.polrelid = o.oid
WHERE p.polcmd <> 'r' AND (
    pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM 'app_is_system()'
    OR pg_get_expr(p.polwithcheck, p.polrelid) IS DISTINCT FROM 'app_is_system()'
) ORDER BY 1"""
"""Policies that let somebody else than Moneta write."""
CROSSING: Final = f"""WITH {_OWNED} SELECT f.conname FROM pg_constraint f
    JOIN owned o ON o.oid = f.conrelid JOIN owned r ON r.oid = f.confrelid
WHERE f.contype = 'f' AND NOT (
    SELECT bool_or(a.attname = 'tenant_id' AND b.attname = 'tenant_id')
        AND (NOT (o.has_mode AND r.has_mode) OR bool_or(a.attname = 'livemode' AND b.attname = 'livemode'))
    FROM unnest(f.conkey, f.confkey) AS k (one, other)
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.one
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.other
) ORDER BY 1"""
"""Foreign keys by which a row may refer to one of another tenant or mode."""
UNTIED: Final = f"""WITH {_OWNED} SELECT o.relname || '.' || a.attname FROM owned o
    JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0
    JOIN owned r ON a.attname IN (regexp_replace(r.relname, 's$', '') || '_id', r.relname || '_id')
WHERE a.attname <> 'tenant_id' AND NOT EXISTS (
    SELECT FROM pg_constraint f WHERE f.conrelid = o.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey)
) ORDER BY 1"""
"""Columns that are named after such a table, and do not refer to it."""
GLOBAL: Final = f"""WITH {_OWNED},
    bound AS (
        -- What refers to a row of a tenant is of that tenant.
        SELECT f.conrelid, k.one FROM pg_constraint f JOIN owned r ON r.oid = f.confrelid,
            LATERAL unnest(f.conkey) AS k (one) JOIN pg_attribute a ON a.attnum = k.one
        WHERE f.contype = 'f' AND a.attrelid = f.conrelid AND a.attname NOT IN ('tenant_id', 'livemode')
            AND a.atttypid = 'uuid'::regtype
    ),
    keys AS (
        SELECT o.relname, o.oid, o.has_mode, c.relname AS index, array_agg(a.attname::text ORDER BY k.place) AS columns,
            array_agg(k.number) AS numbers
        FROM owned o JOIN pg_index i ON i.indrelid = o.oid AND i.indisunique JOIN pg_class c ON c.oid = i.indexrelid,
            LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attnum = k.number
        WHERE a.attrelid = i.indrelid GROUP BY o.relname, o.oid, o.has_mode, c.relname
    )
SELECT k.index FROM keys k
WHERE NOT ('tenant_id' = ANY (k.columns) AND (NOT k.has_mode OR 'livemode' = ANY (k.columns)))
    AND k.columns <> '{{id}}'
    AND NOT EXISTS (SELECT FROM bound b WHERE b.conrelid = k.oid AND b.one = ANY (k.numbers)) ORDER BY 1"""
"""Unique keys by which rows of different tenants or modes may collide."""
OPEN_PARTITIONS: Final = """SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND c.relkind IN ('r', 'p')
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    AND has_table_privilege('moneta_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE') ORDER BY 1"""
"""Partitions that are read past the policies of their table."""
DEFINERS: Final = """SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND (
    NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c (given) WHERE c.given LIKE 'search_path=%pg_temp')
    OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS g WHERE g.grantee = 0)
) ORDER BY 1"""
"""Functions that run with the rights of the owner, and that others could make run something else, or anybody call."""
VIEWS: Final = """SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND (
    c.relkind = 'm' OR c.relkind = 'v'
    AND NOT coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on}'
) ORDER BY 1"""
"""Views that show what their owner sees."""


async def found(owner: Owner, sql: str) -> list[str]:
    """The names that a statement finds."""
    return [row[0] for row in await owner.fetch(sql)]
