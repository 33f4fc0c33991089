"""The doctor of data: rows without their parents, and counters that differ from what they count.

Whatever refers to a row has a foreign key, whose columns include the tenant and the mode where rows have them. So each
key is asked for rows without a parent, which also finds those that were moved to another tenant or mode. What is
counted beside the rows is declared by each house (`House.counters`). Orphans are only found: what becomes of them a
person decides. Counters are mended under the locks that those who count take.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import Command, Query, Statements

EXAMPLES: Final = 3
"""How many examples of each finding are named."""
BATCH: Final = 5000
"""How many counters are mended in a transaction."""

Progressed = Callable[[str, int, int], None]
"""Is called with what is done now, its number, and how many there are."""


class Found(msgspec.Struct, frozen=True):
    """What a check has found, with examples."""

    found: int
    examples: list[str]


class CounterDifference(msgspec.Struct, frozen=True):
    """A counter that differs. `found` is how many of its kind do."""

    key: str
    stored: str
    counted: str
    found: int


class Mended(msgspec.Struct, frozen=True):
    """A counter that was mended."""

    key: str
    before: str
    after: str


class Mending(msgspec.Struct, frozen=True, eq=False):
    """How counters are mended. Both are given their keys; `mend` counts anew, once `lock` has locked them."""

    lock: Command
    mend: Query[Mended]


class Counter(msgspec.Struct, frozen=True, eq=False):
    """What is counted beside the rows that it counts. `find`: up to $1 that differ."""

    name: str
    find: Query[CounterDifference]
    mending: Mending | None = None
    """None: a person decides what is right."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong with the data."""

    check: str
    found: int
    examples: tuple[str, ...]


class Repair(msgspec.Struct, frozen=True):
    """What was mended of one kind of counters, with examples."""

    counter: str
    mended: int
    examples: tuple[str, ...]


class DataReport(msgspec.Struct, frozen=True):
    """What was found in the end, after `repairs`, and how many checks there were."""

    checks: int
    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...] = ()


class ForeignKey(msgspec.Struct, frozen=True):
    """A foreign key of a table."""

    oid: int
    name: str


class DataSql(Statements, file="data_checks.sql"):
    """The statements about all tables."""

    foreign_keys: Query[ForeignKey]
    orphans: Query[Found]
    lost_partitions: Query[Found]
    lost_events: Query[Found]


@dataclass(frozen=True)
class DataDoctor:
    """Checks all data, so that it may run while Moneta does: each check is a snapshot of its own."""

    database: Database
    counters: Sequence[Counter]
    batch: int = BATCH

    async def check(self, progressed: Progressed = lambda *_: None) -> DataReport:
        """Finds what is wrong."""
        keys = await self.database.read(SYSTEM, lambda tx: tx.fetch(DataSql.foreign_keys))
        checks: list[tuple[str, Query[Found], tuple[int, ...]]]
        checks = [(f"rows without a parent: {key.name}", DataSql.orphans, (key.oid,)) for key in keys]
        checks += [
            ("partitions without a table", DataSql.lost_partitions, ()),
            ("events without a stream", DataSql.lost_events, ()),
        ]
        total, findings = len(checks) + len(self.counters), list[Finding]()
        for number, (name, query, given) in enumerate(checks):
            progressed(name, number, total)
            [found] = await self._asked(query, *given, EXAMPLES)
            if found.found:
                findings.append(Finding(name, found.found, tuple(found.examples)))
        for number, counter in enumerate(self.counters, len(checks)):
            progressed(counter.name, number, total)
            if (finding := await self._differing(counter)) is not None:
                findings.append(finding)
        progressed("checked", total, total)
        return DataReport(total, tuple(findings))

    async def repair(self, report: DataReport, progressed: Progressed = lambda *_: None) -> DataReport:
        """Mends the counters that a report names, and returns what is left."""
        wrong = {each.check: each.found for each in report.findings}
        repairs = list[Repair]()
        for counter in self.counters:
            if counter.mending is None or counter.name not in wrong:
                continue
            repairs.append(await self._mended(counter, counter.mending, wrong[counter.name], progressed))
        checked = {each.counter for each in repairs}
        left = [each for each in report.findings if each.check not in checked]
        # One that follows from another may differ only now.
        again = [await self._differing(each) for each in self.counters if each.name in checked]
        left += [each for each in again if each is not None]
        return DataReport(report.checks, tuple(left), tuple(repairs))

    async def _asked(self, query: Query[Found], *args: object) -> list[Found]:
        return await self.database.read(SYSTEM, lambda tx: tx.fetch(query, *args))

    async def _differing(self, counter: Counter) -> Finding | None:
        found = await self.database.read(SYSTEM, lambda tx: tx.fetch(counter.find, EXAMPLES))
        if not found:
            return None
        examples = (f"{each.key}: {each.stored}, counted {each.counted}" for each in found)
        return Finding(counter.name, found[0].found, tuple(examples))

    async def _mended(self, counter: Counter, mending: Mending, total: int, progressed: Progressed) -> Repair:
        mended, examples, met = 0, list[str](), set[str]()
        while True:
            progressed(f"mending {counter.name}", mended, max(total, mended))
            found = await self.database.read(SYSTEM, lambda tx: tx.fetch(counter.find, self.batch))
            # What still differs once it was mended is somebody else's to explain.
            keys = [each.key for each in found if each.key not in met]
            met.update(keys)

            async def work(tx: Tx, keys: list[str] = keys) -> list[Mended]:
                await tx.execute(mending.lock, keys)
                return await tx.fetch(mending.mend, keys)

            # What differed while somebody was counting does so no more once it is locked.
            done = await self.database.write(SYSTEM, work) if keys else []
            mended += len(done)
            examples += [f"{each.key}: {each.before}, now {each.after}" for each in done[: EXAMPLES - len(examples)]]
            if not done:
                progressed(f"mended {counter.name}", mended, mended)
                return Repair(counter.name, mended, tuple(examples))
