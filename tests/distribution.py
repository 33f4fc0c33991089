"""Which process runs which test."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_WORLD = {"tests/plans/test_plans.py", "tests/domains/market/news/test_plans.py"}
"""Files whose tests share a database that takes long to fill."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test goes to the process that is free, and all of a file of `ONE_WORLD` to the same one.

    xdist's own groups do nothing with pytest 9.2, which no longer has the attribute that they set.
    """
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _unit_of
    return scheduler


def _unit_of(node_id: str) -> str:
    file = node_id.partition("::")[0]
    return file if file in ONE_WORLD else node_id
