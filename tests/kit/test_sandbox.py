import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.kit.sandbox import SandboxError, run_sandboxed
from tests.kit.sandboxed import endless, environment, failing, greedy, hanging, reversed_bytes
from tests.waiting import HANG_S, until

MEMORY_BYTES = 256 * 1024 * 1024


async def test_what_the_function_gives_comes_back() -> None:
    given = bytes(range(256)) * 10_000
    assert await run_sandboxed(reversed_bytes, given, cpu_s=10, memory_bytes=MEMORY_BYTES) == given[::-1]


async def test_it_gets_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_SECRET_KEY", "secret")
    found = await run_sandboxed(environment, b"", cpu_s=10, memory_bytes=MEMORY_BYTES)
    # What Python itself sets where there is no locale.
    assert set(found.decode().split()) <= {"LC_CTYPE"}


@pytest.mark.parametrize("function", [endless, greedy, failing, hanging])
async def test_what_goes_beyond_its_limits_or_fails_is_told(
    function: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kit.sandbox._PATIENCE", 1 if function is hanging else HANG_S)
    with pytest.raises(SandboxError):
        await run_sandboxed(function, b"", cpu_s=1, memory_bytes=MEMORY_BYTES)


async def test_who_stops_waiting_ends_the_process() -> None:
    waiting = asyncio.create_task(run_sandboxed(hanging, b"", cpu_s=60, memory_bytes=MEMORY_BYTES))
    await until(lambda: len(contained_children()) == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert contained_children() == []


def contained_children() -> list[str]:
    here = os.getpid()
    children = Path(f"/proc/{here}/task/{here}/children").read_text(encoding="ascii").split()
    return [pid for pid in children if b"app.kit.sandbox" in Path(f"/proc/{pid}/cmdline").read_bytes()]
