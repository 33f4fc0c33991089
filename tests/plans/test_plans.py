"""Over 250,000 rows, each page and count of each list reads a bounded number of rows, and each index has a use."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio

from app.kit.list_statements import RARE, count_statement, page_statement
from app.kit.lists import Page
from app.kit.postgres import server_settings
from app.kit.reads import COUNT_LIMIT
from tests.databases import Owner, new_database
from tests.plans import filling
from tests.plans.cases import SIZE, VALUES, Case, cases, keys, middles, scope_of
from tests.plans.explained import MODES, Explained, explain
from tests.plans.ids import USER
from tests.plans.uses import REASONS, indexes, of_parents, used_by
from tests.statements import loaders_of_houses
from tests.test_statements import STATEMENTS

LISTS: Final = {name: loader for name, loader in loaders_of_houses().items() if isinstance(loader, Page)}
READ: Final = 25_000
OWN_ROWS: Final = filling.ROWS * 6 // 25
BLOCKS: Final = 100_000
OWN: Final = {
    # The rows of a wallet, user, tenant or portfolio are read until enough of them satisfy the condition: an index for
    # each would cost every payment and every order more than such a request.
    "ledger.utxos_by_wallet": {"min_amount", "max_amount", "coinbase", "confirmed"},
    "ledger.transactions_by_wallet": {"min_amount", "max_amount", "status", "direction", "counterparty_wallet_id"},
    "notifications.notifications_by_user": {"type"},
    "tenancy.tenants.memberships_by_user": {"role"},
    "tenancy.tenants.memberships_by_tenant": {"role"},
    "campaigns.projects.projects_by_tenant": {"status", "network"},
    "campaigns.participants.participants_by_tenant": {"verified", "active"},
    "campaigns.participations.participations_by_participant": {"project_id"},
    # What happened to one participant, in one project and within a year.
    "campaigns.analytics.events_by_project": {"participant_id"},
    "campaigns.tasks.tasks_by_project": {"active", "proof_kind"},
    "campaigns.tasks.completions_by_participation": {"task_id"},
    "trading.journal.lots_by_portfolio": {"open"},
    "trading.venues.reconciliations_by_account": {"status"},
    "trading.bots.signals_by_bot": {"type", "status"},
    "trading.bots.entries_by_bot": {"open"},
    "trading.orders.orders_by_portfolio": {"status", "side", "type", "bracket_id"},
    "trading.orders.open_orders_by_user": {"symbol", "side", "type"},
    "trading.orders.fills_by_portfolio": {"symbol", "side"},
    "trading.orders.trades_by_portfolio": {"symbol", "side"},
    # Times follow heights: from the other end of the chain, the blocks outside of the time are passed by.
    "ledger.blocks": {"since", "until"},
}
"""Filters that are bounded by what has the list's key, rather than by READ."""


@pytest_asyncio.fixture(scope="module")
async def big(template_url: str, administrator: Owner) -> AsyncIterator[Owner]:
    """A connection to a database with 250,000 rows, with the settings of the application's."""
    async with new_database(template_url, administrator) as url:
        owner = await asyncpg.connect(url)
        await filling.fill(owner)
        await owner.close()
        settings = server_settings(None, "plans")
        asked = await asyncpg.connect(url, server_settings=settings, statement_cache_size=0)
        yield asked
        await asked.close()


async def explained(owner: Owner, loader: Page[Any], case: Case, mode: str) -> Explained:
    """What the statement of a request does."""
    request = case.request
    if case.is_count:
        statement, limit = count_statement(loader, request.filters), COUNT_LIMIT + 1
    else:
        statement, limit = page_statement(loader, request), request.size + 1
    arguments = [*([keys(case.name, loader)] if loader.is_keyed else []), *statement.arguments(limit, request)]
    return await explain(owner, scope_of(case.name), statement.query.sql, arguments, mode)


def excess(case: Case, found: Explained) -> str | None:
    """What a request reads beyond its bound."""
    given = {name for name, _ in case.request.filters}
    is_own = bool(given & OWN.get(case.name, set()))
    pending = case.name == "ledger.mempool" or ("status", "pending") in case.request.filters
    if found.scanned:
        return f"reads all of {', '.join(sorted(found.scanned))}"
    if found.rows > (OWN_ROWS if is_own else READ) or (found.blocks > BLOCKS and not is_own):
        return f"reads {found.rows} rows on {found.blocks} pages"
    # What waits for a block is bounded by the mempool.
    if found.sorted > max(RARE, COUNT_LIMIT) + SIZE * 2 and not pending and not is_own:
        return f"sorts {found.sorted} rows"
    return None


async def excesses(owner: Owner, name: str, used: set[str] | None = None, most: int | None = None) -> list[str]:
    """The requests of a list that read more than their bound, up to `most` of them: with one plan for all values, and
    with one for their own."""
    loader = LISTS[name]
    found: list[str] = []
    for case in cases(name, loader, await middles(owner, name, loader)):
        if most is not None and len(found) >= most:
            break
        given = {each for each, _ in case.request.filters}
        if len(given) > 1 and given & OWN.get(name, set()) and case.request.after is not None:
            # They read the same rows as the first page, which takes long enough.
            continue
        for mode in MODES:
            seen = await explained(owner, loader, case, mode)
            if used is not None:
                used |= seen.indexes
            if (why := excess(case, seen)) is not None:
                found.append(f"{case.shown} {mode}: {why} by {sorted(seen.indexes)}")
    return found


CHANGES: Final = {
    "points": (500, "points = points + 7"),
    "level": (500, "level = level + 1"),
    "verification": (500, "verification_status = 'verified'"),
    "leaving": (500, "status = 'left', left_at = now()"),
    "joining": (501, "status = 'active', left_at = NULL"),
}
"""What becomes of a participation: which of those that are filled in, and how it is written."""
SCANNED: Final = 100
"""As many rows of a table as may be read without an index by what follows."""


async def rows_scanned(owner: Owner) -> Counter[str]:
    """How many rows of each table this connection has read without an index, and not reported yet."""
    rows = await owner.fetch("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0")
    return Counter({row["relname"]: row["seq_tup_read"] for row in rows})


async def test_what_follows_from_a_participation_reads_a_bounded_number_of_rows(big: Owner) -> None:
    scanned = dict[str, Counter[str]]()
    for name, (number, change) in CHANGES.items():
        transaction = big.transaction()
        await transaction.start()
        before = await rows_scanned(big)
        # Plans are those of the application, to which row-level security applies.
        await big.execute("SET LOCAL ROLE moneta_app")
        await big.execute("SELECT set_config('app.system', 'on', true)")
        changed = await big.execute(f"UPDATE participations SET {change} WHERE id = {USER.format(number)}")
        assert changed == "UPDATE 1"
        await big.execute("SET CONSTRAINTS ALL IMMEDIATE")
        read = await rows_scanned(big) - before
        scanned[name] = Counter({table: rows for table, rows in read.items() if rows > SCANNED})
        await transaction.rollback()
    assert scanned == {name: Counter() for name in CHANGES}


USED: Final[dict[str, set[str]]] = {}
LARGE: Final = sorted(LISTS.keys() - {"market.tokens.tokens"})
"""Tokens are a few thousand, of which a list reads all: it searches them by what no index knows."""


@pytest.mark.parametrize("name", LARGE)
async def test_every_request_of_a_list_reads_a_bounded_number_of_rows(big: Owner, name: str) -> None:
    USED[name] = set()
    assert await excesses(big, name, USED[name]) == []


@pytest.mark.parametrize("name", LARGE)
def test_every_filter_is_tried_with_frequent_and_rare_values(name: str) -> None:
    values = VALUES.get(name, {})
    assert values.keys() == LISTS[name].filters.keys()
    assert all(given for given in values.values())


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("accounts.auth_log_by_user", "auth_logs_user_type"),
        ("accounts.users", "users_admins"),
        ("ledger.blocks", "blocks_miner"),
        ("market.news.news", "news_articles_source"),
    ],
)
async def test_a_filter_that_no_index_serves_is_found(big: Owner, name: str, index: str) -> None:
    change = big.transaction()
    await change.start()
    try:
        await big.execute(f"DROP INDEX {index}")
        assert await excesses(big, name, most=1) != []
    finally:
        await change.rollback()


async def unused(owner: Owner) -> set[str]:
    """The indexes that no plan names, and no reason explains."""
    by_lists = await of_parents(owner, set().union(*USED.values()))
    return await indexes(owner) - by_lists - await used_by(owner, STATEMENTS.values()) - REASONS.keys()


async def test_every_index_is_used(big: Owner) -> None:
    for name in LARGE:
        if name not in USED:
            USED[name] = set()
            await excesses(big, name, USED[name])
    assert await unused(big) == set()
    await big.execute("CREATE INDEX useless ON alerts (rearm)")
    assert await unused(big) == {"useless"}
    assert REASONS.keys() <= await indexes(big)
    await big.execute("DROP INDEX useless")
