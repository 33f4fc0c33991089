-- name: listings
-- The listed tokens, the largest first.
SELECT coingecko_id, symbol, name, market_cap_rank, image_url, ethereum_address, solana_address
FROM tokens
WHERE is_active AND market_cap_rank IS NOT NULL
ORDER BY market_cap_rank, id;

-- name: lock_listing
-- Lets one transaction at a time refresh the tokens.
SELECT pg_advisory_xact_lock(hashtext('moneta.tokens'));

-- name: stored_listings
-- All tokens, listed or not.
SELECT id, coingecko_id, symbol, name, coalesce(market_cap_rank, 0) AS market_cap_rank, image_url, ethereum_address,
    solana_address, is_active
FROM tokens
ORDER BY id;

-- name: retire_tokens
-- Marks tokens as no longer listed, with the symbols that they keep.
UPDATE tokens t
SET is_active = false, market_cap_rank = NULL, symbol = g.symbol
FROM unnest($1::uuid[], $2::text[]) AS g (id, symbol)
WHERE t.id = g.id;

-- name: free_symbols
-- Replaces the symbols of tokens that get another, so that two tokens can swap theirs.
UPDATE tokens t
SET symbol = '~' || upper(left(replace(t.id::text, '-', ''), 19))
FROM unnest($1::uuid[], $2::text[]) AS g (id, symbol)
WHERE t.id = g.id AND t.symbol <> g.symbol;

-- name: free_ids
-- Replaces the ids of tokens that get another, so that two tokens can swap theirs.
UPDATE tokens t
SET coingecko_id = '~' || t.id::text
FROM unnest($1::uuid[], $2::text[]) AS g (id, coingecko_id)
WHERE t.id = g.id AND t.coingecko_id <> g.coingecko_id;

-- name: change_tokens
-- Updates stored tokens from a list.
UPDATE tokens t
SET coingecko_id = g.coingecko_id, symbol = g.symbol, name = g.name, market_cap_rank = g.market_cap_rank,
    image_url = g.image_url, ethereum_address = g.ethereum_address, solana_address = g.solana_address, is_active = true
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[])
    AS g (id, coingecko_id, symbol, name, market_cap_rank, image_url, ethereum_address, solana_address)
WHERE t.id = g.id;

-- name: add_tokens
-- Adds tokens that are listed for the first time.
INSERT INTO tokens (
    coingecko_id, symbol, name, market_cap_rank, image_url, ethereum_address, solana_address, created_at, updated_at
)
SELECT g.coingecko_id, g.symbol, g.name, g.market_cap_rank, g.image_url, g.ethereum_address, g.solana_address, $8, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])
    AS g (coingecko_id, symbol, name, market_cap_rank, image_url, ethereum_address, solana_address);
