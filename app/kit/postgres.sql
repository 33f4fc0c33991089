-- name: role
-- Whom statements run as, whether row-level security binds that role, something that it owns, and whether it may not
-- even see of which revision our tables are.
SELECT
    current_user::text AS name,
    rolsuper OR rolbypassrls AS bypasses,
    coalesce(
        (SELECT 'the database ' || datname FROM pg_database WHERE datdba = r.oid AND datname = current_database()),
        (SELECT 'the schema ' || nspname FROM pg_namespace WHERE nspowner = r.oid LIMIT 1),
        (SELECT 'the table ' || relname FROM pg_class WHERE relowner = r.oid AND relpersistence <> 't' LIMIT 1),
        (SELECT 'the function ' || proname FROM pg_proc WHERE proowner = r.oid LIMIT 1)
    ) AS owned,
    coalesce(NOT has_table_privilege(to_regclass('public.schema_migrations'), 'SELECT'), false) AS is_stranger
FROM pg_roles AS r
WHERE rolname = current_user
