"""Whatever is done before execution is linear in the document: steps are counted, not seconds."""

import sys
from types import FrameType
from typing import Any

import pytest

from app.engine.execution.breadth_first import plan, planned_fields
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Prepared
from app.main import build_graph
from app.schema.limits import build_limits
from app.settings import Settings
from bench.hostile import FAMILIES, Family, repeated_inline, splitting_places

SCHEMA = build_graph()
LIMITS = build_limits(Settings(), tick_period_s=1.0)

# Twice the document is twice the work, and some more where a dictionary or a list of errors grows.
GROWTH = 2.3


class Steps:
    """Counts the lines of Python that are run: every loop of every rule, graphql-core's among them."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Steps":
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            self.count += 1
        return self._trace


def steps(source: str) -> tuple[int, Any]:
    engine = Engine(SCHEMA, LIMITS)
    name = "Q0" if " Q0" in source else None
    with Steps() as counted:
        outcome = engine.prepare(source, name, {"v": 1} if "$v" in source else None, introspection_allowed=True)
        if isinstance(outcome, Prepared):
            _ = outcome.key
    return counted.count, outcome


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_twice_the_document_is_twice_the_work(family: Family) -> None:
    small, large = family(400), family(800)
    # The first of all fills what the schema keeps for itself.
    steps(small)
    before, _ = steps(small)
    after, _ = steps(large)
    print(f"{family.__name__}: {before:,} steps, then {after:,}")
    assert after / before <= GROWTH * max(1.0, len(large) / (2 * len(small)))


def test_where_places_double_the_work_is_bounded_by_what_is_written_out() -> None:
    """Sets of fragments that meet in ever new ways are more than the document: the bound on selections ends that."""
    per_selection: list[float] = []
    for levels in (5, 7, 9):
        source = splitting_places(levels)
        count, outcome = steps(source)
        assert isinstance(outcome, Prepared)
        per_selection.append(count / (len(source) + outcome.cost))
    print([f"{each:.0f}" for each in per_selection])
    assert per_selection[-1] <= per_selection[0]
    _, refused = steps(splitting_places(10))
    assert isinstance(refused, list)
    assert "are the limit" in refused[0].message


def test_a_fragment_that_is_spread_in_many_places_is_planned_once() -> None:
    """Written out these are twice as many fields with each level."""

    def planning(levels: int) -> tuple[int, int]:
        rungs = "".join(
            f"fragment F{n} on Block {{ previous {{ ...F{n + 1} }} next {{ ...F{n + 1} }} }} " for n in range(levels)
        )
        source = f"{{ block(by: {{height: 1}}) {{ ...F0 }} }} {rungs} fragment F{levels} on Block {{ height }}"
        engine = Engine(SCHEMA, LIMITS)
        prepared = engine.prepare(source, None, None, introspection_allowed=True)
        assert isinstance(prepared, Prepared)
        executor = engine._executor(prepared, None, None)  # type: ignore[arg-type]  # planning looks at no context
        with Steps() as counted:
            planned = plan(executor)
        assert planned is not None
        return counted.count, planned_fields(planned)

    planning(3)
    (four, _), (seven, _), (ten, fields) = planning(4), planning(7), planning(10)
    print(f"{four:,}, {seven:,} and {ten:,} steps")
    assert ten - seven <= 1.1 * (seven - four)
    # Of `previous` and of `next` apart.
    assert fields == 1 + 2 + 9 * 4 + 2


def test_counting_steps_would_show_pairs_that_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphql import specified_rules

    monkeypatch.setattr("app.engine.execution.documents.RULES", specified_rules)
    steps(repeated_inline(400))
    before, _ = steps(repeated_inline(800))
    after, _ = steps(repeated_inline(1600))
    assert after / before > 3


def test_a_document_with_fragments_is_bounded_as_if_they_were_written_out() -> None:
    source = "{ chain { ...F0 } } " + "".join(
        f"fragment F{n} on Chain {{ ...F{n + 1} ...F{n + 1} }} " for n in range(14)
    )
    source += "fragment F14 on Chain { height }"
    outcome = Engine(SCHEMA, LIMITS).prepare(source, None, None, introspection_allowed=True)
    assert isinstance(outcome, list)
    assert outcome[0].message == "49,152 selections with all fragments written out; 20,000 are the limit."
