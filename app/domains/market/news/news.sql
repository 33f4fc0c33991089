-- name: articles_by_ids
-- Articles with these ids, in no order.
SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
    a.sentiment_score::float8 AS sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
FROM news_articles a
WHERE a.id = ANY ($1::uuid[]);

-- name: contents_by_ids
-- The contents of these articles, in no order.
SELECT id, content FROM news_articles WHERE id = ANY ($1::uuid[]);

-- name: tokens_by_articles
-- The tokens that each article mentions, in the order of the first mention; at most 20.
SELECT k.ord, t.id, t.coingecko_id, t.symbol, t.name, t.market_cap_rank, t.image_url, t.ethereum_address,
    t.solana_address, t.is_active, t.created_at, t.updated_at, m.exchange, m.price_usd, m.price_aud, m.volume_24h_usd,
    m.volume_24h_aud, m.change_24h, m.change_percentage_24h, m.market_cap_usd, m.market_cap_aud, m.high_24h, m.low_24h,
    m.last_updated
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
JOIN news_articles a ON a.id = k.key
CROSS JOIN LATERAL unnest(a.symbols_mentioned) WITH ORDINALITY AS s (symbol, place)
JOIN tokens t ON t.symbol = s.symbol
LEFT JOIN LATERAL (
    SELECT d.exchange, d.price_usd, d.price_aud, d.volume_24h_usd, d.volume_24h_aud, d.change_24h,
        d.change_percentage_24h, d.market_cap_usd, d.market_cap_aud, d.high_24h, d.low_24h, d.last_updated
    FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
) m ON true
ORDER BY k.ord, s.place;

-- name: news_page
-- A page of all articles that match the filter, the newest first.
SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
    a.sentiment_score::float8 AS sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
FROM news_articles a
WHERE a.published_at >= coalesce($5::timestamptz, '-infinity')
AND a.published_at < coalesce($6::timestamptz, 'infinity')
AND (a.published_at, a.id) < (coalesce($7::timestamptz, 'infinity'),
    coalesce($8::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
AND a.sentiment_score BETWEEN coalesce($2::numeric, -1) AND coalesce($3::numeric, 1)
AND a.impact >= coalesce($4::integer, 0)
ORDER BY a.published_at DESC, a.id DESC LIMIT $1::integer;

-- name: news_count
-- How many articles match the filter, up to a limit, at which it stops.
SELECT count(*)::integer FROM (
    SELECT FROM news_articles a
    WHERE a.published_at >= coalesce($5::timestamptz, '-infinity')
    AND a.published_at < coalesce($6::timestamptz, 'infinity')
    AND a.sentiment_score BETWEEN coalesce($2::numeric, -1) AND coalesce($3::numeric, 1)
    AND a.impact >= coalesce($4::integer, 0)
    LIMIT $1::integer
) counted;

-- name: news_from_sources
-- A page of the articles of these sources that match the filter, the newest first: an index range each, merged.
SELECT p.id, p.title, p.summary, p.source, p.author, p.url, p.image_url,
    p.sentiment_score::float8 AS sentiment_score, p.impact, p.symbols_mentioned, p.published_at, p.created_at
FROM unnest($2::text[]) AS s (source)
CROSS JOIN LATERAL (
    SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
        a.sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
    FROM news_articles a
    WHERE a.source = s.source
        AND a.published_at >= coalesce($6::timestamptz, '-infinity')
        AND a.published_at < coalesce($7::timestamptz, 'infinity')
        AND (a.published_at, a.id) < (coalesce($8::timestamptz, 'infinity'),
            coalesce($9::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        AND a.sentiment_score BETWEEN coalesce($3::numeric, -1) AND coalesce($4::numeric, 1)
        AND a.impact >= coalesce($5::integer, 0)
    ORDER BY a.published_at DESC, a.id DESC LIMIT $1::integer
) p
ORDER BY p.published_at DESC, p.id DESC LIMIT $1::integer;

-- name: news_from_sources_count
-- How many articles of these sources match the filter, up to a limit.
SELECT count(*)::integer FROM (
    SELECT FROM unnest($2::text[]) AS s (source)
    CROSS JOIN LATERAL (
        SELECT FROM news_articles a
        WHERE a.source = s.source
            AND a.published_at >= coalesce($6::timestamptz, '-infinity')
            AND a.published_at < coalesce($7::timestamptz, 'infinity')
            AND a.sentiment_score BETWEEN coalesce($3::numeric, -1) AND coalesce($4::numeric, 1)
            AND a.impact >= coalesce($5::integer, 0)
        LIMIT $1::integer
    ) n
    LIMIT $1::integer
) counted;

-- name: news_mentioning
-- A page of the articles that mention one of these tokens and match the filter, the newest first: merged index ranges.
SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
    a.sentiment_score::float8 AS sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
FROM (
    SELECT DISTINCT n.published_at, n.article_id
    FROM unnest($2::text[]) AS s (symbol)
    CROSS JOIN LATERAL (
        SELECT m.published_at, m.article_id
        FROM news_mentions m JOIN news_articles a ON a.id = m.article_id
        WHERE m.symbol = s.symbol
            AND m.published_at >= coalesce($7::timestamptz, '-infinity')
            AND m.published_at < coalesce($8::timestamptz, 'infinity')
            AND (m.published_at, m.article_id) < (coalesce($9::timestamptz, 'infinity'),
                coalesce($10::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            AND a.source = ANY (coalesce($3::text[], ARRAY[a.source]))
            AND a.sentiment_score BETWEEN coalesce($4::numeric, -1) AND coalesce($5::numeric, 1)
            AND a.impact >= coalesce($6::integer, 0)
        ORDER BY m.published_at DESC, m.article_id DESC LIMIT $1::integer
    ) n
    ORDER BY n.published_at DESC, n.article_id DESC LIMIT $1::integer
) found
JOIN news_articles a ON a.id = found.article_id
ORDER BY a.published_at DESC, a.id DESC;

-- name: news_mentioning_count
-- How many articles mention one of these tokens and match the filter, up to a limit.
SELECT count(*)::integer FROM (
    SELECT DISTINCT n.article_id
    FROM unnest($2::text[]) AS s (symbol)
    CROSS JOIN LATERAL (
        SELECT m.article_id
        FROM news_mentions m JOIN news_articles a ON a.id = m.article_id
        WHERE m.symbol = s.symbol
            AND m.published_at >= coalesce($7::timestamptz, '-infinity')
            AND m.published_at < coalesce($8::timestamptz, 'infinity')
            AND a.source = ANY (coalesce($3::text[], ARRAY[a.source]))
            AND a.sentiment_score BETWEEN coalesce($4::numeric, -1) AND coalesce($5::numeric, 1)
            AND a.impact >= coalesce($6::integer, 0)
        LIMIT $1::integer
    ) n
    LIMIT $1::integer
) counted;

-- name: news_matching
-- A page of the articles that match a search and the filter, the newest first. Matches of a rare word are sorted; those
-- of a common word are found soon when reading from the newest. Postgres has one plan for all words, so the statement
-- chooses between the two; OFFSET 0 keeps the planner from merging them.
WITH hits AS MATERIALIZED (
    SELECT a.id FROM news_articles a WHERE a.search @@ websearch_to_tsquery('english', $2::text) LIMIT 2001
)
SELECT p.id, p.title, p.summary, p.source, p.author, p.url, p.image_url,
    p.sentiment_score::float8 AS sentiment_score, p.impact, p.symbols_mentioned, p.published_at, p.created_at
FROM (
    (SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
         a.sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
     FROM news_articles a
     WHERE (SELECT count(*) FROM hits) <= 2000
         AND a.id = ANY (ARRAY(SELECT hits.id FROM hits))
         AND a.published_at >= coalesce($8::timestamptz, '-infinity')
         AND a.published_at < coalesce($9::timestamptz, 'infinity')
         AND (a.published_at, a.id) < (coalesce($10::timestamptz, 'infinity'),
             coalesce($11::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
         AND ($3::text[] IS NULL OR a.symbols_mentioned && $3)
         AND a.source = ANY (coalesce($4::text[], ARRAY[a.source]))
         AND a.sentiment_score BETWEEN coalesce($5::numeric, -1) AND coalesce($6::numeric, 1)
         AND a.impact >= coalesce($7::integer, 0)
     ORDER BY a.published_at DESC, a.id DESC LIMIT $1::integer)
    UNION ALL
    (SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
         a.sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
     FROM (
         SELECT n.id, n.title, n.summary, n.source, n.author, n.url, n.image_url, n.sentiment_score, n.impact,
             n.symbols_mentioned, n.published_at, n.created_at, n.search
         FROM news_articles n
         WHERE n.published_at >= coalesce($8::timestamptz, '-infinity')
             AND n.published_at < coalesce($9::timestamptz, 'infinity')
             AND (n.published_at, n.id) < (coalesce($10::timestamptz, 'infinity'),
                 coalesce($11::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
         ORDER BY n.published_at DESC, n.id DESC OFFSET 0
     ) a
     WHERE (SELECT count(*) FROM hits) > 2000
         AND a.search @@ websearch_to_tsquery('english', $2::text)
         AND ($3::text[] IS NULL OR a.symbols_mentioned && $3)
         AND a.source = ANY (coalesce($4::text[], ARRAY[a.source]))
         AND a.sentiment_score BETWEEN coalesce($5::numeric, -1) AND coalesce($6::numeric, 1)
         AND a.impact >= coalesce($7::integer, 0)
     ORDER BY a.published_at DESC, a.id DESC LIMIT $1::integer)
) p
ORDER BY p.published_at DESC, p.id DESC LIMIT $1::integer;

-- name: news_matching_count
-- How many articles match a search and the filter, up to a limit, at which it stops.
SELECT count(*)::integer FROM (
    SELECT FROM news_articles a
    WHERE a.search @@ websearch_to_tsquery('english', $2::text)
        AND a.published_at >= coalesce($8::timestamptz, '-infinity')
        AND a.published_at < coalesce($9::timestamptz, 'infinity')
        AND ($3::text[] IS NULL OR a.symbols_mentioned && $3)
        AND a.source = ANY (coalesce($4::text[], ARRAY[a.source]))
        AND a.sentiment_score BETWEEN coalesce($5::numeric, -1) AND coalesce($6::numeric, 1)
        AND a.impact >= coalesce($7::integer, 0)
    LIMIT $1::integer
) counted;

-- name: news_by_symbols
-- A page of the articles that mention each token, the newest first.
SELECT k.ord, a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
    a.sentiment_score::float8 AS sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT m.published_at, m.article_id FROM news_mentions m
    WHERE m.symbol = k.key
        AND (m.published_at, m.article_id) < (coalesce($3::timestamptz, 'infinity'),
            coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY m.published_at DESC, m.article_id DESC LIMIT $2::integer
) found
JOIN news_articles a ON a.id = found.article_id
ORDER BY k.ord, a.published_at DESC, a.id DESC;

-- name: news_by_symbols_count
-- How many articles mention each token, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM news_mentions m WHERE m.symbol = k.key LIMIT $2::integer) counted
) AS value
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord);

-- name: known_urls
-- Which of these URLs are stored already, and the ids of their articles.
SELECT url, id FROM news_articles WHERE url = ANY ($1::text[]);

-- name: token_names
-- The symbols and names of all tokens, including those that are no longer listed.
SELECT symbol, name FROM tokens ORDER BY symbol;

-- name: insert_articles
-- Stores articles with new URLs, and their mentions. Alerts are not evaluated for articles that are older than $13.
WITH stored AS (
    INSERT INTO news_articles (url, title, source, summary, content, author, image_url, published_at, sentiment_score,
        impact, symbols_mentioned, created_at, alerts_evaluated_at)
    SELECT given.url, given.title, given.source, given.summary, given.content, given.author, given.image_url,
        given.published_at, given.sentiment_score, given.impact, string_to_array(given.symbols, ','), $12::timestamptz,
        CASE WHEN given.published_at < $13::timestamptz THEN $12::timestamptz END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
        $9::numeric[], $10::integer[], $11::text[])
        AS given (url, title, source, summary, content, author, image_url, published_at, sentiment_score, impact,
        symbols)
    ORDER BY given.url
    ON CONFLICT (url) DO NOTHING
    RETURNING id, published_at, symbols_mentioned
), mentioned AS (
    INSERT INTO news_mentions (symbol, published_at, article_id)
    SELECT s.symbol, stored.published_at, stored.id
    FROM stored CROSS JOIN LATERAL unnest(stored.symbols_mentioned) AS s (symbol)
)
SELECT id, published_at FROM stored ORDER BY published_at DESC, id DESC;

-- name: delete_old_articles
-- Deletes a batch of articles that are older than a time.
DELETE FROM news_articles WHERE id = ANY (ARRAY(
    SELECT a.id FROM news_articles a WHERE a.published_at < $1 ORDER BY a.published_at LIMIT $2::integer
));

-- name: feed_states
-- The state of these feeds for their next request.
SELECT source, state FROM market_sources WHERE kind = 'news' AND source = ANY ($1::text[]);

-- name: keep_feed_state
-- Stores the state of a feed for its next request.
UPDATE market_sources SET state = $2::jsonb WHERE source = $1 AND kind = 'news';
