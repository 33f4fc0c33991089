"""Four workers, of which one after the other is killed: a bot decides once on a candle, and places no order twice."""

from pathlib import Path

from tests.streams.bots.workers import BOTS, workers_with_bots
from tests.streams.servers import killable_servers

CYCLES = 2
"""`python -m tests.streams.bots` has thirty, or as many as one likes."""


async def test_whichever_worker_is_killed_a_bot_decides_once_on_a_candle(tmp_path: Path) -> None:
    with killable_servers(tmp_path / "servers") as servers:
        async with workers_with_bots(tmp_path, servers) as workers:
            for _ in range(CYCLES):
                await workers.cycle()
            outcome = await workers.end()
    assert outcome.kills == CYCLES
    assert outcome.candles > CYCLES
    assert outcome.decisions > BOTS
    assert outcome.orders > 3
    assert outcome.fills > 0
    print(outcome)
