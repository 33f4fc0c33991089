"""Every list of every house, read page by page in either direction, is the whole list in its order."""

import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from app.kit.db import Database, Scope
from app.kit.lists import Page, page_request
from app.kit.reads import Reads
from tests.conftest import APP_ROLE
from tests.databases import Owner, Template, new_database
from tests.graph.filling import FILLED
from tests.graph.test_public_loads import KEYS, PARAMETERS
from tests.graph.world import World
from tests.statements import loaders_of_houses

LISTS = {name: loader for name, loader in loaders_of_houses().items() if isinstance(loader, Page)}
OF_ACME = "JOIN tenants t ON t.id = j.tenant_id AND t.slug = 'acme'"
OWN_KEYS = {
    "accounts.sessions_by_user": "SELECT user_id FROM sessions",
    "accounts.auth_log_by_user": "SELECT user_id FROM auth_logs WHERE user_id IS NOT NULL",
    "ledger.utxos_by_wallet": "SELECT wallet_id FROM wallets",
    "ledger.beneficiaries_by_user": "SELECT user_id FROM beneficiaries",
    "tenancy.tenants.memberships_by_user": "SELECT user_id FROM tenant_members",
    "tenancy.tenants.memberships_by_tenant": "SELECT id FROM tenants WHERE slug = 'acme'",
    "tenancy.tenants.invitations_by_tenant": "SELECT tenant_id FROM tenant_invitations",
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
    "tenancy.api_keys.api_keys_by_tenant": "SELECT id FROM tenants WHERE slug = 'acme'",
    "campaigns.projects.projects_by_tenant": "SELECT id FROM tenants WHERE slug = 'acme'",
    "campaigns.participants.participants_by_tenant": "SELECT id FROM tenants WHERE slug = 'acme'",
    "campaigns.participants.participants_by_user": "SELECT user_id FROM participants WHERE user_id IS NOT NULL",
    "campaigns.participations.participations_by_project": f"SELECT j.id FROM projects j {OF_ACME}",
    "campaigns.participations.participations_by_participant": f"SELECT j.id FROM participants j {OF_ACME}",
    "campaigns.participations.participations_by_user": "SELECT user_id FROM participants WHERE user_id IS NOT NULL",
    "campaigns.participations.entries_by_participation": f"SELECT j.id FROM participations j {OF_ACME} LIMIT 5",
    "campaigns.tasks.tasks_by_project": f"SELECT j.id FROM projects j {OF_ACME}",
    "campaigns.tasks.completions_by_participation": f"SELECT j.id FROM participations j {OF_ACME} LIMIT 5",
    "campaigns.tasks.completions_by_project": f"SELECT j.id FROM projects j {OF_ACME}",
}
"""Where the keys of the viewers' own lists are."""


CHOICES = PARAMETERS | {
    "market.news.news_mentioning": {"symbols": ("BTC", "ETH")},
    "trading.portfolios.value_points": {"resolution": "1m"},
    "trading.performance.performance_by_portfolio": {"period": "day"},
}
"""What a list needs to be a list of different rows."""


@pytest_asyncio.fixture(scope="module")
async def filled_url(template_url: str, filled: World, administrator: Owner) -> AsyncIterator[str]:
    """A database whose lists are only read."""
    async with new_database(template_url, administrator, Template(FILLED, len(filled.viewers))) as url:
        yield url


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
    name: str, filled: World, reader: Database, seer: Owner
) -> None:
    loader, chance, longest = LISTS[name], random.Random(name), 0
    for person in ("admin", "alice"):
        reads = Reads(reader, filled.scope_of(person))
        keys = await keys_seen(seer, reads.scope, name) if loader.is_keyed else [None]
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
