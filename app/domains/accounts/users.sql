-- name: users_by_ids
-- The public part of these users, in no order.
SELECT user_id AS id, display_name FROM display_names WHERE user_id = ANY($1::uuid[]);

-- name: accounts_by_ids
-- The accounts of these users.
SELECT id, email, full_name, role, is_verified, national_id_kek_id IS NOT NULL AS has_national_id, created_at
FROM users WHERE id = ANY($1::uuid[]);

-- name: account_by_email
-- The account of an e-mail address.
SELECT id, email, full_name, role, is_verified, national_id_kek_id IS NOT NULL AS has_national_id, created_at
FROM users WHERE email = $1;

-- name: users_by_emails
-- The public part of the users with these e-mail addresses, in no order.
SELECT u.id, n.display_name, u.email
FROM users u JOIN display_names n ON n.user_id = u.id
WHERE u.email = ANY($1::citext[]);

-- name: users
-- All users, with what they can be found by.
SELECT u.id, n.display_name, u.created_at, u.email, u.role, u.is_verified
FROM users u JOIN display_names n ON n.user_id = u.id;

-- name: insert_user
-- Inserts a user, unless the e-mail address is taken.
INSERT INTO users (id, email, password_hash, full_name, role, is_verified,
                   national_id_kek_id, national_id_wrapped_key, national_id_ciphertext, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: user_by_email
-- The credentials of an e-mail address.
SELECT id, email, password_hash, is_verified FROM users WHERE email = $1;

-- name: user_by_id
-- The credentials of a user.
SELECT id, email, password_hash, is_verified FROM users WHERE id = $1;

-- name: users_with_emails
-- The password hashes of these e-mail addresses.
SELECT email, password_hash FROM users WHERE email = ANY ($1::citext[]) ORDER BY email;

-- name: user_exists
-- Whether a user exists.
SELECT EXISTS (SELECT FROM users WHERE id = $1);

-- name: set_role
-- Changes a user's role.
UPDATE users SET role = $2 WHERE id = $1 AND role <> $2;

-- name: make_admin
-- Promotes a user to a verified admin.
UPDATE users SET role = 'admin', is_verified = true WHERE id = $1;

-- name: national_ids_to_rewrap
-- National ids that are not encrypted under the active key.
SELECT id, national_id_kek_id, national_id_wrapped_key, national_id_ciphertext
FROM users WHERE national_id_kek_id <> $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: rewrap_national_ids
-- Stores data keys of national ids, wrapped with another key: its ID, users, data keys.
UPDATE users u SET national_id_kek_id = $1, national_id_wrapped_key = n.wrapped_key
FROM unnest($2::uuid[], $3::bytea[]) AS n (id, wrapped_key) WHERE u.id = n.id;
