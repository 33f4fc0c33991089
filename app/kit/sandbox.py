"""Runs a function over bytes in a process of its own, with a limit on its time and its memory.

For untrusted input that a library parses without such limits: a thread cannot be stopped, a process can. It gets
no environment, and so no secrets.
"""

import asyncio
import contextlib
import importlib
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.kit.work import free_to_wait

_ROOT: Final = Path(__file__).parents[2]
_PATIENCE: Final = 3
"""The limit on elapsed time, as a multiple of that on processor time: on a busy machine a process waits."""


class SandboxError(Exception):
    """The function took too long or too much memory, or its process failed."""


async def run_sandboxed(function: Callable[[bytes], bytes], given: bytes, *, cpu_s: int, memory_bytes: int) -> bytes:
    """Returns the result of a module's function. Raises SandboxError, also for anything that the function raises."""
    free_to_wait("another process")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        function.__module__,
        function.__qualname__,
        str(cpu_s),
        str(memory_bytes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env={},
    )
    try:
        async with asyncio.timeout(_PATIENCE * cpu_s):
            answer, _ = await process.communicate(given)
    except TimeoutError as error:
        raise SandboxError("it takes too long") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode != 0:
        raise SandboxError("it takes too long or too much memory")
    return answer


def _main(module: str, name: str, cpu_s: int, memory_bytes: int) -> None:
    function = getattr(importlib.import_module(module), name)
    given = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    # macOS knows no such limit.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    sys.stdout.buffer.write(function(given))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
