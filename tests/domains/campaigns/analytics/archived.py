"""Months of events, in the table and in files."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domains.campaigns.analytics.model import ArchivedEvent
from app.domains.campaigns.analytics.services.archives import Archives
from tests.domains.campaigns.analytics.park import Park

MONTH = date(2025, 10, 1)
LAST = datetime.fromisoformat("2025-10-31T23:59:59.999999Z")


class Killed(BaseException):
    """The process ends here."""


async def happened(park: Park, at: datetime = LAST, number: int = 10, who: UUID | None = None) -> None:
    """Events of long ago."""
    await park.owner.execute("SELECT make_partitions('analytics_events', $1, $1)", at)
    await park.owner.execute(
        "INSERT INTO analytics_events (tenant_id, livemode, project_id, participant_id, source, event_type, event_name,"
        " properties, user_properties, session_id, ip_address, user_agent, occurred_at)"
        " SELECT tenant_id, livemode, id, $4, 'tenant', 'x', 'Été ' || n,"
        " '{\"a\": [1, null, 1e308]}', '{\"b\": 1}', 's', '192.0.2.7', 'agent', $2::timestamptz - n * interval '1 day'"
        " FROM projects, generate_series(0, $3 - 1) n WHERE id = $1",
        park.project,
        at,
        number,
        who,
    )


async def rows(park: Park) -> dict[UUID, dict[str, Any]]:
    """The events in the table."""
    found = await park.owner.fetch("SELECT * FROM analytics_events WHERE occurred_at < '2026-01-01'")
    return {row["id"]: dict(row) for row in found}


async def is_there(park: Park, month: str = "2025_10") -> bool:
    """Whether a month is in the table."""
    return await park.owner.fetchval("SELECT to_regclass($1)", f"analytics_events_{month}") is not None


def filed(archives: Archives, month: date = MONTH) -> dict[UUID, ArchivedEvent]:
    """The events in the files, none of them twice."""
    events = list(archives.folder.events(month))
    found = {each.id: each for each in events}
    assert len(found) == len(events)
    return found


async def faults(archives: Archives) -> dict[str, str | None]:
    return {verdict.month: verdict.fault async for _, _, verdict in archives.check()}
