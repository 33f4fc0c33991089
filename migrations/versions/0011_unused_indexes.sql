-- Indexes that no statement uses, apart from those they are replaced by: each lock is held for a moment only.
-- What those of the lists replace.
DROP INDEX users_is_verified, auth_logs_event_type, auth_logs_failed, news_articles_sentiment;
-- What no statement uses. Codes are found by their user, tokens by reading all of them (a few thousand), balances and
-- tiers by their owner; the log of changes is read in order. Blocks are never deleted.
DROP INDEX
    wallet_balances_balance, otp_codes_email, otp_codes_code, profiles_subscription, audit_logs_action,
    audit_logs_resource, audit_logs_user, analysis_cache_type, tokens_search, tokens_symbol_prefix, tokens_updated_at,
    tokens_is_active, watchlist_items_added_at, transactions_block_id, wallet_keys_kek_id,
    news_articles_alerts;
