"""What Postgres does for a statement, asked as the application asks."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from app.kit.scope import Scope
from tests.conftest import APP_ROLE
from tests.databases import Owner

_numbers = count(1)
MODES = ("force_generic_plan", "force_custom_plan")
_READS = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}
# Inverted indexes list the rows of a word in a few pages, and always all of them.
INVERTED = {"news_articles_search", "news_articles_symbols"}
_FEW = 10_000


class Explained(NamedTuple):
    """What a statement did."""

    rows: int
    """Rows that were taken from tables and indexes, those that a filter removed too."""
    blocks: int
    """Pages of tables and indexes that were read."""
    sorted: int
    """Rows of the largest sort."""
    scanned: frozenset[str]
    """Tables that were read from end to end, or far: where Postgres knows that a condition holds for many rows, it
    may take the first that it comes across."""
    indexes: frozenset[str]


def literal(value: Any) -> str:
    """A value as EXECUTE takes it: the type is that of the parameter."""
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return _quoted("{" + ",".join(f'"{_text(each)}"' for each in value) + "}")
    return _quoted(_text(value))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def explain(owner: Owner, scope: Scope, sql: str, arguments: Sequence[Any], mode: str) -> Explained:
    """Runs a statement as the application does on behalf of `scope`, with one plan for all values, or for these."""
    name = f"tried_{next(_numbers)}"
    async with owner.transaction():
        given = f"({', '.join(map(literal, arguments))})" if arguments else ""
        await owner.execute(
            f"SET LOCAL ROLE {APP_ROLE}; SET LOCAL plan_cache_mode = {mode}; {scope.settings()};"
            f" PREPARE {name} AS {sql}"
        )
        plan = await owner.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) EXECUTE {name}{given}")
        await owner.execute(f"DEALLOCATE {name}")
    return _explained(json.loads(plan)[0]["Plan"])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def _explained(plan: dict[str, Any]) -> Explained:
    found = list(nodes(plan))
    return Explained(
        rows=round(sum(map(_rows, filter(_reads, found)))),
        blocks=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        sorted=round(max((_rows(node["Plans"][0]) for node in found if "Sort" in node["Node Type"]), default=0)),
        scanned=frozenset(
            node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan" and _rows(node) > _FEW
        ),
        indexes=frozenset(node["Index Name"] for node in found if "Index Name" in node),
    )


def _reads(node: dict[str, Any]) -> bool:
    return node["Node Type"] in _READS and node.get("Index Name") not in INVERTED


def _rows(node: dict[str, Any]) -> float:
    removed = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


async def planned(owner: Owner, scope: Scope, sql: str, parameters: int) -> set[str]:
    """The indexes in a statement's plan for all values, where no table is read from end to end."""
    name = f"planned_{next(_numbers)}"
    async with owner.transaction():
        given = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        await owner.execute(
            f"SET LOCAL ROLE {APP_ROLE}; SET LOCAL plan_cache_mode = force_generic_plan;"
            f" SET LOCAL enable_seqscan = off; {scope.settings()}; PREPARE {name} AS {sql}"
        )
        plan = await owner.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name}{given}")
        await owner.execute(f"DEALLOCATE {name}")
    return {node["Index Name"] for node in nodes(json.loads(plan)[0]["Plan"]) if "Index Name" in node}
