-- name: tokens_by_symbols
-- Tokens with these symbols and their newest quotes.
SELECT t.id, t.coingecko_id, t.symbol, t.name, t.market_cap_rank, t.image_url, t.ethereum_address, t.solana_address,
    t.is_active, t.created_at, t.updated_at, m.exchange, m.price_usd, m.price_aud, m.volume_24h_usd, m.volume_24h_aud,
    m.change_24h, m.change_percentage_24h, m.market_cap_usd, m.market_cap_aud, m.high_24h, m.low_24h, m.last_updated
FROM tokens t
LEFT JOIN LATERAL (
    SELECT d.exchange, d.price_usd, d.price_aud, d.volume_24h_usd, d.volume_24h_aud, d.change_24h,
        d.change_percentage_24h, d.market_cap_usd, d.market_cap_aud, d.high_24h, d.low_24h, d.last_updated
    FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
) m ON true
WHERE t.symbol = ANY ($1::text[]);

-- name: tokens_by_coingecko_ids
-- Tokens with these ids at CoinGecko and their newest quotes.
SELECT t.id, t.coingecko_id, t.symbol, t.name, t.market_cap_rank, t.image_url, t.ethereum_address, t.solana_address,
    t.is_active, t.created_at, t.updated_at, m.exchange, m.price_usd, m.price_aud, m.volume_24h_usd, m.volume_24h_aud,
    m.change_24h, m.change_percentage_24h, m.market_cap_usd, m.market_cap_aud, m.high_24h, m.low_24h, m.last_updated
FROM tokens t
LEFT JOIN LATERAL (
    SELECT d.exchange, d.price_usd, d.price_aud, d.volume_24h_usd, d.volume_24h_aud, d.change_24h,
        d.change_percentage_24h, d.market_cap_usd, d.market_cap_aud, d.high_24h, d.low_24h, d.last_updated
    FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
) m ON true
WHERE t.coingecko_id = ANY ($1::text[]);

-- name: token_exists
-- One row if there is a token with this symbol.
SELECT symbol FROM tokens WHERE symbol = $1;

-- name: tokens
-- The tokens that match a search (null: all), with their newest quotes and what they can be sorted by. It reads every
-- token: a few thousand at most. The beginning of a name is enough to sort by, and keeps cursors short.
SELECT t.id, t.coingecko_id, t.symbol, t.name, t.market_cap_rank, t.image_url, t.ethereum_address, t.solana_address,
    t.is_active, t.created_at, t.updated_at, m.exchange, m.price_usd, m.price_aud, m.volume_24h_usd, m.volume_24h_aud,
    m.change_24h, m.change_percentage_24h, m.market_cap_usd, m.market_cap_aud, m.high_24h, m.low_24h, m.last_updated,
    left(lower(t.name), 25) COLLATE "C" AS sort_name, t.symbol COLLATE "C" AS sort_symbol,
    s.distance * 1000000 + coalesce(t.market_cap_rank, 999999) AS relevance
FROM tokens t
CROSS JOIN LATERAL (
    SELECT token_distance(t.symbol, t.name, t.coingecko_id, {search::text}) AS distance
) s
LEFT JOIN LATERAL (
    SELECT d.exchange, d.price_usd, d.price_aud, d.volume_24h_usd, d.volume_24h_aud, d.change_24h,
        d.change_percentage_24h, d.market_cap_usd, d.market_cap_aud, d.high_24h, d.low_24h, d.last_updated
    FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
) m ON true
WHERE s.distance IS NOT NULL;
