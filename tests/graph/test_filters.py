"""What each filter of each list selects: exactly the rows that a reader of the records would."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.domains.trading.orders.model import OPEN
from app.kit.db import Database
from app.kit.lists import Operator, Page, page_request
from app.kit.reads import Reads
from tests.databases import Owner, Template, new_database
from tests.graph.filling import FILLED
from tests.graph.test_pages import CHOICES, LISTS, OWN_KEYS
from tests.graph.test_public_loads import KEYS
from tests.graph.world import World

Predicate = Callable[[Any, Any, Any, dict[Any, Any]], bool]
"""Whether a record of the list of a key has the value of a filter, given what the owner knows of the rows."""


def attribute(name: str, compare: Callable[[Any, Any], bool]) -> Predicate:
    def holds(record: Any, value: Any, key: Any, known: dict[Any, Any]) -> bool:
        found = getattr(record, name)
        return found is not None and compare(found, value)

    return holds


def equal(name: str) -> Predicate:
    return attribute(name, lambda found, value: bool(found == value))


def least(name: str) -> Predicate:
    return attribute(name, lambda found, value: bool(found >= value))


def most(name: str) -> Predicate:
    return attribute(name, lambda found, value: bool(found <= value))


def earlier(name: str) -> Predicate:
    return attribute(name, lambda found, value: bool(found < value))


def one_of(name: str) -> Predicate:
    return attribute(name, lambda found, value: found in value)


def known(compare: Callable[[Any, Any], bool]) -> Predicate:
    return lambda record, value, key, facts: compare(facts[record.id], value)


def within(text: str | None, value: str) -> bool:
    return text is not None and value.lower() in text.lower()


def sentiment(record: Any) -> str:
    score = record.sentiment_score
    return "positive" if score >= 0.05 else "negative" if score <= -0.05 else "neutral"


def side(record: Any, key: str) -> str:
    return "sent" if record.sender_wallet_id == key else "received"


def other(record: Any, key: str) -> str | None:
    found: str | None = record.recipient_wallet_id if side(record, key) == "sent" else record.sender_wallet_id
    return found


TIMES = {"since": least("timestamp"), "until": earlier("timestamp")}
CREATED = {"since": least("created_at"), "until": earlier("created_at")}
AMOUNTS = {"min_amount": least("amount"), "max_amount": most("amount")}
TRADED = {"symbol": equal("symbol"), "side": equal("side"), **CREATED}
KINDS = {"symbol": equal("symbol"), "side": equal("side"), "type": equal("type")}
PUBLISHED = {
    "since": least("published_at"),
    "until": earlier("published_at"),
}
FILTERS: dict[str, dict[str, Predicate]] = {
    "accounts.auth_log_by_user": {"type": equal("event_type"), "success": equal("success"), **CREATED},
    "accounts.access_codes": {"redeemed": equal("redeemed")},
    "accounts.users": {
        "email_prefix": known(lambda fact, value: fact["email"].startswith(value)),
        "role": known(lambda fact, value: fact["role"] == value),
        "verified": known(lambda fact, value: fact["is_verified"] is value),
        **CREATED,
    },
    "ledger.utxos_by_wallet": {
        **AMOUNTS,
        "coinbase": equal("is_coinbase"),
        "confirmed": lambda record, value, key, _: (record.block_height is not None) is value,
    },
    "ledger.blocks": {
        "min_height": least("height"),
        "max_height": most("height"),
        "miner_wallet_id": equal("miner_wallet_id"),
        **TIMES,
    },
    "ledger.transactions": {"status": equal("status"), **AMOUNTS, **TIMES},
    "ledger.transactions_by_wallet": {
        "status": equal("status"),
        "direction": lambda record, value, key, _: side(record, key) == value,
        "counterparty_wallet_id": lambda record, value, key, _: other(record, key) == value,
        **AMOUNTS,
        **TIMES,
    },
    "ledger.mempool": {
        "sender_wallet_id": equal("sender_wallet_id"),
        "recipient_wallet_id": equal("recipient_wallet_id"),
        **AMOUNTS,
        "min_fee": least("fee"),
        "max_fee": most("fee"),
    },
    "ledger.beneficiaries_by_user": {
        "search": lambda record, value, key, _: within(f"{record.beneficiary_name} {record.nickname}", value),
        "wallet_id": equal("beneficiary_wallet_id"),
    },
    "tenancy.tenants.tenants": {"plan": equal("plan"), "status": equal("status")},
    "tenancy.tenants.memberships_by_user": {"role": equal("role")},
    "tenancy.tenants.memberships_by_tenant": {"role": equal("role")},
    "campaigns.projects.projects_by_tenant": {"status": equal("status"), "network": equal("network")},
    "campaigns.participants.participants_by_tenant": {
        "verified": equal("is_verified"),
        "active": equal("is_active"),
        "username_prefix": attribute("username", lambda found, value: bool(found.lower().startswith(value))),
    },
    "campaigns.participations.participations_by_project": {
        "status": equal("status"),
        "verification": equal("verification_status"),
    },
    "campaigns.participations.participations_by_participant": {"project_id": equal("project_id")},
    "campaigns.tasks.tasks_by_project": {"active": equal("is_active"), "proof_kind": equal("proof_kind")},
    "campaigns.tasks.completions_by_participation": {"task_id": equal("task_id")},
    "campaigns.tasks.completions_by_project": {"status": equal("status"), "task_id": equal("task_id")},
    "system.setting_changes": {"key": equal("key")},
    "notifications.notifications_by_user": {"type": equal("type"), "read": equal("read"), **CREATED},
    "market.alerts.alerts_by_user": {
        "symbol": equal("symbol"),
        "type": equal("alert_type"),
        "armed": known(lambda fact, value: fact["is_armed"] is value),
        "triggered": equal("triggered"),
    },
    "market.news.news": {
        "search": known(lambda fact, value: value in fact["words"]),
        "symbols": attribute("symbols_mentioned", lambda found, value: bool(set(found) & set(value))),
        "sources": one_of("source"),
        "sentiment": lambda record, value, key, _: sentiment(record) == value,
        "min_impact": least("impact"),
        **PUBLISHED,
    },
    "market.news.news_mentioning": PUBLISHED,
    "market.prices.candles_by_token": {"since": least("opened_at"), "until": earlier("opened_at")},
    "market.prices.prices_by_token": TIMES,
    "market.tokens.tokens": {
        "symbols": one_of("symbol"),
        "is_active": equal("is_active"),
        "min_market_cap_rank": least("market_cap_rank"),
        "max_market_cap_rank": most("market_cap_rank"),
        "min_price_usd": least("price_usd"),
        "max_price_usd": most("price_usd"),
        "min_market_cap_usd": least("market_cap_usd"),
        "max_market_cap_usd": most("market_cap_usd"),
        "min_volume_24h_usd": least("volume_24h_usd"),
        "max_volume_24h_usd": most("volume_24h_usd"),
        "min_change_percentage_24h": least("change_percentage_24h"),
        "max_change_percentage_24h": most("change_percentage_24h"),
    },
    "trading.analytics.analytics_events_by_user": {"type": equal("event_type"), **CREATED},
    "trading.analytics.analytics_counts": {
        "type": equal("event_type"),
        "since": least("day"),
        "until": earlier("day"),
    },
    "trading.backtests.backtests_by_user": {"status": equal("status"), "symbol": equal("symbol")},
    "trading.backtests.sweeps_by_user": {"status": equal("status"), "symbol": equal("symbol")},
    "trading.venues.accounts_by_user": {"status": equal("status")},
    "trading.venues.reconciliations_by_account": {"status": equal("status")},
    "trading.bots.bots_by_user": {"status": equal("status"), "strategy": equal("strategy")},
    "trading.bots.signals_by_bot": {
        "symbol": equal("symbol"),
        "type": equal("signal_type"),
        "status": equal("execution_status"),
        **CREATED,
    },
    "trading.bots.entries_by_bot": {"open": lambda record, value, key, _: (record.closed_at is None) is value},
    "trading.portfolios.portfolios_by_user": {"mode": equal("mode"), "currency": equal("currency")},
    "trading.portfolios.positions_by_portfolio": {
        "symbol": equal("symbol"),
        "held": lambda record, value, key, _: (record.quantity > 0) is value,
    },
    "trading.portfolios.value_points": {"since": least("at"), "until": earlier("at")},
    "trading.performance.performance_by_portfolio": {"since": least("period_start"), "until": earlier("period_start")},
    "trading.journal.entries_by_portfolio": {"kind": equal("kind"), "life": equal("life"), **CREATED},
    "trading.journal.lots_by_portfolio": {
        "symbol": equal("symbol"),
        "open": lambda record, value, key, _: (record.remaining > 0) is value,
    },
    "trading.journal.disposals_by_portfolio": {"symbol": equal("symbol")},
    "trading.orders.orders_by_portfolio": {
        "status": equal("status"),
        "open": lambda record, value, key, _: (record.status in OPEN) is value,
        "bracket_id": equal("bracket_id"),
        **KINDS,
    },
    "trading.orders.open_orders_by_user": KINDS,
    "trading.orders.fills_by_portfolio": TRADED,
    "trading.orders.trades_by_portfolio": TRADED,
    "market.watchlist.watchlist_by_user": {
        "search": lambda record, value, key, _: within(record.notes, value),
        "symbol": equal("symbol"),
    },
}
VALUES: dict[str, tuple[Any, ...]] = {
    "search": ("bitcoin", "the third", "OB", "NOTE 3"),
    "email_prefix": ("a", "bob@", "%"),
    "username_prefix": ("user", "user 3", "%"),
    "direction": ("sent", "received"),
}
"""Values that are not those of an attribute of the records."""

NAMED_OTHERWISE = {
    "type": ("event_type", "alert_type", "type"),
    "counterparty_wallet_id": ("recipient_wallet_id", "sender_wallet_id"),
    "wallet_id": ("beneficiary_wallet_id",),
    "symbols": ("symbol", "symbols_mentioned"),
    "sources": ("source",),
    "client_session": ("session_id",),
    "since": ("timestamp", "created_at", "published_at", "opened_at", "at", "day", "period_start"),
    "until": ("timestamp", "created_at", "published_at", "opened_at", "at", "day", "period_start"),
}

MORE = """
SET session_replication_role = replica;
UPDATE watchlist_items SET notes = 'Note ' || position WHERE position % 2 = 1;
UPDATE alerts SET triggered = true, triggered_at = now(), trigger_count = 1, current_value = 1
WHERE id IN (SELECT id FROM alerts ORDER BY id LIMIT 7);
UPDATE alerts SET enabled = false WHERE id IN (SELECT id FROM alerts ORDER BY id DESC LIMIT 5);
UPDATE notifications SET read = true, read_at = now() WHERE id IN (SELECT id FROM notifications ORDER BY id LIMIT 12);
UPDATE transactions t SET recipient_wallet_id = w.wallet_id, fee = 0.5
FROM (SELECT wallet_id FROM wallets ORDER BY wallet_id DESC LIMIT 1) w
WHERE t.status = 'pending' AND t.amount = 2;
RESET session_replication_role;
"""
FACTS = {
    "accounts.users": "SELECT id, email, role, is_verified FROM users",
    "market.alerts.alerts_by_user": "SELECT id, is_armed FROM alerts",
    "market.news.news": "SELECT id, lower(concat_ws(' ', title, summary, content)) AS words FROM news_articles",
}


def values_of(loader: Page[Any], name: str, records: Iterable[Any]) -> list[Any]:
    """Values to try: those of the records, and others."""
    declared = loader.filters[name]
    if declared.operator is Operator.CONSTANT:
        return list(declared.constants)
    if name in VALUES:
        return list(VALUES[name])
    base = name.removeprefix("min_").removeprefix("max_")
    names = NAMED_OTHERWISE.get(base, (base,))
    found = [value for record in records for each in names if (value := getattr(record, each, None)) is not None]
    chosen = sorted({item for value in found for item in (value if isinstance(value, list) else [value])})
    # The smallest, the middle and the largest.
    chosen = list(dict.fromkeys([chosen[0], chosen[len(chosen) // 2], chosen[-1]])) if chosen else []
    if declared.operator in {Operator.ANY_OF, Operator.OVERLAPS}:
        return [tuple(chosen[:2]), ("nothing",)]
    return chosen


@pytest_asyncio.fixture(scope="module")
async def filled_url(template_url: str, filled: World, administrator: Owner) -> AsyncIterator[str]:
    """A database whose lists are only read."""
    async with new_database(template_url, administrator, Template(FILLED, len(filled.viewers))) as url:
        owner = await asyncpg.connect(url)
        await owner.execute(MORE)
        await owner.close()
        yield url


def test_every_filter_is_here() -> None:
    declared = {name: set(loader.filters) for name, loader in LISTS.items() if loader.filters}
    # The symbols of a mention are what makes it a list.
    declared["market.news.news_mentioning"] -= {"symbols"}
    assert {name: set(filters) for name, filters in FILTERS.items()} == declared


@pytest.mark.parametrize(("name", "filter"), [(name, each) for name, filters in FILTERS.items() for each in filters])
async def test_a_filter_selects_what_it_says(
    name: str, filter: str, filled: World, reader: Database, seer: Owner
) -> None:
    loader, predicate = LISTS[name], FILTERS[name][filter]
    facts = {row["id"]: row for row in await seer.fetch(FACTS[name])} if name in FACTS else {}
    keys = [row[0] for row in await seer.fetch((KEYS | OWN_KEYS)[name])] if loader.is_keyed else [None]
    met, missed = 0, 0
    for person in ("admin", "alice", "bob"):
        reads = Reads(reader, filled.scope_of(person))
        for key in list(dict.fromkeys(keys))[:12]:
            base = CHOICES.get(name, {})
            whole = (await reads.page(loader, key, page_request(loader, 1000, filters=base))).records
            if not whole:
                continue
            for value in values_of(loader, filter, whole):
                expected = [record for record in whole if predicate(record, value, key, facts)]
                request = page_request(loader, 1000, filters=base | {filter: value})
                assert (await reads.page(loader, key, request)).records == expected, (person, value)
                met, missed = met + bool(expected), missed + (len(expected) < len(whole))
        await reads.aclose()
    assert met, "no value was met: a test of nothing"
    assert missed, "every value was that of all rows: a test of nothing"
