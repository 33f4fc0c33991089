-- name: lock_unverified
-- Locks an unverified user. Returns when they were last mailed, and whether the network of the request is known.
SELECT u.id, u.email, u.verification_sent_at,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = u.id AND s.source = $2::text::cidr) AS by_source
FROM users u WHERE u.email = $1 AND NOT u.is_verified FOR UPDATE;

-- name: set_verification_token
-- Replaces the token of the verification link.
UPDATE users SET verification_token_hash = $2, verification_token_expires_at = $3, verification_sent_at = $4
WHERE id = $1;

-- name: supersede_otps
-- Invalidates the codes that a new one replaces.
UPDATE otp_codes SET superseded_at = $3
WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND superseded_at IS NULL;

-- name: insert_otp
-- Stores the digest of a new code.
INSERT INTO otp_codes (user_id, email, purpose, code_digest, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: guess_otp
-- Counts a guess, if one is left, and returns the digest to compare. The row lock orders guesses. Some guesses are
-- reserved for networks that the user is known in.
UPDATE otp_codes c SET guesses = guesses + 1
WHERE email = $1 AND purpose = $2 AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $3
  AND guesses < CASE
      WHEN EXISTS (SELECT FROM login_sources s WHERE s.user_id = c.user_id AND s.source = $6::text::cidr)
      THEN $4::integer
      ELSE $5::integer
  END
RETURNING id, user_id, code_digest;

-- name: use_otp
-- Marks a code as used.
UPDATE otp_codes SET used_at = $2 WHERE id = $1;

-- name: lock_verification_token
-- Locks the user of a valid verification link.
SELECT id FROM users WHERE verification_token_hash = $1 AND verification_token_expires_at > $2 FOR UPDATE;

-- name: verify_user
-- Marks a user as verified, and invalidates the link.
UPDATE users SET is_verified = true, verification_token_hash = NULL, verification_token_expires_at = NULL WHERE id = $1;

-- name: delete_old_otps
-- Deletes one-time codes that expired before a moment.
DELETE FROM otp_codes WHERE expires_at < $1;
