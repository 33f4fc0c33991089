-- Indexes for what lists are sorted and filtered by. Reads go on while they are built; writes to the table wait for one
-- to four seconds for each index and million rows, in one transaction. CONCURRENTLY would need none, and leave an invalid
-- index behind where it fails.

-- Transactions, by time, by amount, and between two wallets. Those that failed are few, and are found among themselves.
CREATE INDEX transactions_timestamp ON transactions (timestamp DESC, transaction_hash DESC);
CREATE INDEX transactions_amount ON transactions (amount DESC, transaction_hash DESC);
CREATE INDEX transactions_counterparty
    ON transactions (sender_wallet_id, recipient_wallet_id, timestamp DESC, transaction_hash DESC);
CREATE INDEX transactions_failed ON transactions (timestamp DESC, transaction_hash DESC) WHERE status = 'failed';

CREATE INDEX transactions_failed_amount ON transactions (amount DESC, transaction_hash DESC) WHERE status = 'failed';
CREATE INDEX transactions_pending ON transactions (timestamp DESC, transaction_hash DESC) WHERE status = 'pending';
CREATE INDEX transactions_pending_amount ON transactions (amount DESC, transaction_hash DESC) WHERE status = 'pending';

CREATE INDEX auth_logs_user_type ON auth_logs (user_id, event_type, created_at DESC, id DESC);
CREATE INDEX auth_logs_user_failed ON auth_logs (user_id, created_at DESC, id DESC) WHERE NOT success;
CREATE INDEX users_verified ON users (is_verified, created_at DESC, id DESC);
CREATE INDEX users_admins ON users (created_at DESC, id DESC) WHERE role = 'admin';
CREATE INDEX notifications_user_type ON notifications (user_id, type, created_at DESC, id DESC);

CREATE INDEX news_articles_mood ON news_articles (
    (CASE WHEN sentiment_score >= 0.05 THEN 'positive' WHEN sentiment_score <= -0.05 THEN 'negative' ELSE 'neutral' END),
    published_at DESC, id DESC
);
CREATE INDEX news_articles_impact ON news_articles (impact DESC, published_at DESC, id DESC);
CREATE INDEX news_articles_source_impact ON news_articles (source, impact DESC, published_at DESC, id DESC);
CREATE INDEX news_articles_mood_impact ON news_articles (
    (CASE WHEN sentiment_score >= 0.05 THEN 'positive' WHEN sentiment_score <= -0.05 THEN 'negative' ELSE 'neutral' END),
    impact DESC, published_at DESC, id DESC
);
