"""250,000 rows in each table that grows and has a list: some values are frequent, some are rare."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.databases import Owner
from tests.plans.campaign_filling import campaign_fills
from tests.plans.ids import HASH, ID, USER
from tests.plans.tenancy_filling import tenancy_fills
from tests.whole import WHOLE

ROWS: Final = 1_000_000 if WHOLE else 250_000
SPREAD: Final = 1_000_000 // ROWS
"""Fewer rows are further from each other: all tables go back as far, and have as many partitions."""
OTHERS: Final = ROWS // 25
"""Users, wallets and portfolios besides the busy ones. Postgres plans for the average, which is the same then."""
ORDERS: Final = 100_000
# Users, miners, sources and symbols that have a large part of the rows.
BUSY: Final = 1
MEMPOOL: Final = 5_000
# Lists that are bounded for each user.
ALERTS, WATCHED, BENEFICIARIES, PORTFOLIOS = 500, 200, 500, 50


def entry(number: int) -> int:
    """The id of an entry of the journal, which says its month."""
    at = _NEWEST_ENTRY - (ROWS - number) * _ENTRY_GAP
    return (((at.year - 1970) * 12 + at.month - 1) << 40) + number


def user(number: int) -> str:
    """The id of a user."""
    return f"{number:032}"


def wallet(number: int) -> str:
    """The SQL of a wallet's id, which is the fingerprint of its key."""
    return f"encode(sha256('{number}'), 'hex')"


_SERIES: Final = f"FROM generate_series(1, {ROWS}) n"
_ENTRY_GAP: Final = timedelta(seconds=7) * SPREAD
_NEWEST_ENTRY: Final = datetime.now(UTC)
_AGO: Final = f"now() - ({ROWS} - n) * {SPREAD} * interval"
_TENTH_AGO: Final = f"now() - ({ROWS // 10} - n) * {SPREAD} * interval"
# One in three belongs to the busy one, the rest to many.
_SHARED: Final = f"CASE WHEN n % 3 = 0 THEN 1 ELSE n * 7919::bigint % {OTHERS} + 2 END"
# What is bounded by its owner: one in five, which is more than a request may read.
_OWNED: Final = f"CASE WHEN n % 5 = 0 THEN 1 ELSE n * 7919::bigint % {OTHERS} + 2 END"
_WALLET: Final = "encode(sha256(({})::text::bytea), 'hex')"

FILLS: Final = {
    "users": f"""
INSERT INTO users (id, email, password_hash, full_name, role, is_verified, created_at)
SELECT {USER.format("n")}, CASE WHEN n % 100000 = 7 THEN 'rare' ELSE 'user' END || n || '@example.com', 'x', 'x',
    CASE WHEN n % 50000 = 0 THEN 'admin' ELSE 'user' END, n % 1000 <> 0, {_AGO} '1 minute' {_SERIES}""",
    "display_names": f"INSERT INTO display_names (user_id, display_name) SELECT {USER.format('n')}, 'x' {_SERIES}",
    "auth_logs": f"""
INSERT INTO auth_logs (id, user_id, event_type, ip_address, success, error_message, created_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)},
    CASE WHEN n % 100000 = 0 THEN 'role_changed' WHEN n % 2 = 0 THEN 'session_refreshed' ELSE 'login' END,
    '10.0.0.1', n % 30000 <> 3, CASE WHEN n % 30000 = 3 THEN 'x' END, {_AGO} '5 seconds' {_SERIES}""",
    "notifications": f"""
SELECT make_partitions('notifications', now() - interval '5 months', now());
INSERT INTO notifications (id, user_id, type, title, message, read, read_at, created_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)}, CASE WHEN n % 30000 = 3 THEN 'system' ELSE 'alert' END, 'x', 'x',
    n % 30000 <> 6, CASE WHEN n % 30000 <> 6 THEN now() END, {_AGO} '12 seconds' {_SERIES}""",
    "wallets": f"""
INSERT INTO wallets (wallet_id, user_id, public_key, custody)
SELECT encode(sha256(n::text::bytea), 'hex'), {USER.format("n")}, n::text::bytea, 'external'
FROM generate_series(1, 50000) n ORDER BY 1;
INSERT INTO wallet_balances (wallet_id, user_id, balance)
SELECT wallet_id, user_id, 1 FROM wallets ORDER BY wallet_id;
INSERT INTO wallet_keys (wallet_id, user_id, kek_id, wrapped_key, ciphertext)
SELECT wallet_id, user_id, 'k' || ascii(wallet_id) % 3, '', '' FROM wallets ORDER BY wallet_id LIMIT 10000""",
    "blocks": f"""
INSERT INTO blocks (id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes)
SELECT {ID.format("n")}, n - 1, {HASH.format("n")}, {HASH.format("n - 1")}, 1, repeat('0', 64), {_AGO} '10 seconds',
    8, 0, {_WALLET.format("CASE WHEN n % 100000 = 7 THEN 2 WHEN n % 2 = 0 THEN 1 ELSE n % 40 + 3 END")},
    500, 0, 1, 400 {_SERIES}""",
    "transactions": f"""
INSERT INTO transactions (id, transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, timestamp,
    signature, encoding, size_bytes, status, failure_reason, block_id, block_height, block_position)
SELECT {ID.format("n")}, {HASH.format("n")},
    CASE WHEN n % 20 = 1 THEN NULL
        ELSE {_WALLET.format(f"CASE WHEN n % 100 = 0 THEN 1 ELSE n * 7919::bigint % {OTHERS} + 2 END")} END,
    {_WALLET.format(f"CASE WHEN n % 150 = 0 THEN 1 ELSE n * 104729::bigint % {OTHERS} + 2 END")},
    round(exp(n * 7919::bigint % 1000 / 100.0)::numeric, 2) + n % 97 * 0.01, n % 100 * 0.0001, {_AGO} '10 seconds',
    CASE WHEN n % 20 <> 1 THEN ''::bytea END, '', 400, s.status, CASE s.status WHEN 'failed' THEN 'x' END,
    CASE s.status WHEN 'confirmed' THEN {ID.format("n")} END, CASE s.status WHEN 'confirmed' THEN n END,
    CASE s.status WHEN 'confirmed' THEN 0 END
FROM generate_series(1, {ROWS}) n CROSS JOIN LATERAL (
    SELECT CASE WHEN n > {ROWS - MEMPOOL} THEN 'pending' WHEN n % 10000 = 5 THEN 'failed' ELSE 'confirmed' END AS status
) s""",
    "utxos": f"""
INSERT INTO utxos (id, transaction_hash, output_index, wallet_id, amount, is_coinbase, is_change, block_height,
    spent_in_tx_hash, spent_input_index)
SELECT {ID.format("n")}, {HASH.format("n")}, 0,
    {_WALLET.format(f"CASE WHEN n % 60 = 0 THEN 1 ELSE n * 7919::bigint % {OTHERS} + 2 END")},
    round(exp(n * 7919::bigint % 1000 / 100.0)::numeric, 2), n % 20 = 1, n % 7 = 0,
    CASE WHEN n <= {ROWS - MEMPOOL} THEN n END,
    CASE WHEN n / 20 % 2 = 0 AND n <= {ROWS - 2 * MEMPOOL} THEN {HASH.format("n + 3")} END,
    CASE WHEN n / 20 % 2 = 0 AND n <= {ROWS - 2 * MEMPOOL} THEN 0 END {_SERIES}""",
    "news_articles": f"""
ALTER TABLE news_articles ALTER COLUMN search DROP EXPRESSION;
INSERT INTO news_articles (id, title, source, url, sentiment_score, impact, symbols_mentioned, published_at,
    created_at, alerts_evaluated_at, search)
SELECT {ID.format("n")}, 'x',
    CASE WHEN n % 100000 = 0 THEN 'Rare' WHEN n % 3 = 0 THEN 'Busy' ELSE 'Paper ' || n % 40 END,
    'https://news.example/' || lpad(n::text, 9, '0'), CASE WHEN n % 50000 = 8 THEN -0.5 ELSE n % 2 * 0.5 END,
    CASE WHEN n % 100000 = 9 THEN 95 ELSE n / 11 % 60 END,
    ARRAY[CASE WHEN n % 100000 = 11 THEN 'RARE' WHEN n / 7 % 2 = 0 THEN 'T1' ELSE 'T' || n % 240 + 2 END],
    {_AGO} '30 seconds', {_AGO} '30 seconds', CASE WHEN n <= {ROWS - 1000} THEN now() END,
    CASE WHEN n % 100000 = 13 THEN '''unicorn'':1'::tsvector ELSE '''bitcoin'':1 ''halv'':2'::tsvector END {_SERIES};
INSERT INTO news_mentions SELECT symbols_mentioned[1], published_at, id FROM news_articles ORDER BY 1, 2, 3""",
    "tokens": """
INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)
SELECT 'id' || n, 'T' || n, 'Token ' || n, n FROM generate_series(1, 5000) n;
INSERT INTO market_data (symbol, exchange, price_usd, price_aud, market_cap_usd)
SELECT 'T' || n, 'simulated', 1, 1, n FROM generate_series(1, 5000) n""",
    "candles": f"""
SELECT make_partitions('candles', now() - interval '4 months', now());
SELECT make_partitions('price_history', now() - interval '4 months', now());
INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close)
SELECT 'T' || n / {ROWS // 8} + 1, 'simulated', '1m', now() - (n % {ROWS // 8}) * {SPREAD} * interval '1 minute',
    1, 1, 1, 1
FROM generate_series(0, {ROWS} - 1) n;
INSERT INTO price_history (symbol, exchange, timestamp, price_usd, price_aud)
SELECT symbol, exchange, opened_at, 1, 1 FROM candles""",
    "alerts": f"""
INSERT INTO alerts (id, user_id, symbol, alert_type, threshold_value, triggered, triggered_at, trigger_count,
    created_at, expires_at)
SELECT {ID.format("n")}, {USER.format(f"n / {ALERTS} + 1")}, 'T' || n % 200 + 1,
    (ARRAY['price_above', 'price_below', 'price_above', 'whale_tx'])[n % 4 + 1], 1 + n % 977, n % 10 = 0,
    CASE WHEN n % 10 = 0 THEN now() END, (n % 10 = 0)::integer, {_AGO} '1 minute',
    CASE WHEN n % 50 = 0 THEN now() + n * interval '1 minute' END
FROM generate_series(0, {ROWS // 5}) n""",
    "watchlist_items": f"""
INSERT INTO watchlist_items (id, user_id, symbol, position, rank)
SELECT {ID.format("n")}, {USER.format(f"n / {WATCHED} + 1")}, 'T' || n % {WATCHED} + 1, n % {WATCHED}, n % {WATCHED}
FROM generate_series(0, {ROWS // 10}) n""",
    "beneficiaries": f"""
INSERT INTO beneficiaries (id, user_id, beneficiary_wallet_id, nickname, created_at)
SELECT {ID.format("n")}, {USER.format(f"n / {BENEFICIARIES} + 1")}, {_WALLET.format(f"n % {BENEFICIARIES} + 1")},
    'Friend ' || n, {_AGO} '1 minute' FROM generate_series(0, {ROWS // 10}) n""",
    "portfolios": f"""
INSERT INTO portfolios (id, user_id, mode, currency, initial_balance, life, created_at)
SELECT {USER.format("n")}, {USER.format(f"(n - 1) / {PORTFOLIOS} + 1")},
    CASE n % 9 WHEN 0 THEN 'live' ELSE 'paper' END,
    CASE n % 3 WHEN 0 THEN 'AUD' ELSE 'USD' END, 0, 2, now() - n * interval '1 minute' FROM generate_series(1, 50000) n;
INSERT INTO cash_balances (portfolio_id, balance) SELECT id, 1 FROM portfolios ORDER BY id;
INSERT INTO positions (portfolio_id, symbol, quantity)
SELECT {USER.format(f"n / {WATCHED} + 1")}, 'T' || n % {WATCHED} + 1, n % 3 FROM generate_series(0, {ROWS // 10}) n""",
    "journal_entries": f"""
SELECT make_partitions('journal_entries', now() - interval '3 months', now());
ALTER TABLE journal_entries ENABLE ALWAYS TRIGGER journal_entries_month;
INSERT INTO journal_entries (kind, portfolio_id, life, fill_id, created_at)
SELECT CASE WHEN n % 30000 = 3 THEN 'correction' WHEN n % 3000 = 6 THEN 'deposit' ELSE 'fill' END,
    {USER.format(_SHARED)}, CASE WHEN n < 500 THEN 1 ELSE 2 END,
    CASE WHEN n % 30000 <> 3 AND n % 3000 <> 6 THEN {ID.format("n")} END,
    timestamptz '{_NEWEST_ENTRY}' - ({ROWS} - n) * interval '{_ENTRY_GAP.seconds} seconds' {_SERIES};
SELECT make_partitions('journal_lines', now() - interval '3 months', now());
INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount, created_at)
SELECT e.id, l.n, l.account, e.portfolio_id, 'USD', l.amount, e.created_at
FROM journal_entries e, (VALUES (1, 'cash', 1), (2, 'external', -1)) AS l (n, account, amount)
WHERE e.id % (1::bigint << 40) % 10 = 0""",
    "lots": f"""
INSERT INTO lots (id, portfolio_id, life, symbol, quantity, remaining, cost, remaining_cost, acquired_at)
SELECT {ID.format("n")}, {USER.format(_OWNED)}, 2, 'T' || CASE WHEN n % 1100 = 0 THEN 999 ELSE n % 7 + 1 END, 1,
    CASE WHEN n % 2200 = 0 THEN 0 ELSE 1 END, 0, 0, {_AGO} '7 seconds' {_SERIES};
INSERT INTO disposals (lot_id, portfolio_id, life, symbol, quantity, cost, proceeds, pnl, acquired_at,
    disposed_at)
SELECT id, portfolio_id, life, symbol, 1, 0, 0, 0, acquired_at, acquired_at FROM lots ORDER BY number""",
    # One in fifty is open, one in 30,000 was rejected.
    "orders": f"""
INSERT INTO orders (id, portfolio_id, life, symbol, side, type, quantity, price, maker_fee_fraction,
    taker_fee_fraction, filled_quantity, filled_quote, status, reason, mode, client_order_id, bracket_id, bracket_role,
    priority, created_at, updated_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)}, 1, 'T' || CASE WHEN n % 1100 = 0 THEN 999 ELSE n % 7 + 1 END,
    CASE WHEN n % 2 = 0 THEN 'buy' ELSE 'sell' END, CASE WHEN n % 900 = 3 THEN 'stop_limit' ELSE 'limit' END, 1,
    100 + n % 977, 0, 0, 0, 0,
    CASE WHEN n % 30000 = 3 THEN 'rejected' WHEN n % 50 = 0 THEN 'pending' ELSE 'filled' END, NULL, 'paper', n::text,
    CASE WHEN n % 4 = 0 THEN {ID.format("n / 12")} END, CASE WHEN n % 4 = 0 THEN 'entry' END, n, o.at, o.at
FROM generate_series(1, {ORDERS}) n, LATERAL (SELECT now() - ({ORDERS} - n) * interval '70 seconds' AS at) o;
SELECT make_partitions('fills', now() - interval '3 months', now());
INSERT INTO fills (id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee,
    liquidity, quote_bid, quote_ask, quote_at, currency, entry_id, created_at)
SELECT id, id, CASE WHEN priority % 10 = 0 THEN {ID.format("1")} ELSE id END, portfolio_id, life, symbol, side, 1,
    price, price, 0, 'taker', 1, 1, created_at, 'USD', priority, created_at FROM orders ORDER BY priority;
INSERT INTO trading_halts (user_id, symbol, created_at)
SELECT CASE WHEN n % 100 <> 0 THEN {USER.format("n")} END, CASE WHEN n % 100 = 0 THEN 'T' || n END,
    now() - n * interval '1 minute' FROM generate_series(1, {ROWS // 50}) n;
INSERT INTO exchange_inbox (number, kind, symbol, created_at)
SELECT CASE WHEN n < {ROWS // 10} - 50 THEN n END, 'halt', 'T1', now() - ({ROWS // 10} - n) * interval '30 ms'
FROM generate_series(1, {ROWS // 10}) n""",
    # A user has fifty accounts, and one of them a third of all comparisons, of which the first has a third of all
    # differences.
    "exchange_accounts": f"""
INSERT INTO exchange_accounts (id, user_id, exchange, label, status, created_at)
SELECT {USER.format("n")}, {USER.format(f"(n - 1) / {PORTFOLIOS} + 1")}, 'binance', 'x',
    CASE n % 9 WHEN 0 THEN 'disconnected' ELSE 'connected' END, now() - n * interval '1 minute'
FROM generate_series(1, 50000) n;
INSERT INTO reconciliations (id, account_id, status, created_at)
SELECT {USER.format("n")}, {USER.format(_SHARED.replace("n % 3 = 0", "n % 3 = 1"))},
    CASE WHEN n % 300 = 1 THEN 'different' ELSE 'equal' END,
    {_TENTH_AGO} '70 seconds' FROM generate_series(1, {ROWS // 10}) n;
INSERT INTO reconciliation_differences (reconciliation_id, account_id, number, kind, subject)
SELECT r.id, r.account_id, n, 'balance', 'USDT' FROM generate_series(1, {ROWS // 10}) n, reconciliations r
WHERE r.id = {USER.format(_SHARED)}""",
    # A user has fifty bots, and one of them a third of all signals.
    "trading_bots": f"""
INSERT INTO trading_bots (id, user_id, portfolio_id, name, strategy, config, target_symbols, status, started_at,
    created_at)
SELECT {USER.format("n")}, {USER.format(f"(n - 1) / {PORTFOLIOS} + 1")}, {USER.format("n")}, 'x',
    CASE n % 9 WHEN 0 THEN 'grid' ELSE 'dca' END, '{{}}', '{{T1}}',
    CASE n % 3 WHEN 0 THEN 'active' ELSE 'paused' END, now(), now() - n * interval '1 minute'
FROM generate_series(1, 50000) n;
SELECT make_partitions('trading_signals', now() - interval '3 months', now());
INSERT INTO trading_signals (id, bot_id, symbol, signal_type, confidence, price, reasoning, execution_status,
    candle_closed_at, created_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)}, 'T' || CASE WHEN n % 1100 = 0 THEN 999 ELSE n % 7 + 1 END,
    CASE WHEN n % 300 = 3 THEN 'SELL' ELSE 'BUY' END, 50, 1, 'x',
    CASE WHEN n % 300 = 6 THEN 'FAILED' ELSE 'EXECUTED' END, o.at, o.at
FROM generate_series(1, {ROWS // 10}) n, LATERAL (SELECT {_TENTH_AGO} '70 seconds' AS at) o;
INSERT INTO bot_entries (id, bracket_id, bot_id, symbol, signal_id, signal_at, opened_at, closed_at)
SELECT id, id, bot_id, symbol, id, created_at, created_at, created_at
FROM trading_signals;
UPDATE bot_entries SET closed_at = NULL WHERE right(id::text, 2) = '07';
UPDATE orders SET bot_id = portfolio_id WHERE priority % 2 = 0""",
    # A user has three in a minute at most: a third are of one.
    "backtests": f"""
INSERT INTO backtests (id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier,
    status, candles_total, report, created_at, finished_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)}, 'T' || CASE WHEN n % 1100 = 0 THEN 999 ELSE n % 7 + 1 END, '1h', 'x',
    now() - interval '1 day', now(), 'dca', '{{}}', 1, 'free', s.status, 1,
    CASE s.status WHEN 'completed' THEN '{{}}'::jsonb END, o.at, CASE WHEN s.status <> 'running' THEN o.at END
FROM generate_series(1, {ROWS // 10}) n,
    LATERAL (SELECT {_TENTH_AGO} '70 seconds' AS at) o,
    LATERAL (
        SELECT CASE WHEN n % 300 = 6 THEN 'failed' WHEN n % 30000 = 9 THEN 'running' ELSE 'completed' END AS status
    ) s;
INSERT INTO backtest_trades (backtest_id, user_id, number, opened_at, closed_at, quantity, cost_usd, proceeds_usd,
    pnl_usd, average_price_usd, exit)
SELECT CASE WHEN n % 2 = 0 THEN {ID.format("1")} ELSE {ID.format("n")} END, {USER.format(_SHARED)}, n, now(), now(),
    1, 1, 1, 0, 1, 'signal'
FROM generate_series(1, {ROWS // 10}) n;
INSERT INTO backtest_sweeps (id, user_id, symbol, interval, exchange, since, until, strategy, bot, axes,
    initial_cash_usd, tier, status, runs_done, runs_total, candles, created_at, finished_at)
SELECT id, user_id, symbol, interval, exchange, since, until, strategy, bot, '[]', 1, tier, status, 1, 1, 1, created_at,
    finished_at FROM backtests;
INSERT INTO backtest_sweep_runs (sweep_id, user_id, number, settings, train, train_return, train_drawdown, test_return)
SELECT {ID.format("n / 500 + 1")}, {USER.format(1)}, n, '{{}}', '{{}}', n % 977, n % 91, n % 97
FROM generate_series(1, {ROWS // 10}) n""",
    "user_analytics": f"""
SELECT make_partitions('user_analytics', now() - interval '3 months', now());
INSERT INTO user_analytics (id, user_id, event_type, source, ip_address, created_at)
SELECT {ID.format("n")}, {USER.format(_SHARED)},
    CASE WHEN n % 30000 = 3 THEN 'portfolio.reset' WHEN n % 2 = 0 THEN 'order.placed' ELSE 'page.opened' END,
    CASE WHEN n % 2 = 0 THEN 'server' ELSE 'client' END,
    CASE WHEN n > {ROWS - 1000} THEN '10.0.0.1'::inet END,
    {_AGO} '7 seconds' {_SERIES};
INSERT INTO analytics_counts (day, event_type, source, events, users)
SELECT now() - n / 200 * interval '1 day', CASE WHEN n % 30000 = 3 THEN 'rare' ELSE 'type.' || n % 200 END,
    'client', 1 + n % 97, 1 FROM generate_series(0, {ROWS // 10}) n""",
    "system_setting_changes": f"""
INSERT INTO system_setting_changes (key, value_before, value_after, changed_at)
SELECT CASE WHEN n % 30000 = 3 THEN 'supported_tokens' ELSE 'max_file_upload_size' END,
    CASE WHEN n % 30000 = 3 THEN '["SOL"]' ELSE '2048' END::jsonb,
    CASE WHEN n % 30000 = 3 THEN '["BTC"]' ELSE '4096' END::jsonb,
    now() - n * interval '1 minute' FROM generate_series(0, {ROWS // 10}) n""",
    "portfolio_value_history": f"""
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed)
SELECT {USER.format(_SHARED)}, CASE WHEN n % 2 = 0 THEN '1h' ELSE '1m' END,
    {_AGO} '7 seconds', 1, 1, 1, 1 {_SERIES}""",
    # A portfolio has two years of days, each with 24 metrics.
    "performance_metrics": f"""
INSERT INTO performance_metrics (portfolio_id, period, period_start, period_end, metric_type, value, life, is_final,
    computed_at)
SELECT {USER.format("1 + n / 730")}, 'day', d.day, d.day + interval '1 day',
    m.types[1 + k % array_length(m.types, 1)] || CASE WHEN k < array_length(m.types, 1) THEN '' ELSE k::text END, k, 1,
    n % 730 > 0, d.day + interval '1 day'
FROM generate_series(0, {ROWS} / 24) n, generate_series(0, 23) k,
    (SELECT ARRAY['gain', 'opening_value', 'closing_value', 'sharpe']) AS m (types),
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - n % 730 * interval '1 day') AS d (day)""",
    "others": f"""
INSERT INTO sessions (id, user_id, token_hash, expires_at, refresh_expires_at, refreshed_at, created_at)
SELECT {ID.format("n")}, {USER.format("n / 20 + 1")}, {HASH.format("n")}, now() + interval '1 hour',
    now() + interval '1 day', now(), {_AGO} '2 seconds' FROM generate_series(0, {ROWS // 10}) n;
INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at)
SELECT token_hash, id, user_id, refresh_expires_at FROM sessions;
INSERT INTO access_codes (id, code, redeemed_at, redeemer_deleted, created_at)
SELECT {ID.format("n")}, 'CODE' || lpad(n::text, 9, '0'), CASE WHEN n % 10000 <> 0 THEN now() END, n % 10000 <> 0,
    {_AGO} '1 minute' FROM generate_series(0, {ROWS // 10}) n;
INSERT INTO otp_codes (id, user_id, email, purpose, code_digest, expires_at, superseded_at)
SELECT {ID.format("n")}, {USER.format("n + 1")}, 'x', 'verify_email', {HASH.format("n")},
    now() + n * interval '1 second' + interval '1 minute', CASE WHEN n % 10 = 0 THEN now() END
FROM generate_series(0, 20000) n;
INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at)
SELECT {ID.format("n")}, {USER.format("n + 1")}, {HASH.format("n")}, now() + interval '1 minute'
FROM generate_series(0, 20000) n""",
}


async def fill(owner: Owner) -> None:
    """Fills the database. Indexes that no constraint needs are made afterwards, which is quicker."""
    await owner.execute(
        "SET session_replication_role = replica; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB';"
        "SET synchronous_commit = off; SET client_min_messages = error"
    )
    # What is filled in satisfies them; checking it takes most of the time.
    checks = await owner.fetch(
        "SELECT CASE WHEN contypid = 0 THEN 'TABLE ' || conrelid::regclass ELSE 'DOMAIN ' || contypid::regtype END"
        " AS owner, conname FROM pg_constraint WHERE contype = 'c' AND coninhcount = 0"
        " AND connamespace = 'public'::regnamespace"
    )
    for check in checks:
        await owner.execute(f'ALTER {check["owner"]} DROP CONSTRAINT "{check["conname"]}"')
    indexes = await owner.fetch(
        "SELECT i.indexrelid::regclass::text AS name,"
        " replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS sql"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
        " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)"
    )
    for index in indexes:
        await owner.execute(f"DROP INDEX {index['name']}")
    for statement in (FILLS | tenancy_fills(ROWS, OTHERS) | campaign_fills(ROWS, OTHERS)).values():
        await owner.execute(statement)
    for index in indexes:
        await owner.execute(index["sql"])
    await owner.execute("VACUUM (ANALYZE)")
    # A sample that, as is likely, has no event of a rare type.
    await owner.execute("SET default_statistics_target = 1; ANALYZE analytics_events; ANALYZE user_analytics")
