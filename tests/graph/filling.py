"""The world with several rows in every list, some of them of the same moment."""

from typing import Final

import asyncpg

from tests.databases import Owner, clone, in_database
from tests.graph.campaign_filling import CAMPAIGN_FILL

FILLED: Final = "moneta_filled"
FILL: Final = """
INSERT INTO sessions (user_id, token_hash, expires_at, refresh_expires_at, refreshed_at, created_at)
SELECT u.id, encode(sha256((u.id::text || n)::bytea), 'hex'), now() + interval '1 day', now() + interval '2 days',
    now(), now() - n / 3 * interval '1 s' FROM users u, generate_series(1, 9) n;
INSERT INTO beneficiaries (user_id, beneficiary_wallet_id, nickname, created_at)
SELECT u.id, w.wallet_id, 'x', '2026-01-01' FROM users u, wallets w ON CONFLICT DO NOTHING;
INSERT INTO notifications (user_id, type, title, message, created_at)
SELECT u.id, 'system', 'x', '', now() - n / 3 * interval '1 s' FROM users u, generate_series(1, 9) n;
INSERT INTO alerts (user_id, symbol, alert_type, threshold_value, created_at)
SELECT u.id, t.symbol, 'price_above', 1, '2026-01-01'
FROM users u, (SELECT symbol FROM tokens LIMIT 9) t ON CONFLICT DO NOTHING;
DELETE FROM watchlist_items;
INSERT INTO watchlist_items (user_id, symbol, position)
SELECT u.id, t.symbol, t.n FROM users u, (SELECT symbol, row_number() OVER () AS n FROM tokens LIMIT 9) t;
INSERT INTO transactions (transaction_hash, sender_wallet_id, recipient_wallet_id, amount, timestamp, encoding,
    signature, size_bytes)
SELECT encode(sha256(n::text::bytea), 'hex'), w.wallet_id, w.wallet_id, 1 + n % 3, now() - n / 3 * interval '1 s', '',
    '', 100
FROM (SELECT wallet_id FROM wallets LIMIT 1) w, generate_series(1, 9) n;
INSERT INTO portfolios (user_id, mode, currency, initial_balance, life, created_at)
SELECT u.id, CASE n % 3 WHEN 0 THEN 'live' ELSE 'paper' END, CASE n % 2 WHEN 0 THEN 'AUD' ELSE 'USD' END, 0, 2,
    '2026-01-01'
FROM users u, generate_series(1, 9) n;
INSERT INTO cash_balances (portfolio_id, balance) SELECT id, 1 FROM portfolios ON CONFLICT DO NOTHING;
INSERT INTO positions (portfolio_id, symbol, quantity)
SELECT p.id, t.symbol, n % 3 FROM portfolios p, (SELECT symbol, row_number() OVER () AS n FROM tokens LIMIT 9) t
ON CONFLICT DO NOTHING;
DELETE FROM market_data WHERE symbol = (SELECT max(symbol) FROM positions);
INSERT INTO lots (portfolio_id, life, symbol, quantity, remaining, cost, remaining_cost, acquired_at)
SELECT p.id, 1 + n % 2, CASE n % 2 WHEN 0 THEN 'BTC' ELSE 'ETH' END, 2, n % 3, 1, 0, '2026-01-01'
FROM portfolios p, generate_series(1, 9) n;
INSERT INTO disposals (lot_id, portfolio_id, life, symbol, quantity, cost, proceeds, pnl, acquired_at,
    disposed_at)
SELECT l.id, l.portfolio_id, l.life, l.symbol, 1, 1, 2, 1, l.acquired_at, l.acquired_at FROM lots l;
INSERT INTO journal_entries (kind, portfolio_id, life, fill_id, created_at)
SELECT k.kind, p.id, 1 + n % 2, CASE k.kind WHEN 'fill' THEN p.id END, now() - n / 3 * interval '1 s'
FROM portfolios p, generate_series(1, 9) n, (VALUES ('fill'), ('deposit')) AS k (kind);
INSERT INTO user_analytics (user_id, event_type, source, session_id, created_at)
SELECT u.id, 'type.' || n % 2, CASE n % 3 WHEN 0 THEN 'server' ELSE 'client' END, CASE n % 3 WHEN 1 THEN 'visit' END,
    now() - n / 3 * interval '1 s' FROM users u, generate_series(1, 9) n;
INSERT INTO analytics_counts (day, event_type, source, events, users)
SELECT date_trunc('day', now(), 'UTC') - n / 3 * interval '1 day', 'type.' || n % 2, s.source, 1 + n % 3, 1
FROM generate_series(1, 9) n, (VALUES ('client'), ('server')) AS s (source) ON CONFLICT DO NOTHING;
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed)
SELECT p.id, r.resolution, date_trunc('minute', now()) - n * interval '1 minute', 1, 1, 1, 1
FROM portfolios p, generate_series(1, 9) n, (VALUES ('1m'), ('1h'), ('1d')) AS r (resolution);
INSERT INTO orders (portfolio_id, life, symbol, side, type, quantity, price, stop_price, trail_fraction,
    protection_price, maker_fee_fraction, taker_fee_fraction, filled_quantity, filled_quote, status, reason, mode,
    bracket_id, bracket_role, created_at, filled_at, cancelled_at)
SELECT p.id, 1, CASE n % 4 WHEN 0 THEN 'BTC' ELSE 'ETH' END, CASE n % 3 WHEN 0 THEN 'buy' ELSE 'sell' END, t.type, 9,
    CASE WHEN t.type IN ('limit', 'stop_limit') THEN 5 END, CASE WHEN t.type IN ('stop', 'stop_limit') THEN 4 END,
    CASE WHEN t.type = 'trailing_stop' THEN 0.1 END, 6, 0.001, 0.002,
    CASE s.status WHEN 'partial' THEN 1 WHEN 'filled' THEN 9 ELSE 0 END, 0, s.status,
    CASE WHEN s.status IN ('cancelled', 'rejected', 'expired') THEN 'requested' END, 'paper',
    CASE WHEN n < 3 THEN p.id END, CASE n WHEN 1 THEN 'entry' WHEN 2 THEN 'take_profit' END,
    now() - n / 3 * interval '1 s', CASE s.status WHEN 'filled' THEN now() END,
    CASE WHEN s.status IN ('cancelled', 'rejected', 'expired') THEN now() END
FROM portfolios p, generate_series(1, 12) n,
    LATERAL (SELECT ('{market,limit,stop,stop_limit,trailing_stop}'::text[])[1 + n % 5] AS type) t,
    LATERAL (SELECT ('{pending,partial,filled,cancelled,rejected,expired}'::text[])[1 + n % 6] AS status) s;
INSERT INTO fills (trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee,
    liquidity, quote_bid, quote_ask, quote_at, currency, entry_id, created_at)
SELECT o.id, o.id, o.portfolio_id, 1, o.symbol, o.side, 1, 5, 5, 0, 'taker', 4, 6, now(), 'USD', 1,
    o.created_at - n / 2 * interval '1 s'
FROM orders o, generate_series(1, 3) n WHERE o.status IN ('filled', 'partial');
INSERT INTO exchange_accounts (user_id, exchange, label, status, disconnected_at, created_at)
SELECT u.id, 'binance', 'x', s.status, CASE s.status WHEN 'disconnected' THEN now() END, now() - n / 3 * interval '1 s'
FROM users u, generate_series(1, 9) n,
    LATERAL (SELECT ('{connected,disconnecting,disconnected}'::text[])[1 + n % 3] AS status) s;
INSERT INTO reconciliations (account_id, status, finished_at, created_at)
SELECT a.id, s.status, CASE WHEN s.status <> 'asked' THEN now() END, now() - n / 3 * interval '1 s'
FROM exchange_accounts a, generate_series(1, 9) n,
    LATERAL (
        SELECT CASE n WHEN 9 THEN 'asked' ELSE ('{equal,different,failed}'::text[])[1 + n % 3] END AS status
    ) s;
INSERT INTO reconciliation_differences (reconciliation_id, account_id, number, kind, subject)
SELECT r.id, r.account_id, n, 'balance', 'USDT' FROM reconciliations r, generate_series(1, 9) n;
INSERT INTO trading_bots (user_id, portfolio_id, name, strategy, config, target_symbols, status, status_reason,
    started_at, created_at)
SELECT p.user_id, p.id, 'x', s.strategy, jsonb_build_object('type', s.strategy), '{BTC}', s.status,
    CASE s.status WHEN 'error' THEN 'x' END, now(), now() - n / 3 * interval '1 s'
FROM (SELECT DISTINCT ON (user_id) user_id, id FROM portfolios ORDER BY user_id, id) p, generate_series(1, 9) n,
    LATERAL (
        SELECT ('{dca,grid,momentum}'::text[])[1 + n % 3] AS strategy,
            ('{active,paused,stopped,error}'::text[])[1 + n % 4] AS status
    ) s;
INSERT INTO trading_signals (bot_id, symbol, signal_type, confidence, price, reasoning, execution_status, status_reason,
    executed_at, candle_closed_at, created_at)
SELECT b.id, CASE n % 4 WHEN 0 THEN 'BTC' ELSE 'ETH' END, s.type, 50, 1, 'x', s.status,
    CASE WHEN s.status IN ('FAILED', 'IGNORED') THEN 'x' END, CASE s.status WHEN 'EXECUTED' THEN now() END, now(),
    now() - n / 3 * interval '1 s'
FROM trading_bots b, generate_series(1, 12) n,
    LATERAL (
        SELECT ('{BUY,SELL,HOLD}'::text[])[1 + n % 3] AS type,
            ('{PENDING,EXECUTED,FAILED,IGNORED}'::text[])[1 + n % 4] AS status
    ) s;
INSERT INTO bot_entries (id, bracket_id, bot_id, symbol, signal_id, signal_at, opened_at, closed_at)
SELECT gen_random_uuid(), gen_random_uuid(), b.id, 'BTC', b.id, now(), now() - n / 3 * interval '1 s',
    CASE n % 2 WHEN 0 THEN now() END
FROM trading_bots b, generate_series(1, 9) n;
UPDATE orders o SET bot_id = b.id
FROM (SELECT DISTINCT ON (portfolio_id) portfolio_id, id FROM trading_bots ORDER BY portfolio_id, id) b
WHERE b.portfolio_id = o.portfolio_id;
INSERT INTO backtests (id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier,
    status, candles_total, report, created_at, finished_at)
SELECT gen_random_uuid(), u.id, CASE n % 4 WHEN 0 THEN 'BTC' ELSE 'ETH' END, '1h', 'x', now() - interval '1 day', now(),
    'dca', '{"symbol": "BTC", "config": {"type": "dca"}}', 1, 'free', s.status, 1,
    CASE s.status WHEN 'completed' THEN '{}'::jsonb END, now() - n / 3 * interval '1 s',
    CASE WHEN s.status IN ('completed', 'failed', 'cancelled') THEN now() END
FROM users u, generate_series(1, 12) n,
    LATERAL (SELECT ('{queued,running,completed,failed,cancelled}'::text[])[1 + n % 5] AS status) s;
INSERT INTO backtest_trades (backtest_id, user_id, number, opened_at, closed_at, quantity, cost_usd, proceeds_usd,
    pnl_usd, average_price_usd, exit)
SELECT b.id, b.user_id, n, now() - n * interval '2 hours', now(), 1, 1, 1, 0, 1, 'signal'
FROM backtests b, generate_series(1, 5) n;
INSERT INTO backtest_sweeps (id, user_id, symbol, interval, exchange, since, until, strategy, bot, axes,
    initial_cash_usd, tier, status, runs_done, runs_total, candles, created_at, finished_at)
SELECT b.id, b.user_id, b.symbol, '1h', 'x', b.since, b.until, 'dca', b.bot, '[]', 1, 'free', b.status, 9, 9, 1,
    b.created_at, b.finished_at
FROM backtests b;
INSERT INTO backtest_sweep_runs (sweep_id, user_id, number, settings, train, test, train_return, train_drawdown,
    train_sharpe, train_sortino, train_profit_factor, test_return, test_drawdown, test_sharpe, test_sortino,
    test_profit_factor)
SELECT w.id, w.user_id, n, '{}', '{}', NULL, m.a, m.b, m.a, m.b, m.a, m.b, m.a, m.b, m.a, m.b
FROM backtest_sweeps w, generate_series(1, 9) n,
    LATERAL (SELECT nullif(n % 4, 0) / 3.0 AS a, nullif(n % 3, 0) / -7.0 AS b) m;
INSERT INTO system_setting_changes (key, value_before, value_after, changed_at)
SELECT s.key, CASE s.key WHEN 'max_file_upload_size' THEN '1024' ELSE '["BTC"]' END::jsonb, s.value,
    now() - n / 3 * interval '1 s'
FROM system_settings s, generate_series(1, 9) n WHERE s.key IN ('max_file_upload_size', 'supported_tokens');
INSERT INTO tenants (slug, name, email, plan_type, subscription_status, created_at)
SELECT 't-' || n, 'x', 'x@example.com', ('{free,pro,enterprise}'::text[])[1 + n % 3],
    ('{active,suspended,cancelled}'::text[])[1 + n % 3], now() - n / 3 * interval '1 s'
FROM generate_series(1, 9) n;
INSERT INTO tenant_members (tenant_id, user_id, role, joined_at)
SELECT t.id, u.id, ('{owner,admin,viewer}'::text[])[1 + (row_number() OVER ())::integer % 3], '2026-01-01'
FROM tenants t, users u ON CONFLICT DO NOTHING;
INSERT INTO tenant_invitations (tenant_id, email, role, token_hash, created_at, expires_at)
SELECT t.id, 'x' || n || '@example.com', 'viewer', encode(sha256((t.id::text || n)::bytea), 'hex'),
    now() - n / 3 * interval '1 s', now() + interval '1 day'
FROM tenants t, generate_series(1, 9) n;
INSERT INTO api_keys (tenant_id, key_id, key_hash, name, created_at)
SELECT t.id, 'mk_live_' || lpad(n::text, 16, '0'), 'x', 'Key', now() - n / 3 * interval '1 s'
FROM tenants t, generate_series(1, 9) n WHERE t.slug = 'acme';
INSERT INTO trading_halts (symbol, created_at) SELECT 'T' || n, now() - n / 3 * interval '1 s'
FROM generate_series(1, 9) n;
INSERT INTO performance_metrics (portfolio_id, period, period_start, period_end, metric_type, value, life, is_final)
SELECT p.id, 'day', d.day, d.day + interval '1 day', m.type, n, 1 + n % 2, n > 1
FROM portfolios p, generate_series(1, 9) n, (VALUES ('gain'), ('net_flow'), ('time_weighted_return')) AS m (type),
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - n * interval '1 day') AS d (day)
ON CONFLICT DO NOTHING;
"""


async def fill(url: str, administrator: Owner, world: str) -> None:
    """Makes the template `FILLED` of that of the world."""
    await clone(administrator, FILLED, world)
    owner = await asyncpg.connect(in_database(url, FILLED))
    await owner.execute("SET session_replication_role = replica")
    for rows in (FILL, CAMPAIGN_FILL):
        await owner.execute(rows)
    await owner.close()
