-- With the life at its end, the entries of a life are chosen by the index alone.
DROP INDEX journal_entries_portfolio;
CREATE INDEX journal_entries_portfolio ON journal_entries (portfolio_id, created_at DESC, id DESC, life);
