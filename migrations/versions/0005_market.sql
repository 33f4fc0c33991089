-- What the market is, is public: tokens, prices, candles, news, analyses. Watchlists, alerts, notifications and the runs
-- of an analysis are their owner's. A token is known by its symbol, which is unique among the tokens that are listed.
--
-- Prices have 12 decimals where money has 8: at 8, a token of 0.00000812 dollars would move in steps of a tenth of a
-- per cent, and its candles and indicators would show the rounding.

-- Partitions of the past, for what is imported. Never before the table's retention, never more than 3 years at once.
-- SECURITY DEFINER: the application may ask for it but cannot create a table itself.
CREATE FUNCTION make_partitions(of_table text, since timestamptz, until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    kept interval;
    month timestamptz;
    partition text;
    created integer := 0;
BEGIN
    SELECT retention INTO STRICT kept FROM partitioned_tables WHERE table_name = of_table;
    month := date_trunc('month', greatest(since, now() - coalesce(kept, interval '3 years')));
    IF until > month + interval '3 years' THEN
        RAISE EXCEPTION 'partitions for more than 3 years at once';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('moneta.partitions'));
    WHILE month <= until LOOP
        partition := format('%s_%s', of_table, to_char(month, 'YYYY_MM'));
        IF to_regclass(partition) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                partition, of_table, month, month + interval '1 month'
            );
            EXECUTE format('REVOKE ALL ON %I FROM moneta_app', partition);
            created := created + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN created;
END
$$;
REVOKE ALL ON FUNCTION make_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partitions TO moneta_app;

-- Tokens ----------------------------------------------------------------------------------------------------------

CREATE TABLE tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    coingecko_id text NOT NULL UNIQUE CHECK (length(coingecko_id) BETWEEN 1 AND 100),
    symbol text NOT NULL UNIQUE CHECK (symbol = upper(btrim(symbol)) AND length(symbol) BETWEEN 1 AND 20),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    market_cap_rank integer CHECK (market_cap_rank > 0),
    image_url text CHECK (length(image_url) <= 2048),
    ethereum_address text,
    solana_address text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN tokens.is_active IS 'Whether the provider still lists it.';
COMMENT ON COLUMN tokens.market_cap_rank IS '1 is the largest. Null: not listed any more.';
CREATE INDEX tokens_market_cap_rank ON tokens (market_cap_rank, id);
CREATE INDEX tokens_is_active ON tokens (is_active);
CREATE INDEX tokens_updated_at ON tokens (updated_at);
CREATE INDEX tokens_symbol_prefix ON tokens (symbol text_pattern_ops);
CREATE INDEX tokens_search ON tokens USING gin (
    lower(name) gin_trgm_ops, lower(symbol) gin_trgm_ops, lower(coingecko_id) gin_trgm_ops
);
-- How far a token is from what somebody searches, given in lower case: 0 its symbol, 1 its name or id, 2 it or a word of
-- its name begins so, from 3 on it looks alike, mistyped perhaps; null: it is not meant. No search fits all alike.
CREATE FUNCTION token_distance(symbol text, name text, coingecko_id text, search text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN search IS NULL OR lower(symbol) = search THEN 0
        WHEN search IN (lower(name), lower(coingecko_id)) THEN 1
        WHEN starts_with(lower(symbol), search) OR starts_with(lower(name), search)
            OR starts_with(lower(coingecko_id), search) OR strpos(lower(name), ' ' || search) > 0 THEN 2
        WHEN greatest(
            similarity(lower(symbol), search), similarity(lower(name), search), similarity(lower(coingecko_id), search)
        ) >= 0.3 OR word_similarity(search, lower(name)) >= 0.6 THEN 103 - round(100 * greatest(
            similarity(lower(symbol), search), similarity(lower(name), search), similarity(lower(coingecko_id), search),
            word_similarity(search, lower(name))
        ))::integer
    END
$$;
CREATE TRIGGER tokens_updated_at BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The newest quote of each token at each exchange. Every tick rewrites it: no index but the key and one that summarises
-- by block range, so that an update touches nothing else (HOT).
CREATE TABLE market_data (
    symbol text NOT NULL REFERENCES tokens (symbol) ON UPDATE CASCADE ON DELETE CASCADE,
    exchange text NOT NULL DEFAULT 'coingecko' CHECK (length(exchange) BETWEEN 1 AND 40),
    price_usd numeric(24, 12) NOT NULL CHECK (price_usd > 0),
    price_aud numeric(24, 12) NOT NULL CHECK (price_aud > 0),
    volume_24h_usd numeric(24, 2) CHECK (volume_24h_usd >= 0),
    volume_24h_aud numeric(24, 2) CHECK (volume_24h_aud >= 0),
    change_24h numeric(24, 12),
    change_percentage_24h numeric(10, 4),
    market_cap_usd numeric(24, 2) CHECK (market_cap_usd >= 0),
    market_cap_aud numeric(24, 2) CHECK (market_cap_aud >= 0),
    high_24h numeric(24, 12),
    low_24h numeric(24, 12),
    last_updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, exchange)
) WITH (fillfactor = 50);
COMMENT ON COLUMN market_data.exchange IS 'Who says so: `simulated`, `coingecko`, `coinmarketcap`.';
COMMENT ON COLUMN market_data.change_24h IS 'In dollars; change_percentage_24h in per cent.';
CREATE INDEX market_data_last_updated ON market_data USING brin (last_updated);

-- Who supplies what, and how that goes: one row for each provider and what it gives, or for each feed.
CREATE TABLE market_sources (
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 2048),
    kind text NOT NULL CHECK (kind IN ('prices', 'tokens', 'social', 'derivatives', 'defi', 'news')),
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_failure text,
    accepted bigint NOT NULL DEFAULT 0 CHECK (accepted >= 0),
    ignored jsonb NOT NULL DEFAULT '{}',
    state jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, kind)
);
COMMENT ON COLUMN market_sources.ignored IS 'How many values were not believed, by reason.';
COMMENT ON COLUMN market_sources.state IS 'What the next request needs to know, such as the ETag of a feed.';

-- Prices over time -------------------------------------------------------------------------------------------------

CREATE TABLE price_history (
    symbol text NOT NULL,
    exchange text NOT NULL DEFAULT 'coingecko',
    price_usd numeric(24, 12) NOT NULL CHECK (price_usd > 0),
    price_aud numeric(24, 12) NOT NULL CHECK (price_aud > 0),
    volume_24h_usd numeric(24, 2),
    timestamp timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, exchange, timestamp)
) PARTITION BY RANGE (timestamp);
COMMENT ON TABLE price_history IS 'A sample of each quote a minute. No row-level security: COPY fills it.';

CREATE TABLE candles (
    symbol text NOT NULL,
    exchange text NOT NULL,
    interval text NOT NULL CHECK (interval IN ('1m', '5m', '1h', '1d')),
    opened_at timestamptz NOT NULL,
    open numeric(24, 12) NOT NULL CHECK (open > 0),
    high numeric(24, 12) NOT NULL,
    low numeric(24, 12) NOT NULL CHECK (low > 0),
    close numeric(24, 12) NOT NULL CHECK (close > 0),
    volume_usd numeric(24, 2) NOT NULL DEFAULT 0 CHECK (volume_usd >= 0),
    PRIMARY KEY (symbol, exchange, interval, opened_at),
    CONSTRAINT candles_range CHECK (high >= greatest(open, close) AND low <= least(open, close))
) PARTITION BY RANGE (opened_at);
COMMENT ON TABLE candles IS
    'Prices in dollars. A 5m, 1h or 1d candle is made of the next shorter ones. No row-level security: COPY fills it.';

-- News -------------------------------------------------------------------------------------------------------------

CREATE TABLE news_articles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    content text CHECK (length(content) <= 100000),
    summary text CHECK (length(summary) <= 5000),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    author text CHECK (length(author) <= 200),
    url text NOT NULL UNIQUE CHECK (length(url) BETWEEN 1 AND 2048),
    image_url text CHECK (length(image_url) <= 2048),
    sentiment_score numeric(3, 2) NOT NULL DEFAULT 0 CHECK (sentiment_score BETWEEN -1 AND 1),
    impact smallint NOT NULL DEFAULT 0 CHECK (impact BETWEEN 0 AND 100),
    symbols_mentioned text[] NOT NULL DEFAULT '{}',
    published_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    alerts_evaluated_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', coalesce(summary, '')), 'B')
        || setweight(to_tsvector('english', left(coalesce(content, ''), 20000)), 'C')
    ) STORED
);
COMMENT ON COLUMN news_articles.impact IS '0 to 100: how strongly worded, and how widely it matters.';
COMMENT ON COLUMN news_articles.alerts_evaluated_at IS 'When the alerts on news were asked about it, once; null: not yet.';
CREATE INDEX news_articles_published_at ON news_articles (published_at DESC, id DESC);
CREATE INDEX news_articles_symbols ON news_articles USING gin (symbols_mentioned);
CREATE INDEX news_articles_sentiment ON news_articles (sentiment_score DESC NULLS LAST);
CREATE INDEX news_articles_source ON news_articles (source, published_at DESC, id DESC);
CREATE INDEX news_articles_search ON news_articles USING gin (search);
CREATE INDEX news_articles_alerts ON news_articles (created_at) WHERE alerts_evaluated_at IS NULL;

-- The news of a token in the order of time: the index on the array gives no order.
CREATE TABLE news_mentions (
    symbol text NOT NULL,
    published_at timestamptz NOT NULL,
    article_id uuid NOT NULL REFERENCES news_articles (id) ON DELETE CASCADE,
    PRIMARY KEY (symbol, published_at, article_id)
);
CREATE INDEX news_mentions_article_id ON news_mentions (article_id);

-- Analyses ---------------------------------------------------------------------------------------------------------

CREATE TABLE analysis_cache (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    symbol text NOT NULL,
    analysis_type text NOT NULL CHECK (analysis_type IN (
        'research', 'market-data', 'technical', 'sentiment', 'news',
        'on-chain', 'predictions', 'risk', 'derivatives', 'defi'
    )),
    data jsonb NOT NULL,
    data_quality_score integer NOT NULL CHECK (data_quality_score BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    UNIQUE (symbol, analysis_type),
    CONSTRAINT analysis_cache_expires CHECK (expires_at > created_at)
);
CREATE INDEX analysis_cache_expires_at ON analysis_cache (expires_at);
CREATE INDEX analysis_cache_type ON analysis_cache (analysis_type);

-- One progressive analysis: a session asks for a symbol, and gets four phases within the hour.
CREATE TABLE analysis_runs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id text NOT NULL CHECK (length(session_id) BETWEEN 1 AND 100),
    symbol text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 hour',
    UNIQUE (session_id, symbol)
);
CREATE INDEX analysis_runs_user_id ON analysis_runs (user_id);
CREATE INDEX analysis_runs_expires_at ON analysis_runs (expires_at);

CREATE TABLE analysis_phases (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id uuid NOT NULL REFERENCES analysis_runs (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phase_number smallint NOT NULL CHECK (phase_number BETWEEN 1 AND 4),
    phase_data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (run_id, phase_number)
);
CREATE INDEX analysis_phases_user_id ON analysis_phases (user_id);

-- What an analysis of the chain sums: its blocks since a moment.
CREATE INDEX blocks_timestamp ON blocks (timestamp);

-- Watchlists -------------------------------------------------------------------------------------------------------

CREATE TABLE watchlist_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    symbol text NOT NULL REFERENCES tokens (symbol) ON UPDATE CASCADE ON DELETE CASCADE,
    notes text CHECK (length(notes) <= 2000),
    position integer NOT NULL CHECK (position >= 0),
    added_at timestamptz NOT NULL DEFAULT now(),
    last_viewed_at timestamptz,
    UNIQUE (user_id, symbol),
    UNIQUE (user_id, position) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON COLUMN watchlist_items.position IS 'The owner''s own order, from 0 without gaps.';
CREATE INDEX watchlist_items_symbol ON watchlist_items (symbol);
CREATE INDEX watchlist_items_added_at ON watchlist_items (user_id, added_at DESC);

-- Alerts -----------------------------------------------------------------------------------------------------------

CREATE TABLE alerts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    symbol text NOT NULL REFERENCES tokens (symbol) ON UPDATE CASCADE ON DELETE CASCADE,
    alert_type text NOT NULL CHECK (alert_type IN (
        'price_above', 'price_below', 'volume_spike', 'technical_indicator',
        'sentiment_change', 'whale_tx', 'news_impact'
    )),
    threshold_value numeric(24, 12) NOT NULL,
    -- The threshold once more, so that an index can be searched by it: row-level security lets nothing be asked of a row
    -- before its policy but by operators that leak nothing, and those of numeric are not declared so.
    threshold_level float8 NOT NULL GENERATED ALWAYS AS (threshold_value::float8) STORED,
    condition_details jsonb NOT NULL DEFAULT '{}',
    rearm text NOT NULL DEFAULT 'once' CHECK (rearm IN ('once', 'every_time', 'after_cooldown')),
    cooldown_s integer CHECK (cooldown_s BETWEEN 1 AND 31536000),
    enabled boolean NOT NULL DEFAULT true,
    triggered boolean NOT NULL DEFAULT false,
    triggered_at timestamptz,
    trigger_count integer NOT NULL DEFAULT 0 CHECK (trigger_count >= 0),
    current_value numeric(24, 12),
    armed_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    is_armed boolean NOT NULL GENERATED ALWAYS AS (enabled AND (NOT triggered OR rearm <> 'once')) STORED,
    CONSTRAINT alerts_price_threshold CHECK (alert_type NOT IN ('price_above', 'price_below') OR threshold_value > 0),
    CONSTRAINT alerts_cooldown CHECK ((rearm = 'after_cooldown') = (cooldown_s IS NOT NULL)),
    CONSTRAINT alerts_triggered CHECK (triggered = (triggered_at IS NOT NULL) AND triggered = (trigger_count > 0))
);
COMMENT ON COLUMN alerts.current_value IS 'What was measured when it last fired; null before.';
COMMENT ON COLUMN alerts.armed_at IS 'When its owner armed it last: made it, changed it, or enabled it again.';
COMMENT ON COLUMN alerts.triggered IS 'Whether it has fired since it was last armed by its owner.';
COMMENT ON COLUMN alerts.is_armed IS 'Whether it may fire, but for its expiry and its cooldown.';
CREATE INDEX alerts_user ON alerts (user_id, created_at DESC, id DESC);
CREATE INDEX alerts_user_armed ON alerts (user_id) WHERE is_armed;
CREATE INDEX alerts_triggered ON alerts (user_id, triggered_at DESC) WHERE triggered;
-- The index that a tick's crossings are found in: a range scan between the price before and the price now.
CREATE INDEX alerts_crossings ON alerts (symbol, alert_type, threshold_level) WHERE is_armed;
CREATE INDEX alerts_type ON alerts (alert_type, symbol) WHERE is_armed
    AND alert_type NOT IN ('price_above', 'price_below');
CREATE INDEX alerts_expires_at ON alerts (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER alerts_updated_at BEFORE UPDATE ON alerts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- How far each kind of alert has been evaluated: what was measured last. It moves in the transaction that fires, so that
-- a crossing is found once, whoever looks, and none is lost with a worker.
CREATE TABLE alert_marks (
    kind text NOT NULL,
    subject text NOT NULL,
    value numeric,
    basis text NOT NULL DEFAULT '',
    position bigint,
    at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
) WITH (fillfactor = 50);
COMMENT ON COLUMN alert_marks.basis IS
    'Whose word the value is: an exchange, or the sources of a mood. It is compared with no value of another basis.';

-- Notifications ----------------------------------------------------------------------------------------------------

CREATE TABLE notifications (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type text NOT NULL CHECK (type IN ('alert', 'system')),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    message text NOT NULL CHECK (length(message) <= 2000),
    data jsonb NOT NULL DEFAULT '{}',
    alert_id uuid,
    read boolean NOT NULL DEFAULT false,
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at),
    CONSTRAINT notifications_read CHECK (read = (read_at IS NOT NULL))
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN notifications.alert_id IS 'The alert that fired, which may be deleted by now; null for other news.';
CREATE INDEX notifications_user ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX notifications_unread ON notifications (user_id, created_at DESC, id DESC) WHERE NOT read;

-- Who sees what ----------------------------------------------------------------------------------------------------

ALTER TABLE watchlist_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE watchlist_items FORCE ROW LEVEL SECURITY;
CREATE POLICY watchlist_items_owner ON watchlist_items
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY alerts_owner ON alerts
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());
ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY notifications_owner ON notifications
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());
ALTER TABLE analysis_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE analysis_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY analysis_runs_owner ON analysis_runs
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());
ALTER TABLE analysis_phases ENABLE ROW LEVEL SECURITY;
ALTER TABLE analysis_phases FORCE ROW LEVEL SECURITY;
CREATE POLICY analysis_phases_owner ON analysis_phases
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());

-- What everybody may read, Moneta alone writes.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tokens', 'market_data', 'market_sources', 'news_articles', 'news_mentions', 'analysis_cache',
        'alert_marks']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (true)', name || '_read', name);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
END
$$;

INSERT INTO partitioned_tables VALUES
    ('price_history', interval '2 years'), ('candles', interval '2 years'), ('notifications', interval '6 months');
SELECT maintain_partitions(now());
