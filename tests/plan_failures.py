"""A plan that fails on an exception nobody expects fails the test, although graphql-core answers then."""

from collections.abc import Iterator

import pytest

from app.engine.execution.breadth_first import is_expected
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Prepared

MARKER = "plan_fails"


@pytest.fixture(autouse=True)
def _no_plan_fails(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    failures: list[Exception] = []
    fall_back = Engine._fall_back

    def watched(engine: Engine, prepared: Prepared, error: Exception) -> None:
        if not is_expected(error):
            failures.append(error)
        fall_back(engine, prepared, error)

    monkeypatch.setattr(Engine, "_fall_back", watched)
    yield
    may_fail = request.node.get_closest_marker(MARKER) is not None
    assert bool(failures) == may_fail, failures
