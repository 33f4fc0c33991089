"""Histories: many short ones, each from a seed of its own, and the shortest part of one that breaks something."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from app.dev.soak.draws import step as next_step
from app.dev.soak.model import Broken, Step
from app.dev.soak.world import World

LENGTH: Final = 1_000
"""Steps of one history: short enough to be shortened, long enough for portfolios to be worn."""
ATTEMPTS: Final = 600
"""How often a history is repeated to find a shorter one."""


class Failure(msgspec.Struct, frozen=True):
    """What broke, and the shortest steps that were found to break the same."""

    seed: str
    problem: str
    steps: list[Step]


class Soaked(msgspec.Struct, frozen=True):
    """How far it came, and how often what was done."""

    steps: int
    matched: Counter[str]
    failure: Failure | None

    def report(self) -> tuple[list[str], list[str]]:
        """What was done, and what is wrong, line by line."""
        done = [f"{count:>12,} {name}" for name, count in sorted(self.matched.items())]
        failure = self.failure
        return done, [] if failure is None else [*map(str, failure.steps), failure.problem]


def soak(steps: int, seed: int, report: Callable[[int], None] = lambda done: None) -> Soaked:
    """Does so many random steps; stops at the first failure. The same seed does the same."""
    done, matched = 0, Counter[str]()
    while done < steps:
        of_history = f"{seed}:{done // LENGTH}"
        history, world, problem = _run(of_history, min(LENGTH, steps - done))
        matched.update(world.matched)
        done += len(history)
        report(done)
        if problem is not None:
            return Soaked(done, matched, Failure(of_history, repr(problem), shortest(history, problem)))
    return Soaked(done, matched, None)


def shortest(steps: Sequence[Step], problem: Exception) -> list[Step]:
    """The steps without those that the problem does not need."""
    kept, size, attempts = list(steps), max(1, len(steps) // 2), 0
    while size and attempts < ATTEMPTS:
        at = 0
        while at < len(kept) and attempts < ATTEMPTS:
            fewer = kept[:at] + kept[at + size :]
            attempts += 1
            if _is_alike(replayed(fewer), problem):
                kept = fewer
            else:
                at += size
        size //= 2
    return kept


def replayed(steps: Sequence[Step]) -> Exception | None:
    """The problem that these steps have; None if all holds."""
    world = World()
    try:
        for each in steps:
            world.do(each)
        world.audit()
    except Exception as problem:
        return problem
    return None


def _run(seed: str, length: int) -> tuple[list[Step], World, Exception | None]:
    random, world, steps = Random(seed), World(), list[Step]()
    try:
        for number in range(length):
            steps.append(next_step(random, world, 3 * number + 1))
            world.do(steps[-1])
        world.audit()
    except Exception as problem:
        return steps, world, problem
    return steps, world, None


def _is_alike(one: Exception | None, other: Exception) -> bool:
    if isinstance(one, Broken) and isinstance(other, Broken):
        return one.law == other.law
    return type(one) is type(other)
