"""How the rows of each list are edited while it is read."""

from typing import Any, NamedTuple

RANDOM = "gen_random_uuid()"
HASH = "encode(sha256(gen_random_uuid()::text::bytea), 'hex')"
SHORT = f"upper(left({HASH}, 20))"
KEY_ID = f"'mk_live_' || left({HASH}, 16)"
PREPARED = "md5('{number}')::uuid"
"""Of a row of another table that no row of this one has belonged to."""
NUMBERS = "generate_series(1, 200) n"


def near(column: str) -> dict[str, str]:
    """Another moment, often the same as that of others."""
    return {column: f"r.{column} + {{steps}} * interval '0.5 s'"}


def apart(column: str) -> dict[str, str]:
    """A moment of its own."""
    return {column: f"r.{column} + {{fraction}} * interval '2 min'"}


def unused(table: str, column: str, where: str = "true", most: int = 90) -> str:
    """A small number that no row has."""
    return (
        f"(SELECT n FROM generate_series(1, {most}) n WHERE NOT EXISTS (SELECT FROM {table} o WHERE o.{column} = n"
        f" AND {where}) ORDER BY md5(n || '{{fraction}}') LIMIT 1)"
    )


class Edits(NamedTuple):
    """How the rows of a list are edited."""

    table: str
    place: dict[str, str]
    """What is new where a row is moved: columns that the list is sorted by."""
    fresh: dict[str, str]
    """What else is new in a copy: columns of unique keys. Without any, no rows are inserted."""
    key: dict[str, str] = {"id": "id"}  # noqa: RUF012
    """The columns that tell a row from others, and what records call them."""

    before: str = ""
    """What is done before any edit."""

    def identity(self, record: Any) -> tuple[Any, ...]:
        """What tells a record from others."""
        return tuple(getattr(record, name) for name in self.key.values())


_METRICS = ("return", "drawdown", "sharpe", "sortino", "profit_factor")

BLOCKS = Edits(
    "blocks",
    {"height": unused("blocks", "height"), "previous_hash": HASH},
    {"id": RANDOM, "block_hash": HASH},
)
IN_BLOCK = unused("transactions", "block_position", "o.block_height = r.block_height")
TRANSACTIONS = Edits(
    "transactions",
    {
        **near("timestamp"),
        "amount": "r.amount + abs({steps})",
        "block_position": f"CASE WHEN r.block_id IS NOT NULL THEN {IN_BLOCK} END",
    },
    {"id": RANDOM, "transaction_hash": HASH},
    {"transaction_hash": "transaction_hash"},
)
MENTIONS = Edits(
    "news_mentions",
    near("published_at"),
    {"article_id": PREPARED},
    {"article_id": "id"},
    f"""INSERT INTO news_articles (id, title, source, url, published_at, sentiment_score, impact)
    SELECT md5(n::text)::uuid, 'x', 'x', n, now(), 0, n % 100 FROM {NUMBERS}""",
)
PARTICIPANTS = Edits(
    "participants",
    {**near("created_at"), "total_referrals": "abs({steps})"},
    {"id": RANDOM, "telegram_id": "NULL", "discord_id": "NULL", "referral_code": SHORT, "user_id": "NULL"},
)
PARTICIPATIONS = Edits("participations", near("joined_at"), {"id": RANDOM, "participant_id": RANDOM})
COMPLETIONS = Edits(
    "task_completions", near("created_at"), {"id": RANDOM, "ordinal": "1 + (random() * 1000000000)::integer"}
)
ORDERS = Edits("orders", near("created_at"), {"id": RANDOM, "client_order_id": "NULL"})
FILLS = Edits("fills", near("created_at"), {"id": RANDOM})
EDITS: dict[str, tuple[Edits, ...]] = {
    "accounts.sessions_by_user": (Edits("sessions", near("created_at"), {"id": RANDOM, "token_hash": HASH}),),
    "accounts.auth_log_by_user": (Edits("auth_logs", near("created_at"), {"id": RANDOM}),),
    "accounts.access_codes": (Edits("access_codes", near("created_at"), {"id": RANDOM, "code": SHORT}),),
    "accounts.users": (
        Edits(
            "users",
            near("created_at"),
            {
                "id": PREPARED,
                "email": HASH,
                "verification_token_hash": "NULL",
                "verification_token_expires_at": "NULL",
            },
            before=f"INSERT INTO display_names (user_id, display_name) SELECT md5(n::text)::uuid, 'x' FROM {NUMBERS}",
        ),
    ),
    "ledger.utxos_by_wallet": (
        Edits("utxos", {"transaction_hash": HASH, "output_index": "abs({steps})"}, {"id": RANDOM}),
    ),
    "ledger.blocks": (BLOCKS,),
    "ledger.blocks_by_miner": (BLOCKS,),
    "ledger.transactions": (TRANSACTIONS,),
    "ledger.transactions_by_block": (TRANSACTIONS,),
    "ledger.transactions_by_wallet": (TRANSACTIONS,),
    # Postgres refuses to change the number of acceptance.
    "ledger.mempool": (
        TRANSACTIONS._replace(place={}, fresh=TRANSACTIONS.fresh | {"sequence": unused("transactions", "sequence")}),
    ),
    "ledger.beneficiaries_by_user": (
        Edits("beneficiaries", near("created_at"), {"id": RANDOM, "beneficiary_wallet_id": HASH}),
    ),
    "notifications.notifications_by_user": (Edits("notifications", near("created_at"), {"id": RANDOM}),),
    "market.alerts.alerts_by_user": (Edits("alerts", near("created_at"), {"id": RANDOM}),),
    "market.news.news": (
        Edits(
            "news_articles",
            {**near("published_at"), "impact": "10 * abs({steps})"},
            {"id": RANDOM, "url": HASH},
        ),
    ),
    "market.news.news_mentioning": (MENTIONS,),
    "market.news.news_by_symbol": (MENTIONS,),
    "market.prices.candles_by_token": (
        Edits(
            "candles",
            apart("opened_at"),
            {"exchange": "r.exchange"},
            {name: name for name in ("symbol", "exchange", "interval", "opened_at")},
        ),
    ),
    "market.prices.prices_by_token": (
        Edits(
            "price_history",
            apart("timestamp"),
            {"exchange": "r.exchange"},
            {name: name for name in ("symbol", "exchange", "timestamp")},
        ),
    ),
    "market.tokens.tokens": (
        Edits(
            "tokens",
            {"market_cap_rank": "nullif(abs({steps}), 0)", "name": "chr(100 + {steps}) || r.name"},
            {"id": RANDOM, "coingecko_id": HASH, "symbol": SHORT},
            {"symbol": "symbol"},
            before="DELETE FROM tokens WHERE market_cap_rank > 24",
        ),
        Edits(
            "market_data",
            {
                "price_usd": "r.price_usd * (1 + abs({steps}))",
                "market_cap_usd": "r.market_cap_usd * (1 + abs({steps}))",
                "volume_24h_usd": "nullif(abs({steps}), 0)",
                "change_percentage_24h": "nullif({steps}, 0)",
            },
            {},
            {"symbol": "symbol"},
        ),
    ),
    "trading.backtests.backtests_by_user": (Edits("backtests", near("created_at"), {"id": RANDOM}),),
    "trading.backtests.trades_by_backtest": (
        Edits(
            "backtest_trades",
            {"number": unused("backtest_trades", "number")},
            {"opened_at": "r.opened_at - {fraction} * interval '1 hour'"},
            {name: name for name in ("backtest_id", "opened_at")},
        ),
    ),
    "trading.backtests.sweeps_by_user": (Edits("backtest_sweeps", near("created_at"), {"id": RANDOM}),),
    "trading.backtests.runs_by_sweep": (
        Edits(
            "backtest_sweep_runs",
            {f"{part}_{name}": "nullif({steps}, 0)" for part in ("train", "test") for name in _METRICS},
            {"number": "100 + abs({fraction} * 1000000000)::integer"},
            {name: name for name in ("sweep_id", "number")},
        ),
    ),
    "tenancy.tenants.tenants": (Edits("tenants", near("created_at"), {"id": RANDOM, "slug": HASH}),),
    "tenancy.tenants.memberships_by_user": (
        Edits("tenant_members", near("joined_at"), {"id": RANDOM, "tenant_id": RANDOM}),
    ),
    "tenancy.tenants.memberships_by_tenant": (
        Edits("tenant_members", near("joined_at"), {"id": RANDOM, "user_id": RANDOM}),
    ),
    "tenancy.tenants.invitations_by_tenant": (
        Edits("tenant_invitations", near("created_at"), {"id": RANDOM, "email": HASH, "token_hash": HASH}),
    ),
    "tenancy.api_keys.api_keys_by_tenant": (
        Edits("api_keys", near("created_at"), {"id": RANDOM, "key_id": KEY_ID, "secret_id": RANDOM}),
    ),
    "campaigns.projects.projects_by_tenant": (
        Edits(
            "projects",
            {**near("created_at"), "name": "chr(100 + {steps}) || r.name"},
            {"id": RANDOM, "key": f"'proj_' || left({HASH}, 12)"},
        ),
    ),
    "campaigns.imports.imports_by_tenant": (Edits("participant_imports", near("created_at"), {"id": RANDOM}),),
    "campaigns.imports.refusals_by_import": (
        Edits(
            "participant_import_refusals",
            {"number": unused("participant_import_refusals", "number")},
            {"row_number": "1000 + {number}"},
            {name: name for name in ("import_id", "row_number")},
            # Several may be of one row of the file; here the row tells them apart.
            "UPDATE participant_import_refusals SET row_number = number",
        ),
    ),
    "campaigns.exports.exports_by_tenant": (Edits("participant_exports", near("created_at"), {"id": RANDOM}),),
    "campaigns.participants.participants_by_tenant": (PARTICIPANTS,),
    "campaigns.participants.participants_by_user": (
        PARTICIPANTS._replace(
            place=near("created_at"), fresh=PARTICIPANTS.fresh | {"tenant_id": RANDOM, "user_id": "r.user_id"}
        ),
    ),
    "campaigns.participations.participations_by_project": (
        PARTICIPATIONS._replace(place=near("joined_at") | {"points": "abs({steps})"}),
    ),
    "campaigns.participations.participations_by_participant": (
        PARTICIPATIONS._replace(fresh={"id": RANDOM, "project_id": RANDOM}),
    ),
    "campaigns.participations.participations_by_user": (
        PARTICIPATIONS._replace(fresh={"id": RANDOM, "project_id": RANDOM}),
    ),
    "campaigns.participations.entries_by_participation": (Edits("point_entries", near("created_at"), {"id": RANDOM}),),
    "campaigns.leaderboards.entries_by_project": (
        Edits(
            "leaderboard_entries",
            {"points": "abs({steps})"},
            {"participation_id": RANDOM},
            key={"participation_id": "participation_id"},
        ),
    ),
    "campaigns.tasks.tasks_by_project": (
        Edits("tasks", {"position": "abs({steps})"}, {"id": RANDOM, "key": f"left({HASH}, 20)"}),
    ),
    "campaigns.tasks.completions_by_participation": (COMPLETIONS,),
    "campaigns.tasks.completions_by_project": (COMPLETIONS,),
    "campaigns.analytics.events_by_project": (Edits("analytics_events", near("occurred_at"), {"id": RANDOM}),),
    # What is no row is there as well, with zeros.
    "campaigns.analytics.statistics_by_project": (Edits("project_statistics", {}, {}, {"started_at": "started_at"}),),
    "campaigns.analytics.retention_by_project": (
        Edits(
            "project_retention",
            {"active_week": "timestamptz '2030-01-07Z' + {number} * interval '7 days'"},
            {"participants": "5"},
            {"joined_week": "joined_week", "active_week": "active_week"},
        ),
    ),
    "system.setting_changes": (Edits("system_setting_changes", near("changed_at"), {"id": RANDOM}),),
    "trading.venues.accounts_by_user": (Edits("exchange_accounts", near("created_at"), {"id": RANDOM}),),
    "trading.venues.reconciliations_by_account": (
        Edits(
            "reconciliations",
            near("created_at"),
            {"id": RANDOM, "status": "'equal'", "finished_at": "coalesce(r.finished_at, now())"},
        ),
    ),
    "trading.venues.differences_by_reconciliation": (
        Edits(
            "reconciliation_differences",
            {"number": unused("reconciliation_differences", "number", "o.reconciliation_id = r.reconciliation_id")},
            {"subject": "r.subject"},
            {name: name for name in ("reconciliation_id", "number")},
        ),
    ),
    "trading.bots.bots_by_user": (Edits("trading_bots", near("created_at"), {"id": RANDOM}),),
    "trading.bots.signals_by_bot": (Edits("trading_signals", near("created_at"), {"id": RANDOM}),),
    "trading.bots.entries_by_bot": (Edits("bot_entries", near("opened_at"), {"id": RANDOM, "bracket_id": RANDOM}),),
    "trading.bots.orders_by_bot": (ORDERS,),
    "trading.portfolios.portfolios_by_user": (
        Edits("portfolios", near("created_at"), {"id": RANDOM, "is_default": "false"}),
    ),
    "trading.portfolios.positions_by_portfolio": (
        Edits(
            "positions",
            {"quantity": "r.quantity + 1 + abs({steps})"},
            {"symbol": SHORT},
            {name: name for name in ("portfolio_id", "symbol")},
        ),
    ),
    "trading.portfolios.value_points": (
        Edits(
            "portfolio_value_history",
            apart("at"),
            {"life": "r.life"},
            {name: name for name in ("portfolio_id", "resolution", "at")},
        ),
    ),
    "trading.journal.entries_by_portfolio": (
        Edits("journal_entries", near("created_at"), {"id": "(SELECT max(id) + 1 FROM journal_entries)"}),
    ),
    "trading.journal.lines_by_entry": (
        Edits(
            "journal_lines",
            {"line_no": unused("journal_lines", "line_no", "o.entry_id = r.entry_id")},
            {"amount": "r.amount"},
            {name: name for name in ("entry_id", "line_no")},
        ),
    ),
    # Postgres refuses to change the numbers of lots and disposals.
    "trading.journal.lots_by_portfolio": (
        Edits("lots", {}, {"id": RANDOM, "number": "(SELECT max(number) + 1 FROM lots)"}),
    ),
    "trading.journal.disposals_by_portfolio": (Edits("disposals", {}, {"id": "(SELECT max(id) + 1 FROM disposals)"}),),
    "trading.orders.orders_by_portfolio": (ORDERS,),
    "trading.orders.open_orders_by_user": (ORDERS,),
    "trading.orders.fills_by_order": (FILLS,),
    "trading.orders.fills_by_portfolio": (FILLS,),
    "trading.orders.trades_by_portfolio": (FILLS,),
    "trading.performance.performance_by_portfolio": (
        Edits(
            "performance_metrics",
            apart("period_start"),
            {"life": "r.life"},
            {name: name for name in ("portfolio_id", "period", "period_start")},
            # A row of the list is all metrics of a period.
            "DELETE FROM performance_metrics WHERE metric_type <> 'gain'",
        ),
    ),
    "trading.analytics.analytics_events_by_user": (Edits("user_analytics", near("created_at"), {"id": RANDOM}),),
    "trading.analytics.analytics_counts": (
        Edits(
            "analytics_counts",
            {"events": "r.events + abs({steps})"},
            {"id": "(SELECT max(id) + 1 FROM analytics_counts)", "event_type": SHORT},
        ),
    ),
    "trading.orders.halts": (Edits("trading_halts", near("created_at"), {"id": RANDOM, "symbol": SHORT}),),
    "market.watchlist.watchlist_by_user": (
        Edits(
            "watchlist_items",
            {"rank": "r.rank + 3 * {fraction}"},
            {"id": RANDOM, "symbol": HASH, "position": unused("watchlist_items", "position", "o.user_id = r.user_id")},
        ),
    ),
}
