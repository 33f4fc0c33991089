"""What comparisons with exchanges count. What is counted of books is checked by `doctor books`."""

from typing import Final

from app.domains.trading.venues.statements import ComparisonCountSql
from app.kit.data_checks import Counter, Mending

COUNTERS: Final = (
    Counter(
        "differences of comparisons with exchanges",
        ComparisonCountSql.differing_comparisons,
        Mending(ComparisonCountSql.lock_comparisons, ComparisonCountSql.mend_comparisons),
    ),
)
