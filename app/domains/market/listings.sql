-- name: listings
-- The tokens that are listed, the largest first.
SELECT coingecko_id, symbol, name, market_cap_rank, image_url, ethereum_address, solana_address
FROM tokens
WHERE is_active AND market_cap_rank IS NOT NULL
ORDER BY market_cap_rank, id;

-- name: last_quotes
-- The newest quote of each token at an exchange.
SELECT symbol, last_updated, price_usd, price_aud, volume_24h_usd, volume_24h_aud, change_24h, change_percentage_24h,
    market_cap_usd, market_cap_aud, high_24h, low_24h
FROM market_data
WHERE exchange = $1;
