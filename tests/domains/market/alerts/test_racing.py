"""Four processes race to store the same prices, and are killed at it: each crossing is found once, and none is lost."""

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domains.market.alerts.model import Rearm
from tests.domains.market.alerts.model import Model
from tests.domains.market.alerts.racing_worker import SYMBOLS
from tests.domains.market.alerts.stage import Stage
from tests.waiting import elapse, until

WORKER = Path(__file__).with_name("racing_worker.py")
WORKERS = 4
KILLS = 8
TICKS = 300
POLICIES = ((Rearm.ONCE, None), (Rearm.EVERY_TIME, None), (Rearm.AFTER_COOLDOWN, 7))


async def test_each_crossing_fires_once_whoever_races_and_dies(stage: Stage, database_url: str, servers: Any) -> None:
    await stage.owner.execute(
        "CREATE TABLE moves_log (id serial, symbol text, before numeric, after numeric, at timestamptz);"
        "GRANT USAGE ON SEQUENCE moves_log_id_seq TO moneta_app"
    )
    models: dict[Any, tuple[str, Model]] = {}
    for symbol in SYMBOLS:
        for threshold in ("2", "4.5", "7", "10"):
            for rises in (True, False):
                for rearm, cooldown_s in POLICIES:
                    model = Model(rises, Decimal(threshold), rearm, cooldown_s)
                    alert = await stage.create(model.condition, symbol=symbol, rearm=rearm, cooldown_s=cooldown_s)
                    models[alert.id] = symbol, model
    begun = stage.clock.now()

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, str(WORKER), database_url, servers.redis_url, begun.isoformat(), "4", str(TICKS),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip

    survivors = await run_and_kill(start, random.Random(4))
    assert [await worker.wait() for worker in survivors] == [0] * WORKERS
    gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'racing-worker')"
    await until(lambda: stage.owner.fetchval(gone))

    moves = await stage.owner.fetch("SELECT symbol, before, after, at FROM moves_log ORDER BY at, id")
    assert len(moves) > TICKS
    for symbol, model in models.values():
        for move in moves:
            if move["symbol"] == symbol:
                model.see(move["before"], move["after"], (move["at"] - begun).total_seconds())
    notified = await stage.owner.fetch("SELECT alert_id, created_at FROM notifications ORDER BY created_at")
    fired: dict[Any, tuple[float, ...]] = dict.fromkeys(models, ())
    for alert_id, at in notified:
        fired[alert_id] = (*fired[alert_id], (at - begun).total_seconds())
    assert fired == {id: model.fired_at_s for id, (_, model) in models.items()}
    assert len(notified) > len(models)
    counts = await stage.owner.fetch("SELECT id, trigger_count FROM alerts")
    assert dict(map(tuple, counts)) == {id: len(times) for id, times in fired.items()}
    # An event a notification, in the order of time, without a gap.
    facts = await stage.facts()
    assert sorted(fact["id"] for fact in facts) == sorted(
        str(row[0]) for row in await stage.owner.fetch("SELECT id FROM notifications")
    )
    assert [fact["created_at"] for fact in facts] == sorted(fact["created_at"] for fact in facts)


async def run_and_kill(start: Any, chance: random.Random) -> list[asyncio.subprocess.Process]:
    """Runs the workers; whenever one has reported some ticks, kills it and starts another. Returns the last ones."""
    workers = [await start() for _ in range(WORKERS)]
    for _ in range(KILLS):
        place = chance.randrange(WORKERS)
        worker = workers[place]
        for _ in range(chance.randint(1, 12)):
            await worker.stdout.readline()
        # Somewhere inside the next statements, not at the line itself.
        await elapse(chance.uniform(0, 0.01))
        with suppress(ProcessLookupError):
            worker.send_signal(signal.SIGKILL)
        await worker.wait()
        workers[place] = await start()
    for worker in workers:
        await worker.stdout.read()
    return workers
