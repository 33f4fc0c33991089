"""The most expensive documents within the limits: how long checking takes, and how long other requests wait."""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from typing import Any, Final

import msgspec
from graphql import GraphQLSyntaxError, parse
from rich.progress import Progress

from app.engine.execution.engine import Engine
from app.main import build_graph
from app.schema.limits import build_limits
from app.settings import Settings
from app.transport.messages import LARGE_BYTES, params_of_body
from bench.hostile import FAMILIES, splitting_places
from bench.machine import wait_for_quiet
from bench.report import Bar, Report

TARGET_MS: Final = 20.0
BEAT_S: Final = 0.001
REPEATS: Final = 5
SPLITTING_LEVELS: Final = 9


class Checked(msgspec.Struct, frozen=True):
    """One document."""

    family: str
    bytes: int
    alone_ms: list[float]
    """The time from the source to the operation or its refusal, without other load."""
    pauses_ms: list[float]
    """The longest that the event loop was blocked meanwhile."""


def measure(rounds: int, progress: Progress) -> Report:
    """Checks each document alone, then as a server does while a heartbeat listens."""
    limits = build_limits(Settings(), tick_period_s=1.0)
    schema = build_graph()
    sources = {family.__name__: _largest(family, limits.tokens) for family in FAMILIES}
    sources[splitting_places.__name__] = splitting_places(SPLITTING_LEVELS)
    bodies = {name: msgspec.json.encode({"query": source}) for name, source in sources.items()}
    ids = ["a"] * (limits.body_bytes // 5)
    query = "query($v: [ID!]!) { nodes(ids: $v) { id } }"
    bodies["variables"] = msgspec.json.encode({"query": query, "variables": {"v": ids}})
    # As the server does: the garbage collector skips what lives as long as the process.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 50)
    other_load = wait_for_quiet()
    task = progress.add_task("documents", total=len(bodies))
    checked: list[Checked] = []
    for name, body in bodies.items():
        alone, pauses = [], []
        for _ in range(rounds * REPEATS):
            engine = Engine(schema, limits)
            began = time.perf_counter()
            params = params_of_body(body)
            engine.prepare(params.query, "Q0", params.variables, introspection_allowed=True)
            alone.append((time.perf_counter() - began) * 1000)
            pauses.append(asyncio.run(_longest_pause(Engine(schema, limits), body)) * 1000)
        checked.append(Checked(name, len(body), alone, pauses))
        progress.advance(task)
    return _report(checked, [other_load])


def _largest(family: Callable[[int], str], tokens: int) -> str:
    """The largest of a family that is not refused for its tokens; it is lexed whole."""
    for size in range(tokens, 0, -50):
        source = family(size)
        with suppress(GraphQLSyntaxError):
            parse(source, max_lexical_tokens=tokens)
            return source
    raise ValueError(family.__name__)


async def _serve(engine: Engine, body: bytes) -> None:
    params = params_of_body(body) if len(body) <= LARGE_BYTES else await asyncio.to_thread(params_of_body, body)
    await engine.prepare_fairly(
        params.query,
        "Q0",
        params.variables,
        introspection_allowed=True,
        party=lambda: None,
        size_bytes=params.size_bytes,
    )


async def _longest_pause(engine: Engine, body: bytes) -> float:
    longest = 0.0

    async def listen() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(BEAT_S)
            now = time.perf_counter()
            longest, last = max(longest, now - last - BEAT_S), now

    listening = asyncio.create_task(listen())
    await asyncio.sleep(5 * BEAT_S)
    longest = 0.0
    await _serve(engine, body)
    await asyncio.sleep(2 * BEAT_S)
    listening.cancel()
    return longest


def _report(checked: list[Checked], other_load: list[Any]) -> Report:
    worst = max(median(each.pauses_ms) for each in checked)
    return Report(
        name="documents",
        title="The dearest documents: how long checking takes, and how long others wait",
        unit="ms that the event loop was held up, the longest",
        target=TARGET_MS,
        other_load=[float(load) for load in other_load],
        conditions=[
            "Each document is the largest of its kind that the default limits let through, and was not seen before.",
            "Checking is decoding, parsing, validating, coercing and weighing; nothing is executed.",
            f"The longest pause of the event loop, the median of the worst document: {worst:.1f} ms; the target is"
            f" {TARGET_MS:.0f}.",
        ],
        columns=["document", "bytes", "checked alone, ms", "event loop held up, ms (least to greatest)"],
        rows=[
            [
                each.family,
                f"{each.bytes:,}",
                f"{median(each.alone_ms):.1f}",
                f"{median(each.pauses_ms):.1f} ({min(each.pauses_ms):.1f} to {max(each.pauses_ms):.1f})",
            ]
            for each in checked
        ],
        bars=[
            Bar(each.family, "event loop", median(each.pauses_ms), min(each.pauses_ms), max(each.pauses_ms))
            for each in checked
        ],
        raw=checked,
    )
