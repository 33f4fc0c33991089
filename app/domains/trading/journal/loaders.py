"""The loaders of the journal, which only the owner of the portfolio can read."""

from app.domains.trading.journal.model import EntryKind
from app.domains.trading.journal.statements import JournalSql
from app.kit.lists import at_least as since
from app.kit.lists import before, by, constant, equals
from app.kit.loaders import Audience, one, page

entry_by_id = one(JournalSql.entries_by_ids, key="id", audience=Audience.VIEWER)
entries_by_portfolio = page(
    JournalSql.entries_by_portfolio,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={
        "kind": constant("kind", EntryKind),
        "life": equals("life"),
        "since": since("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)
lines_by_entry = page(JournalSql.lines_by_entry, orders={"NUMBER": by("line_no")}, audience=Audience.VIEWER)
lots_by_portfolio = page(
    JournalSql.lots_by_portfolio,
    orders={"NUMBER": by("number", descending=True)},
    filters={"symbol": equals("symbol"), "open": constant("is_open")},
    audience=Audience.VIEWER,
)
disposals_by_portfolio = page(
    JournalSql.disposals_by_portfolio,
    orders={"NUMBER": by("id", descending=True)},
    filters={"symbol": equals("symbol")},
    audience=Audience.VIEWER,
)
