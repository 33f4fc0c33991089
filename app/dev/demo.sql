-- name: delete_candles
-- Deletes an exchange's candles: what a start that was interrupted has left.
DELETE FROM candles WHERE exchange = $1::text;
