-- name: cached_analysis
-- An analysis that is valid at a time.
SELECT data FROM analysis_cache WHERE symbol = $1 AND analysis_type = $2 AND expires_at > $3;

-- name: cache_analysis
-- Stores an analysis, and replaces an older one.
INSERT INTO analysis_cache AS c (symbol, analysis_type, data, data_quality_score, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (symbol, analysis_type) DO UPDATE SET
    data = excluded.data,
    data_quality_score = excluded.data_quality_score,
    created_at = excluded.created_at,
    expires_at = excluded.expires_at
WHERE c.created_at <= excluded.created_at;

-- name: news_summary
-- Articles that mention a symbol in a period: how many, how many since a time, how many by sentiment, their mean
-- sentiment weighted by impact, the number of sources, and when the newest was published.
SELECT count(*) AS articles,
       count(*) FILTER (WHERE a.published_at > $4) AS articles_24h,
       count(*) FILTER (WHERE a.sentiment_score >= $5::numeric) AS positive,
       count(*) FILTER (WHERE a.sentiment_score > -$5::numeric AND a.sentiment_score < $5::numeric) AS neutral,
       count(*) FILTER (WHERE a.sentiment_score <= -$5::numeric) AS negative,
       (sum(a.sentiment_score * (10 + a.impact)) / sum(10 + a.impact))::float8 AS sentiment,
       count(DISTINCT a.source) AS sources,
       max(a.published_at) AS newest
FROM news_mentions m JOIN news_articles a ON a.id = m.article_id
WHERE m.symbol = $1 AND m.published_at > $2 AND m.published_at <= $3;

-- name: top_news
-- The most important articles that mention a symbol in a period, the newest of equal ones first.
SELECT a.id, a.title, a.source, a.url, a.sentiment_score::float8 AS sentiment, a.impact, a.published_at
FROM news_mentions m JOIN news_articles a ON a.id = m.article_id
WHERE m.symbol = $1 AND m.published_at > $2 AND m.published_at <= $3
ORDER BY a.impact DESC, a.published_at DESC, a.id DESC LIMIT $4;

-- name: news_sentiment
-- The mean sentiment of the articles on a symbol in the period before each of some times, weighted by impact and by
-- half for each day of age; how many there were; and when the newest was published.
SELECT count(n.published_at) AS articles, sum(n.sentiment_score * n.weight) / sum(n.weight) AS sentiment,
       max(n.published_at) AS newest
FROM unnest($2::timestamptz[]) WITH ORDINALITY AS k (at, ord)
LEFT JOIN LATERAL (
    SELECT a.published_at, a.sentiment_score::float8 AS sentiment_score,
           (10 + a.impact) * power(0.5, extract(epoch FROM k.at - a.published_at)::float8 / 86400) AS weight
    FROM news_mentions m JOIN news_articles a ON a.id = m.article_id
    WHERE m.symbol = $1 AND m.published_at > k.at - $3::interval AND m.published_at <= k.at
) n ON true
GROUP BY k.ord ORDER BY k.ord;

-- name: current_run
-- The valid run of a session for a symbol, and the phases that it has completed.
SELECT r.id, r.expires_at,
       ARRAY(SELECT p.phase_number FROM analysis_phases p WHERE p.run_id = r.id ORDER BY p.phase_number) AS completed
FROM analysis_runs r WHERE r.session_id = $1 AND r.symbol = $2 AND r.expires_at > $3;

-- name: delete_expired_run
-- Deletes the expired run of a session for a symbol, with its phases and the position of its stream.
WITH gone AS (
    DELETE FROM analysis_runs WHERE session_id = $1 AND symbol = $2 AND expires_at <= $3 RETURNING id
)
DELETE FROM event_streams USING gone WHERE stream = 'analysis:' || gone.id;

-- name: begin_run
-- Adds a run, unless the session has one for the symbol.
INSERT INTO analysis_runs (user_id, session_id, symbol, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (session_id, symbol) DO NOTHING;

-- name: complete_phase
-- Stores a phase. Returns no row if it was stored before, or the run no longer exists.
INSERT INTO analysis_phases (run_id, user_id, phase_number, phase_data, created_at)
SELECT id, user_id, $2::smallint, $3::jsonb, $4::timestamptz FROM analysis_runs WHERE id = $1
ON CONFLICT (run_id, phase_number) DO NOTHING RETURNING id;

-- name: phases_by_ids
-- Phases with these ids that are the viewer's.
SELECT p.id, p.run_id, r.symbol, p.phase_number, p.phase_data, p.created_at
FROM analysis_phases p JOIN analysis_runs r ON r.id = p.run_id WHERE p.id = ANY($1::uuid[]);

-- name: delete_expired_analyses
-- Deletes expired analyses.
DELETE FROM analysis_cache WHERE expires_at <= $1;

-- name: delete_expired_runs
-- Deletes a batch of expired runs, with their phases and the positions of their streams. Returns how many. Their events
-- are dropped with their partition.
WITH gone AS (
    DELETE FROM analysis_runs WHERE id = ANY (
        ARRAY(SELECT id FROM analysis_runs WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
    ) RETURNING id
), streams AS (
    DELETE FROM event_streams WHERE stream = ANY (ARRAY(SELECT 'analysis:' || id FROM gone))
)
SELECT count(*) FROM gone;
