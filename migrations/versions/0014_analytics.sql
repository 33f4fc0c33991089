ALTER TABLE profiles ADD COLUMN analytics_enabled boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN profiles.analytics_enabled IS 'Whether user_analytics keeps what the user does. False deletes it.';

CREATE TABLE user_analytics (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    event_type text NOT NULL CHECK (event_type ~ '^[a-z][a-z0-9_.]{0,63}$'),
    event_data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(event_data) = 'object'),
    session_id text CHECK (length(session_id) BETWEEN 1 AND 64),
    source text NOT NULL CHECK (source IN ('client', 'server')),
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 512),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE user_analytics IS 'What users did who have not opted out. Kept for two years, by whole months.';
COMMENT ON COLUMN user_analytics.session_id IS 'What the client calls a visit. No session of ours.';
COMMENT ON COLUMN user_analytics.source IS 'server: Moneta itself recorded it, and no client can claim to have done so.';
COMMENT ON COLUMN user_analytics.ip_address IS 'Emptied after 90 days, as is the user agent.';
CREATE INDEX user_analytics_user ON user_analytics (user_id, created_at DESC, id DESC);
CREATE INDEX user_analytics_user_event ON user_analytics (user_id, event_type, created_at DESC, id DESC);
CREATE INDEX user_analytics_created_at ON user_analytics (created_at);
CREATE INDEX user_analytics_origins ON user_analytics (created_at)
    WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL;

-- How often each type of event happened on a day, without anybody's name. Kept for ever.
CREATE TABLE analytics_counts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day timestamptz NOT NULL CHECK (day = date_trunc('day', day, 'UTC')),
    event_type text NOT NULL,
    source text NOT NULL CHECK (source IN ('client', 'server')),
    events bigint NOT NULL CHECK (events > 0),
    users bigint NOT NULL CHECK (users BETWEEN 1 AND events),
    UNIQUE (day, event_type, source)
);
CREATE INDEX analytics_counts_day ON analytics_counts (day DESC, events DESC, id DESC);
CREATE INDEX analytics_counts_event ON analytics_counts (event_type, day DESC, events DESC, id DESC);

-- The one way into the table. The choice is looked at by the statement that inserts, under a lock: an event is there
-- before its user opts out, and deleted with the others, or never. Null: not recorded.
CREATE FUNCTION record_analytics(
    who uuid, event text, data jsonb, session text, origin text, ip inet, agent text
) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO user_analytics (user_id, event_type, event_data, session_id, source, ip_address, user_agent)
    -- A user who is being deleted in this transaction still has a profile, and no row any more.
    SELECT p.user_id, event, data, session, origin, ip, left(agent, 512)
    FROM profiles p JOIN users u ON u.id = p.user_id
    WHERE p.user_id = who AND p.analytics_enabled FOR SHARE OF p
    RETURNING id
$$;
REVOKE ALL ON FUNCTION record_analytics FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_analytics TO moneta_app;

-- What the product does for a user, in the transaction that does it. Arguments: the type of the event, then the columns
-- that become its data.
CREATE FUNCTION record_action() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- Of one that is deleted by emptying its owner, the owner is in the old row.
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
    now_is jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
    who uuid := coalesce(now_is ->> 'user_id', was ->> 'user_id');
    given text := coalesce(now_is ->> 'ip_address', nullif(current_setting('app.ip', true), ''));
    -- Not where it is used: a planner that knows the value would convert it before the condition.
    ip inet := CASE WHEN pg_input_is_valid(given, 'inet') THEN given::inet END;
    data jsonb;
    scope text;
BEGIN
    IF who IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(jsonb_object_agg(name, (was || now_is) -> name), '{}') INTO data
    FROM unnest(TG_ARGV[1:]) AS given (name);
    scope := app_see_as('on');
    PERFORM record_analytics(
        who, TG_ARGV[0], data, NULL, 'server', ip,
        coalesce(now_is ->> 'user_agent', nullif(current_setting('app.user_agent', true), ''))
    );
    PERFORM app_see_as(scope);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION record_action FROM PUBLIC;

CREATE TRIGGER auth_logs_registered AFTER INSERT ON auth_logs FOR EACH ROW
    WHEN (NEW.success AND NEW.event_type = 'register') EXECUTE FUNCTION record_action('user.registered');
CREATE TRIGGER auth_logs_verified AFTER INSERT ON auth_logs FOR EACH ROW
    WHEN (NEW.success AND NEW.event_type = 'email_verified') EXECUTE FUNCTION record_action('user.verified');
CREATE TRIGGER auth_logs_logged_in AFTER INSERT ON auth_logs FOR EACH ROW
    WHEN (NEW.success AND NEW.event_type = 'login') EXECUTE FUNCTION record_action('user.logged_in');
CREATE TRIGGER auth_logs_logged_out AFTER INSERT ON auth_logs FOR EACH ROW
    WHEN (NEW.success AND NEW.event_type = 'logout') EXECUTE FUNCTION record_action('user.logged_out');
CREATE TRIGGER watchlist_items_added AFTER INSERT ON watchlist_items FOR EACH ROW
    EXECUTE FUNCTION record_action('watchlist.added', 'symbol');
CREATE TRIGGER alerts_created AFTER INSERT ON alerts FOR EACH ROW
    EXECUTE FUNCTION record_action('alert.created', 'symbol', 'alert_type');
-- Not the one that registration makes: nobody did that.
CREATE TRIGGER portfolios_created AFTER INSERT ON portfolios FOR EACH ROW WHEN (NEW.user_id = app_user_id())
    EXECUTE FUNCTION record_action('portfolio.created', 'mode', 'currency');
CREATE TRIGGER portfolios_reset AFTER UPDATE ON portfolios FOR EACH ROW
    WHEN (NEW.life > OLD.life) EXECUTE FUNCTION record_action('portfolio.reset', 'mode', 'currency');
CREATE TRIGGER portfolios_deleted AFTER UPDATE ON portfolios FOR EACH ROW
    WHEN (NEW.status = 'deleted' AND OLD.status <> 'deleted')
    EXECUTE FUNCTION record_action('portfolio.deleted', 'mode', 'currency');

-- Orders are many, and inserted in bulk: what was placed, and cancelled by its user, is recorded with the seal of their
-- changes, each change once. Of a bracket it is the entry.
CREATE FUNCTION record_sealed_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    scope text := app_see_as('on');
BEGIN
    INSERT INTO user_analytics (user_id, event_type, event_data, source, created_at)
    SELECT f.user_id, CASE c.action WHEN 'insert' THEN 'order.placed' ELSE 'order.cancelled' END,
        jsonb_build_object('symbol', o.symbol, 'side', o.side, 'type', o.type), 'server', c.created_at
    FROM order_changes c
    JOIN orders o ON o.id = c.order_id AND o.bracket_role IS DISTINCT FROM 'take_profit'
        AND o.bracket_role IS DISTINCT FROM 'stop_loss'
    JOIN portfolios p ON p.id = c.portfolio_id
    JOIN profiles f ON f.user_id = p.user_id AND f.analytics_enabled
    WHERE c.id > NEW.after_id AND c.id <= NEW.to_id
        AND (c.action = 'insert' OR c.details -> 'new' @> '{"status": "cancelled", "reason": "requested"}')
    FOR SHARE OF f;
    PERFORM app_see_as(scope);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION record_sealed_orders FROM PUBLIC;
CREATE TRIGGER order_seals_recorded AFTER INSERT ON order_seals FOR EACH ROW EXECUTE FUNCTION record_sealed_orders();

CREATE FUNCTION forget_analytics() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    DELETE FROM user_analytics WHERE user_id = NEW.user_id;
    PERFORM app_see_as(before);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION forget_analytics FROM PUBLIC;
CREATE TRIGGER profiles_opted_out AFTER UPDATE ON profiles FOR EACH ROW
    WHEN (OLD.analytics_enabled AND NOT NEW.analytics_enabled) EXECUTE FUNCTION forget_analytics();

ALTER TABLE user_analytics ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_analytics FORCE ROW LEVEL SECURITY;
CREATE POLICY user_analytics_system ON user_analytics USING (app_is_system()) WITH CHECK (app_is_system());
CREATE POLICY user_analytics_owner ON user_analytics FOR SELECT USING (user_id = app_user_id());
ALTER TABLE analytics_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE analytics_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY analytics_counts_system ON analytics_counts USING (app_is_system()) WITH CHECK (app_is_system());
CREATE POLICY analytics_counts_admin ON analytics_counts FOR SELECT USING ((SELECT app_is_admin()));

-- Nothing of what happened is changed but where it came from, and only by an opt-out is anything deleted.
REVOKE ALL ON user_analytics, analytics_counts FROM moneta_app;
GRANT SELECT, INSERT, UPDATE (ip_address, user_agent) ON user_analytics TO moneta_app;
GRANT SELECT, INSERT, UPDATE (events, users) ON analytics_counts TO moneta_app;
GRANT USAGE ON SEQUENCE analytics_counts_id_seq TO moneta_app;

INSERT INTO partitioned_tables VALUES ('user_analytics', interval '2 years');
SELECT maintain_partitions(now());
