-- name: access_code_is_spent
-- Whether a code has been redeemed, before anything costly is done for whoever presents it; no row: there is no such.
SELECT redeemed FROM access_codes WHERE code = $1;

-- name: lock_free_access_code
-- Takes a code for this transaction; a second taker waits here, and then finds it redeemed.
SELECT id FROM access_codes WHERE code = $1 AND NOT redeemed FOR UPDATE;

-- name: redeem_access_code
-- Spends a code.
UPDATE access_codes SET redeemed_by = $2, redeemed_at = $3 WHERE id = $1;

-- name: insert_access_codes
-- Adds codes; those that exist already are left out of the result.
INSERT INTO access_codes (code, created_at) SELECT unnest($1::text[]), $2
ON CONFLICT (code) DO NOTHING RETURNING id, code;

-- name: insert_user
-- Makes a user, unless the e-mail address has one.
INSERT INTO users (id, email, password_hash, full_name, role, is_verified,
                   national_id_kek_id, national_id_wrapped_key, national_id_ciphertext, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: insert_profile
-- Gives a new user a profile and a display name.
WITH profile AS (INSERT INTO profiles (user_id, created_at, updated_at) VALUES ($1, $3, $3))
INSERT INTO display_names (user_id, display_name) VALUES ($1, $2);

-- name: login_candidate
-- Whose account an address is, and whether they have been at this source before or bear one of their sessions.
SELECT u.id, u.email, u.password_hash,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = u.id AND s.source = $2::text::cidr) AS by_source,
       EXISTS (SELECT FROM refresh_tokens r
               WHERE r.token_hash = $3 AND r.user_id = u.id AND r.used_at IS NULL AND r.expires_at > $4) AS by_session
FROM users u WHERE u.email = $1;

-- name: remember_source
-- Notes that a user was at an address, and keeps so many of their addresses, the newest.
WITH forgotten AS (
    DELETE FROM login_sources WHERE user_id = $1 AND source IN (
        SELECT source FROM login_sources WHERE user_id = $1 AND source <> $2::text::cidr
        ORDER BY seen_at DESC, source OFFSET $4::integer - 1 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO login_sources (user_id, source, seen_at) VALUES ($1, $2::text::cidr, $3)
ON CONFLICT (user_id, source) DO UPDATE SET seen_at = excluded.seen_at;

-- name: delete_old_sources
-- Forgets addresses where users have not been since a moment.
DELETE FROM login_sources WHERE seen_at < $1;

-- name: user_by_email
-- Whose account this address is.
SELECT id, email, password_hash, is_verified FROM users WHERE email = $1;

-- name: users_with_emails
-- The accounts of these addresses.
SELECT email, password_hash FROM users WHERE email = ANY ($1::citext[]) ORDER BY email;

-- name: unspent_codes
-- Those of these access codes that somebody could still register with.
SELECT code FROM access_codes WHERE code = ANY ($1::text[]) AND NOT redeemed ORDER BY code;

-- name: user_by_id
-- A user's address and password hash.
SELECT id, email, password_hash, is_verified FROM users WHERE id = $1;

-- name: lock_credentials
-- Holds the password hash that was just checked, so that no session opens on a password that is being changed.
SELECT role, is_verified FROM users WHERE id = $1 AND password_hash = $2 FOR SHARE;

-- name: replace_password
-- Sets a new password hash in place of one that was checked.
UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2;

-- name: set_password
-- Sets a new password hash.
UPDATE users SET password_hash = $2 WHERE id = $1;

-- name: set_role
-- Gives a user another role.
UPDATE users SET role = $2 WHERE id = $1 AND role <> $2;

-- name: make_admin
-- Makes an existing user a verified admin.
UPDATE users SET role = 'admin', is_verified = true WHERE id = $1;

-- name: user_exists
-- Whether there is such a user.
SELECT EXISTS (SELECT FROM users WHERE id = $1);

-- name: national_ids_to_rewrap
-- National ids under another key than the active one.
SELECT id, national_id_kek_id, national_id_wrapped_key, national_id_ciphertext
FROM users WHERE national_id_kek_id <> $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: rewrap_national_id
-- Puts a national id's data key under another key.
UPDATE users SET national_id_kek_id = $2, national_id_wrapped_key = $3 WHERE id = $1;

-- name: lock_unverified
-- A user who still has to verify their address, locked; when they were mailed last, and whether they know the address
-- that asks.
SELECT u.id, u.email, u.verification_sent_at,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = u.id AND s.source = $2::text::cidr) AS by_source
FROM users u WHERE u.email = $1 AND NOT u.is_verified FOR UPDATE;

-- name: set_verification_token
-- Replaces the token of the verification link.
UPDATE users SET verification_token_hash = $2, verification_token_expires_at = $3, verification_sent_at = $4
WHERE id = $1;

-- name: supersede_otps
-- Ends the codes that a new one takes the place of.
UPDATE otp_codes SET superseded_at = $3
WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND superseded_at IS NULL;

-- name: insert_otp
-- Stores the digest of a new code.
INSERT INTO otp_codes (user_id, email, purpose, code_digest, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: guess_otp
-- Counts a guess, as long as there is one left, and gives what to compare it with. The row lock orders guesses. Of all
-- guesses some are for addresses that the user has been at.
UPDATE otp_codes c SET guesses = guesses + 1
WHERE email = $1 AND purpose = $2 AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $3
  AND guesses < CASE
      WHEN EXISTS (SELECT FROM login_sources s WHERE s.user_id = c.user_id AND s.source = $6::text::cidr) THEN $4::integer
      ELSE $5::integer
  END
RETURNING id, user_id, code_digest;

-- name: use_otp
-- Ends a code that was guessed right.
UPDATE otp_codes SET used_at = $2 WHERE id = $1;

-- name: lock_verification_token
-- The user of a verification link that is still good, locked.
SELECT id FROM users WHERE verification_token_hash = $1 AND verification_token_expires_at > $2 FOR UPDATE;

-- name: verify_user
-- Notes that the address is theirs, and ends the link.
UPDATE users SET is_verified = true, verification_token_hash = NULL, verification_token_expires_at = NULL WHERE id = $1;

-- name: insert_session
-- Opens a session.
INSERT INTO sessions (id, user_id, token_hash, expires_at, refresh_expires_at, refreshed_at, ip_address, user_agent,
                      created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $6);

-- name: renew_session
-- Gives a session its next access token; the one before is worth nothing from here on.
UPDATE sessions SET token_hash = $2, expires_at = $3, refresh_expires_at = $4, refreshed_at = $5,
                    ip_address = $6::text::inet, user_agent = $7
WHERE id = $1;

-- name: insert_refresh_token
-- Stores the digest of a session's next refresh token.
INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at, created_at) VALUES ($1, $2, $3, $4, $5);

-- name: lock_session_of_refresh_token
-- The session that a refresh token belongs to, locked before the token is read: a second bearer waits here.
SELECT id, user_id FROM sessions
WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1) FOR UPDATE;

-- name: refresh_token
-- What is known of a refresh token.
SELECT expires_at, used_at FROM refresh_tokens WHERE token_hash = $1;

-- name: use_refresh_token
-- Spends a refresh token.
UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1;

-- name: viewer_of_session
-- The role and state of a session's user.
SELECT role, is_verified FROM users WHERE id = $1;

-- name: session_of_token
-- Who bears an access token whose digest this is; nothing once it has expired or was replaced.
SELECT user_id, session_id, role, is_verified, expires_at FROM session_of_token($1, $2);

-- name: session_expiries
-- When the present access tokens of some sessions end.
SELECT id, expires_at FROM sessions WHERE id = ANY($1::uuid[]);

-- name: delete_session
-- Ends one session of a user.
DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id;

-- name: delete_sessions
-- Ends all sessions of a user but one; in the order of ids, so that two who do this cannot deadlock.
WITH doomed AS (
    SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid ORDER BY id FOR UPDATE
)
DELETE FROM sessions s USING doomed d WHERE s.id = d.id RETURNING s.id;

-- name: lock_reset_links
-- A user and the links that could reset their password now: how many, and when the newest was mailed.
WITH owner AS (SELECT id, email FROM users WHERE email = $1 FOR UPDATE)
SELECT o.id, o.email,
       (SELECT count(*) FROM password_reset_tokens t
        WHERE t.user_id = o.id AND t.used_at IS NULL AND t.expires_at > $3) AS live,
       (SELECT max(t.created_at) FROM password_reset_tokens t
        WHERE t.user_id = o.id AND t.used_at IS NULL AND t.expires_at > $3) AS newest,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = o.id AND s.source = $2::text::cidr) AS by_source
FROM owner o;

-- name: insert_reset_token
-- Stores the digest of a reset link's token. Those before stay good: a stranger who asks for one ends none.
INSERT INTO password_reset_tokens (user_id, token_hash, expires_at, created_at) VALUES ($1, $2, $3, $4);

-- name: reset_token_user
-- Whose password a reset link sets, while the link is good.
SELECT u.id, u.email FROM password_reset_tokens t JOIN users u ON u.id = t.user_id
WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $2;

-- name: use_reset_token
-- Spends a reset link; of two who try only one succeeds.
UPDATE password_reset_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING user_id;

-- name: delete_reset_tokens
-- Ends the reset links of a user.
DELETE FROM password_reset_tokens WHERE user_id = $1 AND used_at IS NULL;

-- name: lock_profile
-- A profile about to be changed.
SELECT p.username, n.display_name, p.avatar_url, p.trading_mode
FROM profiles p JOIN display_names n USING (user_id) WHERE p.user_id = $1 FOR UPDATE;

-- name: lock_username
-- Makes whoever wants the same username wait, until the commit.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.username:' || lower($1::text), 0));

-- name: username_is_taken
-- Whether somebody else has a username, in any spelling.
SELECT EXISTS (SELECT FROM profiles WHERE lower(username) = lower($1) AND user_id <> $2);

-- name: update_profile
-- Writes a profile.
UPDATE profiles SET username = $2, avatar_url = $3, trading_mode = $4 WHERE user_id = $1;

-- name: update_display_name
-- Writes a display name.
UPDATE display_names SET display_name = $2 WHERE user_id = $1 AND display_name <> $2;

-- name: lock_setting_names
-- Makes a user's other new settings wait until the commit, so that their number holds.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.settings:' || $1::text, 0));

-- name: count_other_settings
-- How many settings a user has under other names.
SELECT count(*)::integer FROM user_settings WHERE user_id = $1 AND setting_name <> $2;

-- name: put_setting
-- Writes a setting.
INSERT INTO user_settings (user_id, setting_name, setting_value) VALUES ($1, $2, $3)
ON CONFLICT (user_id, setting_name) DO UPDATE SET setting_value = excluded.setting_value;

-- name: delete_setting
-- Removes a setting.
DELETE FROM user_settings WHERE user_id = $1 AND setting_name = $2;

-- name: insert_auth_log
-- Notes what happened at the door.
INSERT INTO auth_logs (user_id, event_type, ip_address, user_agent, success, error_message, created_at)
VALUES ($1, $2, $3::text::inet, $4, $5, $6, $7);

-- name: delete_old_sessions
-- Forgets sessions that ended before a moment and cannot be refreshed any more.
DELETE FROM sessions WHERE expires_at < $1 AND refresh_expires_at < $2;

-- name: delete_old_otps
-- Forgets one-time codes that expired before a moment.
DELETE FROM otp_codes WHERE expires_at < $1;

-- name: delete_old_reset_tokens
-- Forgets reset links that expired before a moment.
DELETE FROM password_reset_tokens WHERE expires_at < $1;

-- name: delete_old_auth_logs
-- Forgets what happened at the door before a moment.
DELETE FROM auth_logs WHERE created_at < $1;

-- name: audit_extent
-- How far the audit log reaches, and where its chain ends.
SELECT (SELECT count(*) FROM audit_logs), f.seq, f.previous_hash, l.seq, l.hash, c.seq, c.hash
FROM audit_chain c
LEFT JOIN LATERAL (SELECT seq, previous_hash FROM audit_logs ORDER BY seq LIMIT 1) f ON true
LEFT JOIN LATERAL (SELECT seq, hash FROM audit_logs ORDER BY seq DESC LIMIT 1) l ON true;

-- name: audit_anchors
-- Where each month begins in the chain, and whether it is old enough to have been dropped.
SELECT a.month, a.seq, a.previous_hash, a.month + interval '1 month' <= $1::timestamptz - p.retention AS droppable
FROM audit_anchors a CROSS JOIN partitioned_tables p
WHERE p.table_name = 'audit_logs' ORDER BY a.seq;

-- name: audit_break
-- The first entry that was changed, or does not follow from the one before it.
SELECT seq, finding FROM (
    SELECT seq, CASE
        WHEN hash <> audit_row_hash(a) THEN 'edited'
        WHEN seq <> lag(seq) OVER w + 1 THEN 'gap'
        WHEN previous_hash <> lag(hash) OVER w THEN 'unlinked'
    END AS finding
    FROM audit_logs a WINDOW w AS (ORDER BY seq)
) checked
WHERE finding IS NOT NULL ORDER BY seq LIMIT 1;
