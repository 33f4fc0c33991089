"""The ID of an entry says its month, so that it and its lines are looked up in one partition of many."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domains.trading.journal import loaders
from app.domains.trading.journal.model import Currency, EntryKind, NewEntry
from app.domains.trading.journal.rules.entries import transfer_lines
from app.domains.trading.journal.statements import JournalSql
from app.kit.list_statements import page_statement
from app.kit.lists import PageRequest
from app.kit.reads import Reads
from tests.conftest import APP_ROLE
from tests.domains.trading.stage import Stage
from tests.plans.explained import MODES, nodes

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 12, 1, tzinfo=UTC)
PARTITIONS = 36
EDGES = (
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 11, 30, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 12, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
)


async def posted(stage: Stage) -> dict[int, datetime]:
    """An entry at the edge of each of some months."""
    id = await stage.create(initial_balance=Decimal(0))
    for table in ("journal_entries", "journal_lines"):
        await stage.owner.fetch("SELECT make_partitions($1, $2, $3)", table, SINCE, UNTIL)
    lines = transfer_lines(Currency.USD, 1)
    return {
        await stage.post(NewEntry(kind=EntryKind.DEPOSIT, portfolio_id=id, life=1, lines=lines, at=at)): at
        for at in EDGES
    }


async def test_each_entry_is_found_with_its_lines(stage: Stage) -> None:
    ids = await posted(stage)
    assert list(ids) == sorted(ids), "later ones have larger IDs"
    # What can be asked for by a global ID, but is no entry.
    strange = [1, 2**40, 2**63 - 1, min(ids) - 1, max(ids) + 1, min(ids) + 2**40]
    reads = Reads(stage.database, stage.alice.scope)
    request = PageRequest(10, loaders.lines_by_entry.default_order, descending=False)
    for id, at in ids.items():
        entry = await reads.one(loaders.entry_by_id, id)
        assert entry is not None
        assert (entry.id, entry.created_at) == (id, at)
        page = await reads.page(loaders.lines_by_entry, id, request)
        assert [line.entry_id for line in page.records] == [id, id]
    for id in strange:
        assert await reads.one(loaders.entry_by_id, id) is None
        assert (await reads.page(loaders.lines_by_entry, id, request)).records == []
    await reads.aclose()


def read(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan has read."""
    return {node["Relation Name"] for node in nodes(plan) if "Relation Name" in node and node["Actual Loops"] > 0}


@pytest.mark.parametrize("mode", MODES)
async def test_an_entry_is_looked_up_in_one_partition(stage: Stage, mode: str) -> None:
    ids = await posted(stage)
    request = PageRequest(10, loaders.lines_by_entry.default_order, descending=False)
    assert (
        await stage.owner.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal_entries'::regclass")
        >= PARTITIONS
    )
    for table, sql in (
        ("journal_entries", JournalSql.entries_by_ids.sql),
        ("journal_lines", page_statement(loaders.lines_by_entry, request).query.sql),
    ):
        for id, at in ids.items():
            async with stage.owner.transaction():
                await stage.owner.execute(
                    f"SET LOCAL ROLE {APP_ROLE}; SET LOCAL plan_cache_mode = {mode}; {stage.alice.scope.settings()};"
                    f" SET LOCAL timezone = 'Pacific/Auckland'; PREPARE looked_up AS {sql}"
                )
                given = f"'{{{id}}}'" + ("" if table == "journal_entries" else ", 10")
                plan = await stage.owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_up({given})")
                await stage.owner.execute("DEALLOCATE looked_up")
            tables = {name for name in read(json.loads(plan)[0]["Plan"]) if name.startswith("journal")}
            assert tables == {f"{table}_{at:%Y_%m}"}
