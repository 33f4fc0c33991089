"""Random walks of bots: whatever happens and whatever is killed, every law holds after every step."""

from collections import Counter

import pytest

from tests.domains.trading.bots.memory.walk import LENGTH, MemoryWalk
from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.bots.walks.chance import draw_decisions
from tests.domains.trading.bots.walks.crashes import Crashes
from tests.domains.trading.bots.walks.walk import Walk
from tests.waiting import timed

STEPS = 300
STEPS_IN_MEMORY = 20_000
SEED = 1


async def test_no_walk_in_memory_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_decisions(monkeypatch)
    met = Counter[str]()
    with timed(f"{STEPS_IN_MEMORY} steps of bots in memory"):
        for number in range(STEPS_IN_MEMORY // LENGTH):
            walk = MemoryWalk(f"{SEED}:{number}")
            await walk.run(LENGTH)
            met += walk.met
    print(sorted(met.items()))


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
async def test_no_walk_breaks_a_law(robots: Robots, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    draw_decisions(monkeypatch)
    walk = Walk(robots, Crashes.over_postgres(monkeypatch), seed)
    await walk.begin()
    with timed(f"{STEPS} steps of bots over Postgres"):
        for _ in range(STEPS):
            await walk.step()
    await walk.end()
    print(
        sorted(walk.met.items()),
        walk.crashes.intrusions,
        await walk._stage.owner.fetch("select status, count(*) from trading_bots group by 1"),
        await walk._stage.owner.fetch(
            "select signal_type, execution_status, status_reason, count(*) from trading_signals group by 1,2,3 order by 1,2,3"
        ),
        await walk._stage.owner.fetch(
            "select bracket_role, type, status, count(*) from orders where bot_id is not null group by 1,2,3 order by 1,2,3"
        ),
    )
