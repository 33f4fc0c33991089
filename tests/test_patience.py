"""No test depends on how fast the machine is: no other deadline, clock or pause than those of `tests/waiting.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ALLOWED = {"waiting.py"}
DEADLINES = {"asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"}
CLOCKS = {
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")),
    *(f"time.{name}" for name in ("process_time", "process_time_ns", "thread_time")),
    "loop.time",
    "get_running_loop.time",
    "get_event_loop.time",
}
PAUSES = {"asyncio.sleep", "time.sleep"}
IMPATIENT = {"httpx.AsyncClient": ("timeout", "transport"), "websockets.connect": ("open_timeout",)}
"""What waits for some seconds only unless one of these arguments says otherwise."""

PATIENCE = {"timeout", "within_s", "deadline", "max_time", "open_timeout", "ping_timeout"}
"""Arguments that say how long is waited. A number is somebody's guess; `HANG_S` is nobody's."""


def dotted(node: ast.expr) -> str:
    """`a.b` of `a.b`, `a.b(...)` and `x.a(...).b`: the last two names."""
    match node:
        case ast.Call(func=function):
            return dotted(function)
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value).rpartition('.')[2]}.{name}"
        case ast.Name(id=name):
            return name
    return ""


def names_of(tree: ast.Module) -> dict[str, str]:
    """What the functions that are imported by themselves are called in full."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {
            "asyncio",
            "time",
            "httpx",
            "websockets.asyncio.client",
        }:
            module = node.module.partition(".")[0]
            found |= {name.asname or name.name: f"{module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.asname: name.name for name in node.names if name.asname and name.name in {"asyncio", "time"}}
    return found


def is_number(node: ast.expr) -> bool:
    """Whether it is made of nothing but numbers."""
    return any(isinstance(part, ast.Constant) and isinstance(part.value, int | float) for part in ast.walk(node)) and (
        not any(isinstance(part, ast.Name) for part in ast.walk(node))
    )


def faults_of(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    names = names_of(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func)
        first, _, rest = called.partition(".")
        called = ".".join(filter(None, (names.get(first, first), rest)))
        if called in DEADLINES:
            yield node.lineno, f"{called}: every test is guarded already; what ends it is its outcome"
        elif called in CLOCKS:
            yield node.lineno, f"{called}: durations are noted by `timed` or `seen`, and compared with nothing"
        elif called in PAUSES and not (called == "asyncio.sleep" and ast.unparse(node.args[0]) == "0"):
            yield node.lineno, f"{called}: wait for what is meant with `until`; an outage lasts by `elapse`"
        elif called == "asyncio.wait" and any(keyword.arg == "timeout" for keyword in node.keywords):
            yield node.lineno, "asyncio.wait: it is over when the tasks are"
        elif called.endswith((".wait", ".join")) and any(is_number(argument) for argument in node.args):
            yield node.lineno, f"{called}({ast.unparse(node.args[0])}): give it HANG_S"
        elif called in IMPATIENT and not {keyword.arg for keyword in node.keywords} & {*IMPATIENT[called]}:
            yield node.lineno, f"{called}: it waits for some seconds only; give {IMPATIENT[called][0]}=HANG_S"
        for keyword in node.keywords:
            if keyword.arg in PATIENCE and is_number(keyword.value):
                yield keyword.value.lineno, f"{keyword.arg}={ast.unparse(keyword.value)}: give it HANG_S"


def test_no_test_depends_on_how_fast_the_machine_is() -> None:
    faults = [
        f"{path.relative_to(TESTS)}:{line}: {fault}"
        for path in sorted(TESTS.rglob("*.py"))
        if str(path.relative_to(TESTS)) not in ALLOWED
        for line, fault in faults_of(path.read_text())
    ]
    assert faults == []


@pytest.mark.parametrize(
    "source",
    [
        "async with asyncio.timeout(5): pass",
        "async with A, asyncio.timeout(HANG_S): pass",
        "await asyncio.wait_for(x, 5)",
        "from asyncio import wait_for as patient\nawait patient(x, 5)",
        "await asyncio.wait([task], timeout=HANG_S)",
        "began = time.monotonic()",
        "import time as clock\nbegan = clock.perf_counter()",
        "from time import process_time\nassert process_time() < 5",
        "began = asyncio.get_running_loop().time()",
        "loop.time()",
        "await asyncio.sleep(0.1)",
        "await asyncio.sleep(PAUSE_S)",
        "time.sleep(0)",
        "subprocess.run(['x'], timeout=60)",
        "httpx.AsyncClient(timeout=2 * 5)",
        "@settings(deadline=200)\ndef test(): pass",
        "await until(f, within_s=3)",
        "process.wait(10)",
        "httpx.AsyncClient(base_url=url)",
        "from websockets.asyncio.client import connect\nconnect(url)",
        "thread.join(0.5)",
    ],
)
def test_it_is_seen(source: str) -> None:
    assert len(list(faults_of(source))) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "await asyncio.sleep(0)",
        "subprocess.run(['x'], timeout=HANG_S)",
        "await until(f)",
        "clock.time()",
        "f(timeout=None)",
    ],
)
def test_what_is_fine_is_left_alone(source: str) -> None:
    assert list(faults_of(source)) == []
