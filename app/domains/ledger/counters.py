"""What the ledger counts beside the rows that are counted. The chain itself is checked by `doctor chain`."""

from typing import Final

from app.domains.ledger.statements import CounterSql
from app.kit.data_checks import Counter, Mending

COUNTERS: Final = (
    Counter("transactions of blocks", CounterSql.differing_blocks),
    Counter(
        "transactions of the chain", CounterSql.differing_totals, Mending(CounterSql.lock_chain, CounterSql.mend_totals)
    ),
)
