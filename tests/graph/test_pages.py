"""Every list of every house, read page by page in either direction, is the whole list in its order."""

import random
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from app.kit.db import Database, Scope
from app.kit.lists import Page, page_request
from app.kit.reads import Reads
from tests.conftest import APP_ROLE, Owner
from tests.graph.test_public_loads import KEYS, PARAMETERS
from tests.graph.world import World
from tests.statements import loaders_of_houses

LISTS = {name: loader for name, loader in loaders_of_houses().items() if isinstance(loader, Page)}
OWN_KEYS = {
    "accounts.sessions_by_user": "SELECT user_id FROM sessions",
    "accounts.auth_log_by_user": "SELECT user_id FROM auth_logs WHERE user_id IS NOT NULL",
    "ledger.utxos_by_wallet": "SELECT wallet_id FROM wallets",
    "ledger.beneficiaries_by_user": "SELECT user_id FROM beneficiaries",
    "notifications.notifications_by_user": "SELECT user_id FROM notifications",
    "market.alerts.alerts_by_user": "SELECT user_id FROM alerts",
    "market.watchlist.watchlist_by_user": "SELECT user_id FROM watchlist_items",
    "trading.analytics.analytics_events_by_user": "SELECT user_id FROM user_analytics",
    "trading.backtests.backtests_by_user": "SELECT user_id FROM backtests",
    "trading.backtests.trades_by_backtest": "SELECT id FROM backtests",
    "trading.backtests.sweeps_by_user": "SELECT user_id FROM backtest_sweeps",
    "trading.backtests.runs_by_sweep": "SELECT id FROM backtest_sweeps",
    "trading.venues.accounts_by_user": "SELECT user_id FROM exchange_accounts",
    "trading.venues.reconciliations_by_account": "SELECT id FROM exchange_accounts",
    "trading.venues.differences_by_reconciliation": "SELECT r.id FROM reconciliations r"
    " JOIN exchange_accounts a ON a.id = r.account_id JOIN users u ON u.id = a.user_id"
    " WHERE u.email = 'alice@example.com'",
    "trading.bots.bots_by_user": "SELECT user_id FROM trading_bots",
    "trading.bots.signals_by_bot": "SELECT id FROM trading_bots",
    "trading.bots.entries_by_bot": "SELECT id FROM trading_bots",
    "trading.bots.orders_by_bot": "SELECT DISTINCT bot_id FROM orders WHERE bot_id IS NOT NULL",
    "trading.portfolios.portfolios_by_user": "SELECT user_id FROM portfolios",
    "trading.portfolios.positions_by_portfolio": "SELECT id FROM portfolios",
    "trading.portfolios.value_points": "SELECT id FROM portfolios",
    "trading.performance.performance_by_portfolio": "SELECT p.id FROM portfolios p JOIN users u ON u.id = p.user_id"
    " WHERE u.email = 'alice@example.com'",
    "trading.journal.entries_by_portfolio": "SELECT id FROM portfolios",
    "trading.journal.lines_by_entry": "SELECT DISTINCT entry_id FROM journal_lines",
    "trading.journal.lots_by_portfolio": "SELECT id FROM portfolios",
    "trading.journal.disposals_by_portfolio": "SELECT id FROM portfolios",
    "trading.orders.orders_by_portfolio": "SELECT id FROM portfolios",
    "trading.orders.open_orders_by_user": "SELECT user_id FROM portfolios",
    "trading.orders.fills_by_order": "SELECT DISTINCT order_id FROM fills",
    "trading.orders.fills_by_portfolio": "SELECT id FROM portfolios",
    "trading.orders.trades_by_portfolio": "SELECT id FROM portfolios",
    "tenancy.api_keys.api_keys_by_tenant": "SELECT id FROM tenants",
}
"""Where the keys of the viewers' own lists are."""


CHOICES = PARAMETERS | {
    "market.news.news_mentioning": {"symbols": ("BTC", "ETH")},
    "trading.portfolios.value_points": {"resolution": "1m"},
    "trading.performance.performance_by_portfolio": {"period": "day"},
}
"""What a list needs to be a list of different rows."""

FILL = """
SET session_replication_role = replica;
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
INSERT INTO trading_halts (symbol, created_at) SELECT 'T' || n, now() - n / 3 * interval '1 s'
FROM generate_series(1, 9) n;
INSERT INTO performance_metrics (portfolio_id, period, period_start, period_end, metric_type, value, life, is_final)
SELECT p.id, 'day', d.day, d.day + interval '1 day', m.type, n, 1 + n % 2, n > 1
FROM portfolios p, generate_series(1, 9) n, (VALUES ('gain'), ('net_flow'), ('time_weighted_return')) AS m (type),
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - n * interval '1 day') AS d (day)
ON CONFLICT DO NOTHING;
INSERT INTO api_keys (tenant_id, key_id, key_hash, name, created_at)
SELECT t.id, 'mk_live_' || lpad(n::text, 16, '0'), 'x', 'Key', now() - n / 3 * interval '1 s'
FROM tenants t, generate_series(1, 9) n WHERE t.slug = 'acme';
RESET session_replication_role;
"""


@pytest_asyncio.fixture
async def filled(world: World, owner: Owner) -> World:
    """The world with several rows in every list, some of them of the same moment."""
    await owner.execute(FILL)
    return world


async def keys_seen(owner: Owner, scope: Scope, name: str) -> list[Any]:
    """The keys of a list that a caller sees, in an order that is the same in each run but for random keys."""
    async with owner.transaction():
        await owner.execute(f"SET LOCAL ROLE {APP_ROLE}; {scope.settings()}")
        return list(dict.fromkeys(row[0] for row in await owner.fetch((KEYS | OWN_KEYS)[name])))


async def walked(reads: Reads, loader: Page[Any], key: Any, request: Any) -> list[Any]:
    """The list in its order, read page by page from one of its ends."""
    records: list[Any] = []
    while True:
        found = await reads.page(loader, key, request)
        records = [*found.records, *records] if request.is_backward else [*records, *found.records]
        if not (found.has_previous if request.is_backward else found.has_next):
            return records
        edge = found.records[0 if request.is_backward else -1]
        place = loader.orders[request.order].position(edge, descending=request.descending)
        request = msgspec.structs.replace(request, **{"before" if request.is_backward else "after": place})


@pytest.mark.parametrize("name", LISTS)
async def test_pages_in_either_direction_are_the_whole_list_in_order(
    name: str, filled: World, database: Database, owner: Owner
) -> None:
    loader, chance, longest = LISTS[name], random.Random(name), 0
    for person in ("admin", "alice"):
        acting = filled.tenancies.get(person) if name.startswith("tenancy.") else None
        reads = Reads(database, (acting or filled.viewers[person]).scope)
        keys = await keys_seen(owner, reads.scope, name) if loader.is_keyed else [None]
        for key in chance.sample(keys, min(5, len(keys))):
            for order, declared in loader.orders.items():
                for descending in (False, True):
                    request = page_request(loader, 1000, order, descending=descending, filters=CHOICES.get(name))
                    whole = (await reads.page(loader, key, request)).records
                    places = [declared.position(record, descending=descending) for record in whole]
                    assert places == sorted(set(places), reverse=descending)
                    longest = max(longest, len(whole))
                    for is_backward in (False, True):
                        size = chance.choice([1, 2, 3, 7])
                        part = msgspec.structs.replace(request, size=size, is_backward=is_backward)
                        assert await walked(reads, loader, key, part) == whole
                        assert await reads.count(loader, key, request.filters) == min(len(whole), 1001)
        await reads.aclose()
    assert longest > 1, "a test of nothing would pass as well"
