"""A thousand clients resume from any cursor, over real sockets, while events are published: each gets what follows."""

import asyncio
import random
from itertools import islice

from tests.streams.crowd import PLAIN, Crowd, check_legs, crowd
from tests.streams.deployment import Deployment
from tests.streams.readers import Reader, SocketReader
from tests.waiting import until

COMERS = 1000
AT_ONCE = 25
HISTORY = 60
"""So far back they begin, at most."""
RATE = 25.0


async def test_a_thousand_come_back_at_random_places(deployment: Deployment) -> None:
    chance = random.Random(9)
    comers: list[tuple[int, Reader]] = []
    try:
        async with crowd(deployment, rate=RATE, sockets=2, streams=1) as here:
            await join_all(here, comers, chance)
            # All are at the living end by now; the seam is behind them.
            await here.published(10)
            replayed = (await deployment.metrics())["moneta_subscription_replays_total"]
        last = here.cursor(here.publisher.log[-1].seq)
        await until(lambda: all(reader.newest == last for _, reader in comers))
        for place, reader in comers:
            expected = [(here.cursor(each.seq), each.hash) for each in here.publisher.log if each.seq > place]
            check_legs(reader, expected)
            assert (reader.faults, reader.cuts, reader.over) == ([], [], None)
        assert replayed > COMERS / 2
        receipts = sum(len(reader.events) for _, reader in comers)
        print(f"{COMERS} came back while {len(here.publisher.log)} events flowed: {receipts} receipts")
    finally:
        await asyncio.gather(*(reader.stop() for _, reader in comers))


async def join_all(here: Crowd, comers: list[tuple[int, Reader]], chance: random.Random) -> None:
    """Some at a time, each at a place of its own."""
    waiting = iter(range(COMERS))
    while batch := len(list(islice(waiting, AT_ONCE))):
        joined = []
        for _ in range(batch):
            top = here.publisher.log[-1].seq
            place = chance.randint(max(here.start, top - HISTORY), top)
            joined.append((place, SocketReader(here.deployment.url, PLAIN, here.cursor(place))))
        comers += joined
        await until(lambda: all(reader.events for _, reader in joined))  # noqa: B023  # of this batch
