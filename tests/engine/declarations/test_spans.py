from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engine.declarations.spans import check_spans
from app.kit.errors import InvalidInput

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("filters", "fields"),
    [
        ({"since": NOON, "until": LATER, "min_amount": 1, "max_amount": 1, "max_fee": 0, "search": "x"}, []),
        ({"since": LATER, "until": None, "min_amount": 2, "max_amount": None, "min_fee": None, "max_fee": 1}, []),
        ({"since": NOON, "until": NOON}, ["since"]),
        ({"min_amount": 2, "max_amount": 1, "since": LATER, "until": NOON}, ["min_amount", "since"]),
        ({"min_amount": 2, "max_fee": 1}, []),
        ({"amount": 2, "max_amount": 1}, []),
    ],
)
def test_nothing_lies_between_reversed_bounds(filters: dict[str, Any], fields: list[str]) -> None:
    if not fields:
        check_spans(filters)
        return
    with pytest.raises(InvalidInput) as caught:
        check_spans(filters)
    assert [path for (path,), _ in caught.value.fields] == fields
