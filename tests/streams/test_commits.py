"""What is published is what was committed: not what was rolled back, all of what was committed, in its order."""

import asyncio
import random
import signal
import sys

import msgspec
import pytest

from app.domains.ledger.streams import CHAIN_STREAM
from app.kit.db import SYSTEM, Tx
from tests.statements import statement
from tests.streams.crowd import PLAIN
from tests.streams.deployment import Deployment
from tests.streams.processes import ROOT
from tests.streams.publishing import block_fact, numbered
from tests.streams.readers import EventSourceReader, Reader, SocketReader
from tests.waiting import until

SLEEP = statement("sleep", "Holds the transaction open.", "SELECT pg_sleep($1)")
WRITERS = 50
ROUNDS = 4
DOOMED = 40
SSE_PLAIN = "subscription { blocks { cursor block { hash } } }"


class RolledBack(Exception):
    """Why nothing was committed."""


async def readers_of(deployment: Deployment) -> tuple[int, list[Reader]]:
    """Where the stream stands, and two who read on from there."""
    top = await deployment.top()
    after = await deployment.cursor(top)
    return top, [SocketReader(deployment.url, PLAIN, after), EventSourceReader(deployment.url, SSE_PLAIN, after)]


async def append(
    deployment: Deployment, number: int = 0, *, before_s: float = 0, after_s: float = 0, fails: bool = False
) -> int:
    """A block's news in a transaction that takes its time; returns its `seq`."""

    async def work(tx: Tx) -> int:
        await tx.fetch(SLEEP, before_s)
        seq = await numbered(
            tx, deployment.application.events, block_fact(deployment.blocks[number % len(deployment.blocks)], number)
        )
        await tx.fetch(SLEEP, after_s)
        if fails:
            raise RolledBack
        return seq

    return await deployment.application.database.write(SYSTEM, work)


async def check(deployment: Deployment, readers: list[Reader], top: int, hashes: list[str]) -> None:
    """Both were given these blocks, with the numbers that follow `top`, and nothing else."""
    expected = [(await deployment.cursor(top + place), hash_) for place, hash_ in enumerate(hashes, 1)]
    await until(lambda: all(reader.newest == expected[-1][0] for reader in readers))
    for reader in readers:
        assert [(event.cursor, event.hash) for event in reader.events] == expected
        assert (reader.faults, reader.cuts, reader.over) == ([], [], None)
        await reader.stop()


async def test_a_rollback_publishes_nothing(deployment: Deployment) -> None:
    top, readers = await readers_of(deployment)
    for _ in range(3):
        with pytest.raises(RolledBack):
            await append(deployment, 1, fails=True)
    await append(deployment, 2)
    await check(deployment, readers, top, [deployment.blocks[2]["hash"]])


async def test_a_commit_counts_even_if_its_process_dies_at_once(deployment: Deployment) -> None:
    top, readers = await readers_of(deployment)
    for number, moment in ((1, "before-commit"), (2, "after-commit")):
        fact = msgspec.json.encode(block_fact(deployment.blocks[number], number)).decode()
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.streams.dying_writer",
            deployment.servers.database_url,
            deployment.servers.redis_url,
            fact,
            moment,
            cwd=ROOT,
        )
        try:
            assert await writer.wait() == -signal.SIGKILL
        finally:
            if writer.returncode is None:
                writer.kill()
                await writer.wait()
    await append(deployment, 3)
    await check(deployment, readers, top, [deployment.blocks[number]["hash"] for number in (2, 2, 3)])


async def test_fifty_writers_at_once_are_read_without_a_hole_and_in_order(deployment: Deployment) -> None:
    chance = random.Random(5)
    top, readers = await readers_of(deployment)
    committed: dict[int, int] = {}
    order = list(range(WRITERS * ROUNDS))
    doomed = set(chance.sample(order, DOOMED))

    async def write(numbers: list[int]) -> None:
        for number in numbers:
            before_s, after_s = chance.uniform(0, 0.05), chance.uniform(0, 0.003)
            try:
                seq = await append(deployment, number, before_s=before_s, after_s=after_s, fails=number in doomed)
            except RolledBack:
                continue
            committed[seq] = number

    await asyncio.gather(*(write(order[writer::WRITERS]) for writer in range(WRITERS)))
    assert sorted(committed) == list(range(top + 1, top + 1 + len(order) - DOOMED))
    assert set(committed.values()) == set(order) - doomed
    numbers = [committed[seq] for seq in sorted(committed)]
    assert numbers != sorted(numbers), "they did overtake each other"
    await check(
        deployment, readers, top, [deployment.blocks[number % len(deployment.blocks)]["hash"] for number in numbers]
    )
    assert await deployment.top() == top + len(committed)
    print(f"{WRITERS} writers: {len(committed)} committed on {CHAIN_STREAM}, {DOOMED} rolled back")
