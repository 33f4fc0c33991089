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

-- name: tokens_page
-- A page of the tokens that match the filter, in the order $2, such as PRICE DESC. It reads every token: a few thousand
-- at most. The beginning of a name is enough to sort by, and keeps cursors short.
SELECT f.id, f.coingecko_id, f.symbol, f.name, f.market_cap_rank, f.image_url, f.ethereum_address, f.solana_address,
    f.is_active, f.created_at, f.updated_at, f.exchange, f.price_usd, f.price_aud, f.volume_24h_usd, f.volume_24h_aud,
    f.change_24h, f.change_percentage_24h, f.market_cap_usd, f.market_cap_aud, f.high_24h, f.low_24h, f.last_updated,
    $2::text AS sorted_by, k.missing AS sort_missing, k.number AS sort_number, f.sort_text
FROM (SELECT split_part($2::text, ' ', 1) AS field, $2::text LIKE '% DESC' AS descending) o
CROSS JOIN LATERAL (
    SELECT t.id, t.coingecko_id, t.symbol, t.name, t.market_cap_rank, t.image_url, t.ethereum_address,
        t.solana_address, t.is_active, t.created_at, t.updated_at, m.exchange, m.price_usd, m.price_aud,
        m.volume_24h_usd, m.volume_24h_aud, m.change_24h, m.change_percentage_24h, m.market_cap_usd, m.market_cap_aud,
        m.high_24h, m.low_24h, m.last_updated,
        CASE o.field
            WHEN 'RANK' THEN t.market_cap_rank
            WHEN 'MARKET_CAP' THEN m.market_cap_usd
            WHEN 'PRICE' THEN m.price_usd
            WHEN 'VOLUME' THEN m.volume_24h_usd
            WHEN 'CHANGE_24H' THEN m.change_percentage_24h
            WHEN 'RELEVANCE' THEN s.distance * 1000000 + coalesce(t.market_cap_rank, 999999)
            ELSE 0
        END AS value,
        CASE o.field
            WHEN 'NAME' THEN left(lower(t.name), 25)
            WHEN 'SYMBOL' THEN t.symbol
            ELSE ''
        END COLLATE "C" AS sort_text
    FROM tokens t
    CROSS JOIN LATERAL (SELECT token_distance(t.symbol, t.name, t.coingecko_id, $3::text)) AS s (distance)
    LEFT JOIN LATERAL (
        SELECT d.exchange, d.price_usd, d.price_aud, d.volume_24h_usd, d.volume_24h_aud, d.change_24h,
            d.change_percentage_24h, d.market_cap_usd, d.market_cap_aud, d.high_24h, d.low_24h, d.last_updated
        FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
    ) m ON true
    WHERE s.distance IS NOT NULL
      AND ($4::text[] IS NULL OR t.symbol = ANY ($4::text[]))
      AND ($5::boolean IS NULL OR t.is_active = $5::boolean)
      AND ($6::integer IS NULL OR t.market_cap_rank >= $6::integer)
      AND ($7::integer IS NULL OR t.market_cap_rank <= $7::integer)
      AND ($8::numeric IS NULL OR m.price_usd >= $8::numeric)
      AND ($9::numeric IS NULL OR m.price_usd <= $9::numeric)
      AND ($10::numeric IS NULL OR m.market_cap_usd >= $10::numeric)
      AND ($11::numeric IS NULL OR m.volume_24h_usd >= $11::numeric)
      AND ($12::numeric IS NULL OR m.change_percentage_24h >= $12::numeric)
      AND ($13::numeric IS NULL OR m.change_percentage_24h <= $13::numeric)
) f
CROSS JOIN LATERAL (
    SELECT f.value IS NULL AS missing, coalesce(CASE WHEN o.descending THEN -f.value ELSE f.value END, 0) AS number
) k
WHERE $14::text IS NULL
   OR (k.missing, k.number) > ($15::boolean, $16::numeric)
   OR ((k.missing, k.number) = ($15::boolean, $16::numeric)
       AND CASE WHEN f.sort_text = $17::text THEN f.symbol COLLATE "C" > $18::text
                ELSE (f.sort_text > $17::text) <> o.descending END)
ORDER BY k.missing, k.number, CASE WHEN NOT o.descending THEN f.sort_text END,
    CASE WHEN o.descending THEN f.sort_text END DESC, f.symbol COLLATE "C"
LIMIT $1;

-- name: tokens_count
-- How many tokens match the filter, up to a limit. Their order ($2) does not matter.
SELECT count(*) FROM (
    SELECT FROM tokens t
    CROSS JOIN LATERAL (SELECT token_distance(t.symbol, t.name, t.coingecko_id, $3::text)) AS s (distance)
    LEFT JOIN LATERAL (
        SELECT d.price_usd, d.market_cap_usd, d.volume_24h_usd, d.change_percentage_24h
        FROM market_data d WHERE d.symbol = t.symbol ORDER BY d.last_updated DESC LIMIT 1
    ) m ON true
    WHERE s.distance IS NOT NULL AND $2::text IS NOT NULL
      AND ($4::text[] IS NULL OR t.symbol = ANY ($4::text[]))
      AND ($5::boolean IS NULL OR t.is_active = $5::boolean)
      AND ($6::integer IS NULL OR t.market_cap_rank >= $6::integer)
      AND ($7::integer IS NULL OR t.market_cap_rank <= $7::integer)
      AND ($8::numeric IS NULL OR m.price_usd >= $8::numeric)
      AND ($9::numeric IS NULL OR m.price_usd <= $9::numeric)
      AND ($10::numeric IS NULL OR m.market_cap_usd >= $10::numeric)
      AND ($11::numeric IS NULL OR m.volume_24h_usd >= $11::numeric)
      AND ($12::numeric IS NULL OR m.change_percentage_24h >= $12::numeric)
      AND ($13::numeric IS NULL OR m.change_percentage_24h <= $13::numeric)
    LIMIT $1
) counted;
