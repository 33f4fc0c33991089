-- name: delete_candles
-- Deletes the candles of an exchange, which an interrupted start may have left.
DELETE FROM candles WHERE exchange = $1::text;
