"""An API process that dies by SIGKILL in the middle of a run, for test_phases.py.

`python -m tests.domains.market.analysis.phase_worker DATABASE_URL REDIS_URL USER_ID SESSION_ID`: opens a run for BTC,
and dies when the news are to be analysed, which is in the third phase.
"""

import asyncio
import os
import signal
import sys
from uuid import UUID

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.services import Analyses, Phases
from app.domains.market.analysis.services.analyst import Examination, NotAvailable
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.redis_client import open_redis
from tests.databases import NOON
from tests.domains.market.analysis.viewers import viewer_of
from tests.waiting import HANG_S


class KilledAnalyst:
    """Has no findings, and kills its process at the first request."""

    def __init__(self, type: AnalysisType) -> None:
        self.type = type

    async def examine(self, symbol: str) -> Examination:
        if self.type is AnalysisType.NEWS:
            os.kill(os.getpid(), signal.SIGKILL)
        raise NotAvailable("Nothing is known.")


async def main(database_url: str, redis_url: str, user_id: str, session_id: str) -> None:
    database = await Database.open(database_url, role="moneta_app", size=4, timeout_s=HANG_S, name="phase-worker")
    redis, clock = await open_redis(redis_url), FixedClock(NOON)
    others = [KilledAnalyst(kind) for kind in AnalysisType if kind is not AnalysisType.RESEARCH]
    analyses = Analyses(database, redis, clock, others, None)
    phases = Phases(database, clock, EventLog(database, redis), analyses)
    await phases.open(viewer_of(UUID(user_id), UUID(session_id)), "BTC")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
