"""What the composition root builds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.dev.embedded import Embedded
from app.kit.clock import SystemClock
from app.kit.database_clock import DatabaseClock
from app.main import open_application
from tests.conftest import settings_for_tests


def clocks_of(value: object, seen: set[int]) -> Iterator[object]:
    """Every clock that something of ours holds, however deep."""
    if id(value) in seen or isinstance(value, type):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        held: list[Any] = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        held = list(value)
    elif type(value).__module__.startswith("app."):
        names = [*vars(value)] if hasattr(value, "__dict__") else []
        names += [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        for name in names:
            if name.strip("_") == "clock":
                yield getattr(value, name)
        held = [getattr(value, name) for name in names if hasattr(value, name)]
    elif getattr(value, "__self__", None) is not None:
        held = [getattr(value, "__self__")]  # noqa: B009  # a bound method, which mypy cannot know
    else:
        return
    for each in held:
        yield from clocks_of(each, seen)


async def test_everybody_goes_by_the_databases_clock(
    tmp_path: Path, servers: Embedded, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for_tests(tmp_path).model_copy(
        update={"database_url": database_url, "redis_url": servers.redis_url, "database_pool_size": 2}
    )
    async with open_application(settings) as application:
        assert isinstance(application.clock, DatabaseClock)
        found = list(clocks_of(application, set()))
        assert len(found) > 30
        assert {id(clock) for clock in found} == {id(application.clock)}
        assert not any(isinstance(clock, SystemClock) for clock in found)
