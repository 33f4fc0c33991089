-- Addresses, IPv6 ones as the /64 that counts as one, that a user has registered, logged in or reset a password from.
-- The newest few of each user: see services/devices.py.
CREATE TABLE login_sources (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source cidr NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, source)
);
CREATE INDEX login_sources_seen_at ON login_sources (seen_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON login_sources TO moneta_app;
ALTER TABLE login_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_sources FORCE ROW LEVEL SECURITY;
-- Nobody else's business, not even the user's: sessions and the auth log show them where they were.
CREATE POLICY login_sources_system ON login_sources USING (app_is_system()) WITH CHECK (app_is_system());
