-- name: insert_halt
-- Halts the trading of a user, or in a symbol, or, with neither, in all; returns a row if it was not halted: user,
-- symbol, reason, by whom, time.
INSERT INTO trading_halts (user_id, symbol, reason, halted_by, created_at)
VALUES ($1::uuid, $2::text, $3::text, $4::uuid, $5::timestamptz)
ON CONFLICT (user_id, symbol) DO NOTHING RETURNING true;

-- name: delete_halt
-- Ends a halt; returns a row if there was one: user, symbol.
DELETE FROM trading_halts WHERE user_id IS NOT DISTINCT FROM $1::uuid AND symbol IS NOT DISTINCT FROM $2::text
RETURNING true;

-- name: ask_market
-- Asks the exchange to halt or to resume a symbol, or all: kind, symbol, time.
INSERT INTO exchange_inbox (kind, symbol, created_at) VALUES ($1::text, $2::text, $3::timestamptz);
