"""Which process runs which test."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_WORLD = ("tests/plans/test_plans.py", "tests/domains/market/news/test_plans.py", "tests/e2e/", "tests/streams/")
"""Files and folders whose tests share what takes long to make: a database with many rows, or running servers."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test goes to the process that is free, and all of a part of `ONE_WORLD` to the same one.

    xdist's own groups do nothing with pytest 9.2, which no longer has the attribute that they set.
    """
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _unit_of
    return scheduler


def _unit_of(node_id: str) -> str:
    return next((world for world in ONE_WORLD if node_id.startswith(world)), node_id)
