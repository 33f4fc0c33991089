"""Random walks of bots: whatever happens and whatever is killed, every law holds after every step."""

import pytest

from tests.domains.trading.bots.memory.walk import walks
from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.bots.walks.chance import draw_decisions
from tests.domains.trading.bots.walks.crashes import Crashes
from tests.domains.trading.bots.walks.walk import Walk
from tests.waiting import timed

STEPS_IN_MEMORY = 20_000
"""`python -m tests.domains.trading.bots.memory` does as many as one likes."""
STEPS = 300
SEED = 1
MET = {
    *(f"BUY {status}" for status in ("EXECUTED", "FAILED", "IGNORED")),
    *(f"SELL {status}" for status in ("EXECUTED", "FAILED", "IGNORED")),
    "HOLD IGNORED",
    "entry market filled",
    "stop_loss stop filled",
    "take_profit limit filled",
    "None market filled",
    "None stop filled",
    "1 workers",
    "2 workers",
    "3 workers",
    "killed",
    "intruded",
    "stalled",
}
"""What a walk in memory has to meet, so that it checks something."""
MET_OVER_POSTGRES = {"1 workers", "2 workers", "3 workers", "killed", "stalled", "fills"}
"""A walk over Postgres goes on until it has met these."""


async def test_no_walk_in_memory_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_decisions(monkeypatch)
    with timed(f"{STEPS_IN_MEMORY:,} steps of bots in memory"):
        met = await walks(STEPS_IN_MEMORY, SEED)
    assert MET - set(met) == set()


async def test_no_walk_over_postgres_breaks_a_law(robots: Robots, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_decisions(monkeypatch)
    walk = Walk(robots, Crashes.over_postgres(monkeypatch), SEED)
    await walk.begin()
    with timed(f"{STEPS} steps of bots over Postgres"):
        steps = 0
        while steps < STEPS or MET_OVER_POSTGRES - set(+walk.met):
            await walk.step()
            steps += 1
    await walk.end()
