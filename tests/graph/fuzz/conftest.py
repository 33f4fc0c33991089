"""Limits on how much somebody may have are far away: behind them nothing would be tried."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.conftest import settings_for_tests


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As for other tests, but for those limits."""
    return settings_for_tests(tmp_path).model_copy(update={"alert_limit": 100_000, "watchlist_limit": 1000})
