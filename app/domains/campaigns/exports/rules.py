"""Participants as rows of a file. Pure."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import structs

from app.domains.campaigns.exports.model import ExportedRow
from app.domains.campaigns.imports.rules.cells import line_of
from app.domains.campaigns.imports.rules.records import MARK

HEADER: Final = tuple(each for each in ExportedRow.__struct_fields__ if each != "id")


def beginning() -> str:
    """How a file begins: with a mark, by which spreadsheets know that it is UTF-8, and the header."""
    return MARK + line_of(HEADER)


def lines_of(rows: Iterable[ExportedRow]) -> str:
    """Participants as rows."""
    return "".join(line_of(map(_written, structs.astuple(each)[1:])) for each in rows)


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict():
            return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    return str(value)
