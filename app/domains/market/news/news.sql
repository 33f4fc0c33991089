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

-- name: news
-- All articles, with what they can be found by.
SELECT a.id, a.title, a.summary, a.source, a.author, a.url, a.image_url,
    a.sentiment_score::float8 AS sentiment_score, a.impact, a.symbols_mentioned, a.published_at, a.created_at,
    a.impact / 10 AS impact_decile, a.search,
    CASE WHEN a.sentiment_score >= 0.05 THEN 'positive' WHEN a.sentiment_score <= -0.05 THEN 'negative' ELSE 'neutral'
    END AS sentiment
FROM news_articles a;

-- name: news_mentions
-- Each article once for each token that it mentions, with what it can be found by. OFFSET 0: whatever the filter, a
-- page is read along the mentions, and each of its articles is looked up.
SELECT m.article_id AS id, a.title, a.summary, a.source, a.author, a.url, a.image_url, a.sentiment_score, a.impact,
    a.symbols_mentioned, m.published_at, a.created_at, a.impact_decile, a.sentiment, m.symbol
FROM news_mentions m
CROSS JOIN LATERAL (
    SELECT n.title, n.summary, n.source, n.author, n.url, n.image_url, n.sentiment_score::float8 AS sentiment_score,
        n.impact, n.symbols_mentioned, n.created_at, n.impact / 10 AS impact_decile,
        CASE WHEN n.sentiment_score >= 0.05 THEN 'positive' WHEN n.sentiment_score <= -0.05 THEN 'negative'
            ELSE 'neutral' END AS sentiment
    FROM news_articles n WHERE n.id = m.article_id OFFSET 0
) a;

-- name: news_by_symbol
-- The articles that mention a token, which are looked up as in `news_mentions`.
SELECT m.article_id AS id, a.title, a.summary, a.source, a.author, a.url, a.image_url, a.sentiment_score, a.impact,
    a.symbols_mentioned, m.published_at, a.created_at
FROM news_mentions m
CROSS JOIN LATERAL (
    SELECT n.title, n.summary, n.source, n.author, n.url, n.image_url, n.sentiment_score::float8 AS sentiment_score,
        n.impact, n.symbols_mentioned, n.created_at
    FROM news_articles n WHERE n.id = m.article_id OFFSET 0
) a
WHERE m.symbol = {key::text};

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
