"""Pays and mines as fast as it can until it is killed, and prints a line for each thing that was acknowledged.

A process of its own, for test_invariants.py: `python crash_worker.py DATABASE_URL REDIS_URL NOW`.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from uuid import uuid4

from app.domains.ledger.model import TransferCommand
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database
from app.kit.errors import Problem
from app.kit.events import EventLog
from app.kit.redis_client import open_redis
from tests.domains.ledger.scene import KEYRING, NAMED_MATURITY, user_of, viewer_of
from tests.waiting import HANG_S

NAME = "crash-worker"


async def main(database_url: str, redis_url: str, now: str) -> None:
    database = await Database.open(database_url, role="moneta_app", size=4, timeout_s=HANG_S, name=NAME)
    clock = FixedClock(datetime.fromisoformat(now))
    events = EventLog(database, await open_redis(redis_url))
    ledger = LedgerServices.build(database, clock, events, Keyring.parse(KEYRING), coinbase_maturity=NAMED_MATURITY)
    rows = await database.pool.fetch("SELECT user_id, wallet_id FROM wallets")
    wallets = {row[0]: row[1] for row in rows}
    alice, bob = (wallets[user_of(name)] for name in ("alice", "bob"))

    async def pay() -> None:
        for sender, recipient in cycle((("alice", bob), ("bob", alice))):
            command = TransferCommand(recipient_wallet_id=recipient, amount=Decimal(1))
            try:
                say(
                    "paid",
                    await ledger.transfers.transfer(viewer_of(user_of(sender), clock=clock), command, str(uuid4())),
                )
            except Problem:
                # Too long a chain of unconfirmed change, until the next block.
                await asyncio.sleep(0)

    async def mine() -> None:
        while True:
            clock.advance(timedelta(seconds=10))
            block = await solved((await ledger.chain.template(alice)).block)
            say("mined", (await ledger.chain.connect(block, alice)).block_hash)

    await asyncio.gather(pay(), mine())


def say(kind: str, value: str) -> None:
    print(kind, value, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
