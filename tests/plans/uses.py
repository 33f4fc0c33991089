"""Which indexes the application's statements use."""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

from app.kit.scope import SYSTEM
from app.kit.sql import Rows, Statement
from tests.databases import Owner
from tests.plans.explained import planned

REASONS: Final[Mapping[str, str]] = {
    "analytics_events_origins": "as user_analytics_origins",
    "user_analytics_origins": "where events came from is emptied along it; the plan without a moment reads nothing",
}
"""Indexes that no statement uses, and what they are for."""

# Unique indexes are constraints; indexes that begin with a foreign key's columns are for the deletion of what it names,
# also where they leave out the rows that name nothing.
# The queue's statements and indexes are those of its library.
_INDEXES: Final = """
SELECT c.relname AS name
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND NOT i.indisunique
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    AND NOT EXISTS (
        SELECT FROM pg_constraint f
        WHERE f.contype = 'f' AND f.conrelid = i.indrelid AND i.indnkeyatts = cardinality(f.conkey)
            AND (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] = f.conkey
            AND coalesce(pg_get_expr(i.indpred, i.indrelid), '(x IS NOT NULL)') LIKE '(% IS NOT NULL)'
    )
    AND i.indrelid::regclass::text NOT LIKE 'pgqueuer%'
"""
_PARENTS: Final = """
SELECT c.relname AS child, p.relname AS parent
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent WHERE c.relkind = 'i'
"""


async def indexes(owner: Owner) -> set[str]:
    """The indexes that somebody must need, or they only cost."""
    return {row["name"] for row in await owner.fetch(_INDEXES)}


async def used_by(owner: Owner, statements: Iterable[Statement]) -> set[str]:
    """The indexes that plans of these statements name. Tables that are small here are large elsewhere."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, Rows):
            continue
        parameters = (await owner.prepare(statement.sql)).get_parameters()
        try:
            found |= await planned(owner, SYSTEM, statement.sql, len(parameters))
        except asyncpg.InsufficientPrivilegeError:
            # What the owner does, not the application.
            continue
    return await of_parents(owner, found)


async def of_parents(owner: Owner, names: Iterable[str]) -> set[str]:
    """Indexes of partitions as those of their table."""
    parents = {row["child"]: row["parent"] for row in await owner.fetch(_PARENTS)}
    return {parents.get(name, name) for name in names}
