-- name: candles_by_token
-- Candles of a token at the exchange that currently quotes it.
SELECT symbol, exchange, interval, opened_at, open, high, low, close, volume_usd
FROM candles
WHERE symbol = {key::text} AND interval = {interval::text}
  AND exchange = (
      SELECT m.exchange FROM market_data m WHERE m.symbol = {key::text} ORDER BY m.last_updated DESC LIMIT 1
  );

-- name: latest_candles
-- The newest candles of each symbol at the exchange that currently quotes it, oldest first.
SELECT page.symbol, page.exchange, page.interval, page.opened_at, page.open, page.high, page.low, page.close,
    page.volume_usd
FROM unnest($1::text[]) AS k (symbol)
CROSS JOIN LATERAL (
    SELECT m.exchange FROM market_data m WHERE m.symbol = k.symbol ORDER BY m.last_updated DESC LIMIT 1
) quoted
CROSS JOIN LATERAL (
    SELECT c.symbol, c.exchange, c.interval, c.opened_at, c.open, c.high, c.low, c.close, c.volume_usd
    FROM candles c
    WHERE c.symbol = k.symbol AND c.exchange = quoted.exchange AND c.interval = $2::text
    ORDER BY c.opened_at DESC LIMIT $3::bigint
) page
ORDER BY page.symbol, page.opened_at;

-- name: prices_by_token
-- Price samples of a token at the exchange that currently quotes it.
SELECT symbol, exchange, price_usd, price_aud, volume_24h_usd, timestamp
FROM price_history
WHERE symbol = {key::text}
  AND exchange = (
      SELECT m.exchange FROM market_data m WHERE m.symbol = {key::text} ORDER BY m.last_updated DESC LIMIT 1
  );

-- name: make_partitions
-- Creates the partitions of a table for the months of a period, as far back as its rows are kept.
SELECT make_partitions($1::text, $2::timestamptz, $3::timestamptz);

-- name: history_kept
-- The first time for which a table can have a partition, and the last: the present.
SELECT date_trunc('month', now() - coalesce(retention, interval '3 years'), 'UTC'), present_moment()
FROM partitioned_tables WHERE table_name = $1::text;

-- name: lock_history
-- Lets one transaction at a time write the candles of an exchange.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.candles.' || $1::text, 0));

-- name: candles_exist
-- Whether a symbol has a candle of this exchange and interval in its period: symbols, exchange, interval, firsts,
-- lasts.
SELECT EXISTS (
    SELECT 1 FROM unnest($1::text[], $4::timestamptz[], $5::timestamptz[]) AS k (symbol, first, last)
    CROSS JOIN LATERAL (
        SELECT 1 FROM candles c
        WHERE c.symbol = k.symbol AND c.exchange = $2::text AND c.interval = $3::text
            AND c.opened_at BETWEEN k.first AND k.last
        LIMIT 1
    ) found
);

-- name: put_candles
-- Stores candles, and replaces those of the same time.
INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)
SELECT k.symbol, k.exchange, k.interval, k.opened_at, k.open, k.high, k.low, k.close, k.volume_usd
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[]
) AS k (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)
ON CONFLICT (symbol, exchange, interval, opened_at) DO UPDATE
SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    volume_usd = excluded.volume_usd
WHERE (candles.open, candles.high, candles.low, candles.close, candles.volume_usd)
    IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume_usd);

-- name: roll_up_candles
-- Rolls up candles into longer ones: symbols, exchange, the shorter interval, the longer, its length, from, until.
INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)
SELECT made.symbol, $2::text, $4::text, made.bin, made.opens[1], made.high, made.low,
    made.closes[array_length(made.closes, 1)], made.volume_usd
FROM (
    -- Both in the order of the index: neither needs a sort of its own.
    SELECT c.symbol, date_bin($5::interval, c.opened_at, '1970-01-01 00:00+00') AS bin,
        array_agg(c.open ORDER BY c.opened_at) AS opens, max(c.high) AS high, min(c.low) AS low,
        array_agg(c.close ORDER BY c.opened_at) AS closes, sum(c.volume_usd) AS volume_usd
    FROM candles c
    WHERE c.symbol = ANY ($1::text[]) AND c.exchange = $2::text AND c.interval = $3::text
        AND c.opened_at >= $6::timestamptz AND c.opened_at < $7::timestamptz
    GROUP BY c.symbol, bin
) made
ON CONFLICT (symbol, exchange, interval, opened_at) DO UPDATE
SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    volume_usd = excluded.volume_usd
WHERE (candles.open, candles.high, candles.low, candles.close, candles.volume_usd)
    IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume_usd);

-- name: put_prices
-- Stores a sample of each quote, none in the future: symbols, exchange, prices in both currencies, volumes, times.
INSERT INTO price_history (symbol, exchange, price_usd, price_aud, volume_24h_usd, timestamp)
SELECT k.symbol, $2::text, k.price_usd, k.price_aud, k.volume_24h_usd, least(k.at, (SELECT present_moment()))
FROM unnest($1::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::timestamptz[])
    AS k (symbol, price_usd, price_aud, volume_24h_usd, at)
ON CONFLICT (symbol, exchange, timestamp) DO NOTHING;

-- name: quoted_symbols
-- The symbols of the listed tokens, largest first.
SELECT symbol FROM tokens WHERE is_active ORDER BY market_cap_rank NULLS LAST, id LIMIT $1::bigint;

-- name: all_symbols
-- The symbols of all tokens, listed or not.
SELECT symbol FROM tokens;

-- name: last_quotes
-- The newest quote of each token at an exchange.
SELECT symbol, last_updated AS at, price_usd, price_aud, volume_24h_usd, volume_24h_aud, change_24h,
    change_percentage_24h, market_cap_usd, market_cap_aud, high_24h, low_24h
FROM market_data
WHERE exchange = $1;

-- name: lock_quotes
-- The prices of symbols at an exchange before a tick, locked in the order of the symbols.
SELECT symbol, price_usd, last_updated FROM market_data
WHERE exchange = $1::text AND symbol = ANY ($2::text[])
ORDER BY symbol FOR NO KEY UPDATE;

-- name: expire_quotes
-- Marks quotes as older than any: they were stored in the future, and nothing would be newer until then.
UPDATE market_data SET last_updated = '-infinity' WHERE exchange = $1::text AND symbol = ANY ($2::text[]);

-- name: put_quotes
-- Stores quotes as the newest of their tokens at an exchange, unless they are older, and returns the stored ones. None
-- is in the future: nothing would be newer until then.
INSERT INTO market_data (symbol, exchange, price_usd, price_aud, volume_24h_usd, volume_24h_aud, change_24h,
    change_percentage_24h, market_cap_usd, market_cap_aud, high_24h, low_24h, last_updated)
SELECT t.symbol, $1::text, k.price_usd, k.price_aud, k.volume_24h_usd, k.volume_24h_aud, k.change_24h,
    k.change_percentage_24h, k.market_cap_usd, k.market_cap_aud, k.high_24h, k.low_24h,
    least(k.at, (SELECT present_moment()))
FROM unnest($2::text[], $3::timestamptz[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[])
    AS k (symbol, at, price_usd, price_aud, volume_24h_usd, volume_24h_aud, change_24h, change_percentage_24h,
        market_cap_usd, market_cap_aud, high_24h, low_24h)
JOIN tokens t ON t.symbol = k.symbol
ORDER BY t.symbol
ON CONFLICT (symbol, exchange) DO UPDATE
SET price_usd = excluded.price_usd, price_aud = excluded.price_aud, volume_24h_usd = excluded.volume_24h_usd,
    volume_24h_aud = excluded.volume_24h_aud, change_24h = excluded.change_24h,
    change_percentage_24h = excluded.change_percentage_24h, market_cap_usd = excluded.market_cap_usd,
    market_cap_aud = excluded.market_cap_aud, high_24h = excluded.high_24h, low_24h = excluded.low_24h,
    last_updated = excluded.last_updated
WHERE market_data.last_updated < excluded.last_updated
RETURNING symbol, price_usd;

-- name: day_of_candles
-- The first, highest and lowest price and the volume since a time, from the hourly candles of an exchange.
SELECT (array_agg(c.open ORDER BY c.opened_at))[1] AS open, max(c.high) AS high, min(c.low) AS low,
    sum(c.volume_usd) AS volume_usd, c.symbol
FROM candles c
WHERE c.symbol = ANY ($1::text[]) AND c.exchange = $2::text AND c.interval = '1h' AND c.opened_at >= $3::timestamptz
GROUP BY c.symbol;
