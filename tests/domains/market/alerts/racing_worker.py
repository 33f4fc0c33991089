"""Feeds prices as fast as it can, with others that do the same, until it is through or is killed.

A process of its own, for test_racing.py: `python racing_worker.py DATABASE_URL REDIS_URL BEGIN SEED TICKS`.
"""

import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.services.price_alerts import PriceAlerts
from app.domains.market.prices.model import Move, Quote
from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.domains.notifications.services import Notifications
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database, Tx
from app.kit.events import EventLog
from app.kit.mail import Message
from app.kit.redis_client import open_redis
from app.kit.volatile import VolatileTopics
from tests.statements import statement
from tests.waiting import HANG_S

NAME = "racing-worker"
SYMBOLS = ("BTC", "ETH", "SOL")
LOG = statement(
    "log", "", "INSERT INTO moves_log (symbol, before, after, at) SELECT m.*, $4 FROM unnest($1::text[], $2::numeric[],"
    " $3::numeric[]) AS m"
)  # fmt: skip


def walk(seed: int, ticks: int) -> Iterator[dict[str, Decimal]]:
    """The same for every process: prices between 1 and 10."""
    chance = random.Random(seed)
    for _ in range(ticks):
        yield {symbol: Decimal(chance.randint(1, 10)) for symbol in SYMBOLS}


class NoMailer:
    async def send(self, message: Message) -> None:
        raise AssertionError("nobody wants mail")


async def main(database_url: str, redis_url: str, begin: str, seed: str, ticks: str) -> None:
    database = await Database.open(database_url, role="moneta_app", size=2, timeout_s=HANG_S, name=NAME)
    redis = await open_redis(redis_url)
    clock = FixedClock(datetime.fromisoformat(begin))
    mail_queue = MailQueue(Keyring.generate(), NoMailer())
    dispatcher = AlertDispatcher(database, clock, Notifications(database, clock, EventLog(database, redis), mail_queue))
    ticker = Ticker("simulated", clock, VolatileTopics(redis), every_s=1)

    async def log(tx: Tx, _: str, moves: Sequence[Move]) -> None:
        """What happened to the prices, whichever worker stored them; committed together with the alerts that fired."""
        known = [move for move in moves if move.before is not None]
        columns = [[move.symbol for move in known], [move.before for move in known], [move.after for move in known]]
        await tx.execute(LOG, *columns, clock.now())

    recorder = Recorder(database, clock, [log, PriceAlerts(AlertMatcher(database, clock, dispatcher)).evaluate], [])
    for number, prices in enumerate(walk(int(seed), int(ticks))):
        clock.advance(timedelta(seconds=1))
        ticker.due = {symbol: Quote(symbol, clock.now(), price, price) for symbol, price in prices.items()}
        await recorder.record(ticker)
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
