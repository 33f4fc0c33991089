-- name: role
-- Whom statements run as, whether row-level security binds that role, and something that it owns.
SELECT
    current_user::text AS name,
    rolsuper OR rolbypassrls AS bypasses,
    coalesce(
        (SELECT 'the database ' || datname FROM pg_database WHERE datdba = r.oid AND datname = current_database()),
        (SELECT 'the schema ' || nspname FROM pg_namespace WHERE nspowner = r.oid LIMIT 1),
        (SELECT 'the table ' || relname FROM pg_class WHERE relowner = r.oid AND relpersistence <> 't' LIMIT 1),
        (SELECT 'the function ' || proname FROM pg_proc WHERE proowner = r.oid LIMIT 1)
    ) AS owned
FROM pg_roles AS r
WHERE rolname = current_user
