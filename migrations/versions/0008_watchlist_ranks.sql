-- Where an item stands among the others of its list. A rank is changed by moving its own item and by nothing else, so
-- that a page may go on behind it whatever was moved or removed meanwhile; `position` was counted anew each time.
--
-- The release before this one goes by `position` and knows no rank. Both may run at once: items that it adds get the
-- next rank by default, items that we add the next position. Until it is gone a move is seen by its own release only.
-- `position` can be dropped by a migration once it is.

CREATE SEQUENCE watchlist_ranks AS integer START WITH 1000000;
GRANT USAGE ON SEQUENCE watchlist_ranks TO moneta_app;
COMMENT ON SEQUENCE watchlist_ranks IS 'Behind every rank and position there is; those of before count from 0.';

ALTER TABLE watchlist_items ADD COLUMN rank numeric;
-- Policies bind the owner as well. Not a change of type, which would write the table anew: whoever has a snapshot open
-- would find it empty.
SELECT set_config('app.system', 'on', true);
UPDATE watchlist_items SET rank = position;
-- The foreign keys' checks of these rows are due, and with them pending no table can be changed.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT set_config('app.system', '', true);
ALTER TABLE watchlist_items
    ALTER COLUMN rank SET NOT NULL,
    ALTER COLUMN rank SET DEFAULT nextval('watchlist_ranks'),
    ALTER COLUMN position SET DEFAULT nextval('watchlist_ranks'),
    ADD CONSTRAINT watchlist_items_user_id_rank_key UNIQUE (user_id, rank);
COMMENT ON COLUMN watchlist_items.rank IS 'The owner''s own order. A number between any two others can be found.';
COMMENT ON COLUMN watchlist_items.position IS 'The order of the release before ranks; nobody else reads it.';
