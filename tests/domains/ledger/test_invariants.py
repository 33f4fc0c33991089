"""Invariants: random histories against the real database, concurrent spends of one coin, kill -9."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from app.domains.ledger.model import TransactionRejected
from app.domains.ledger.rules.amounts import to_coins
from app.domains.ledger.rules.subsidy import issued_units
from app.domains.ledger.services.chain import ChainMoved
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Problem
from tests.databases import Owner
from tests.domains.ledger.scene import NAMES, Scene
from tests.waiting import elapse, until

T = TypeVar("T")
CUSTODIAL = ("alice", "bob", "dave")
DOUBLE_SPENDS = 200
KILLS = 4
WORKER = Path(__file__).with_name("crash_worker.py")


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Scene]:
    yield await Scene.with_people(database, owner, redis, clock)


async def assert_invariants(scene: Scene) -> None:
    state = await scene.services.chain.state()
    assert state is not None
    # Supply: all that confirmed transactions have not spent. Pending ones change nothing yet.
    unspent = await scene.owner.fetchval(
        "SELECT coalesce(sum(u.amount), 0) FROM utxos u"
        " LEFT JOIN transactions s ON s.transaction_hash = u.spent_in_tx_hash"
        " WHERE u.block_height IS NOT NULL AND s.status IS DISTINCT FROM 'confirmed'"
    )
    issued = to_coins(issued_units(state.tip_height))
    assert unspent == issued - state.burned_coins == state.circulating_coins
    # One spend an output: the replay below finds a second one in the signed bytes. None is held by a failed one.
    held = await scene.owner.fetchval(
        "SELECT count(*) FROM utxos u JOIN transactions t ON t.transaction_hash = u.spent_in_tx_hash"
        " WHERE t.status = 'failed'"
    )
    assert held == 0
    await scene.assert_books_balance()
    # One tip: exactly one block without a successor.
    tips = await scene.owner.fetch(
        "SELECT block_hash FROM blocks b WHERE NOT EXISTS (SELECT FROM blocks c WHERE c.previous_hash = b.block_hash)"
    )
    assert [row[0] for row in tips] == [state.tip_hash]
    assert await scene.owner.fetchval("SELECT count(*) FROM blocks") == state.tip_height + 1
    report = await scene.replay()
    assert (report.wrong_height, report.reason) == (None, None)


async def start_over(scene: Scene) -> None:
    await scene.owner.execute(
        "TRUNCATE blockchain_info, utxos, transactions, blocks, idempotency_keys, event_streams, events CASCADE;"
        "UPDATE wallet_balances SET balance = 0"
    )


def machine_of(run: Callable[[Coroutine[Any, Any, Any]], Any], scene: Scene) -> type[RuleBasedStateMachine]:
    """The machine's rules run in a thread; `run` takes a coroutine to the loop that the database belongs to."""

    class History(RuleBasedStateMachine):
        @initialize(blocks=st.integers(2, 5))
        def begin(self, blocks: int) -> None:
            run(start_over(scene))
            run(scene.begin(blocks=blocks, miner="alice"))
            self.stale = run(scene.next_block("bob"))

        @rule(pair=st.permutations(NAMES), units=st.integers(1, 600 * 10**8), fee_units=st.integers(1000, 10**8))
        def transfer(self, pair: list[str], units: int, fee_units: int) -> None:
            run(attempt(scene.pay(pair[0], pair[1], str(to_coins(units)), fee=to_coins(fee_units))))

        @rule(sender=st.sampled_from(CUSTODIAL), count=st.integers(2, 5), units=st.integers(1, 400 * 10**8))
        def transfer_at_once(self, sender: str, count: int, units: int) -> None:
            run(together(*(attempt(scene.pay(sender, "carol", str(to_coins(units)))) for _ in range(count))))

        @rule(data=st.data(), fee_units=st.integers(1000, 10**6), spends=st.integers(1, 4))
        def double_spend(self, data: st.DataObject, fee_units: int, spends: int) -> None:
            """Carol signs several payments of one coin: at most one is accepted."""
            coins = run(scene.coins("carol"))
            large = {outpoint: units for outpoint, units in coins.items() if units > fee_units + spends}
            if not large:
                return
            outpoint = data.draw(st.sampled_from(sorted(large)))
            payments = [
                scene.payment("carol", [outpoint], [("bob", large[outpoint] - fee_units - place)], fee_units + place)
                for place in range(spends)
            ]
            results = run(together(*(attempt(scene.submit("carol", payment)) for payment in payments)))
            assert sum(result is not None for result in results) == 1

        @rule(miner=st.sampled_from(NAMES), blocks=st.integers(1, 3))
        def mine(self, miner: str, blocks: int) -> None:
            run(scene.mine(miner, blocks))

        @rule()
        def race(self) -> None:
            """Two blocks on one tip, and a concurrent payment: one block wins."""
            blocks = [run(scene.next_block(name)) for name in ("alice", "bob")]
            connects = [
                attempt(scene.services.chain.connect(block, scene.wallet(name)))
                for block, name in zip(blocks, ("alice", "bob"), strict=True)
            ]
            results = run(together(*connects, attempt(scene.pay("alice", "dave", "3"))))
            assert sum(result is not None for result in results[:2]) == 1

        @rule()
        def connect_stale(self) -> None:
            tip = run(scene.services.chain.state())
            if tip.tip_hash != self.stale.header.previous_hash.hex():
                assert run(attempt(scene.services.chain.connect(self.stale, scene.wallet("bob")))) is None

        @rule()
        def remember_a_block(self) -> None:
            self.stale = run(scene.next_block("bob"))

        @rule()
        def expire(self) -> None:
            waiting = run(scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'"))
            scene.clock.advance(timedelta(hours=73))
            assert run(scene.services.mempool.expire()) == waiting

        @invariant()
        def everything_holds(self) -> None:
            run(assert_invariants(scene))

    return History


async def attempt(work: Awaitable[T]) -> T | None:
    """Returns the result, or None for an expected refusal. Any other error is raised."""
    try:
        return await work
    except (Problem, ChainMoved):
        return None


async def together(*work: Awaitable[T]) -> list[T]:
    return list(await asyncio.gather(*work))


async def test_no_history_breaks_the_books(scene: Scene) -> None:
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    limits = settings(
        max_examples=25,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    await asyncio.to_thread(run_state_machine_as_test, machine_of(run, scene), settings=limits)


@pytest.mark.usefixtures("warm")
async def test_of_200_payments_of_one_coin_one_is_accepted(scene: Scene) -> None:
    await scene.begin(blocks=3, miner="carol")
    (outpoint, units), *_ = (await scene.coins("carol")).items()
    payments = [
        scene.payment("carol", [outpoint], [("bob", units - 1000 - place)], 1000 + place)
        for place in range(DOUBLE_SPENDS)
    ]
    results = await asyncio.gather(*(scene.submit("carol", payment) for payment in payments), return_exceptions=True)
    accepted = [result for result in results if isinstance(result, str)]
    refused = [result for result in results if isinstance(result, TransactionRejected)]
    assert (len(accepted), len(refused)) == (1, DOUBLE_SPENDS - 1)
    block = await scene.mine()
    assert block.transaction_count == 2
    assert (
        await scene.owner.fetchval(
            "SELECT spent_in_tx_hash FROM utxos WHERE transaction_hash = $1 AND output_index = $2",
            outpoint.transaction_hash.hex(),
            outpoint.output_index,
        )
        == accepted[0]
    )
    await assert_invariants(scene)


@pytest.mark.usefixtures("warm")
async def test_of_200_transfers_no_more_is_paid_than_there_is(scene: Scene) -> None:
    await scene.begin(blocks=1)
    assert (await scene.balances())["alice"] == 500
    transfers = [scene.pay("alice", "bob", "30") for _ in range(DOUBLE_SPENDS)]
    results = await asyncio.gather(*transfers, return_exceptions=True)
    accepted = [result for result in results if isinstance(result, str)]
    assert all(isinstance(result, str | Problem) for result in results)
    # One coin of 500, spent again and again as its own change: 16 payments of 30 and their fees.
    assert len(set(accepted)) == 16
    block = await scene.mine(miner="dave")
    assert block.transaction_count == 17
    assert (await scene.balances())["bob"] == Decimal(480)
    await assert_invariants(scene)


async def test_kill_9_loses_nothing_that_was_acknowledged(
    scene: Scene, database_url: str, servers: Any, tmp_path: Path
) -> None:
    await scene.begin(blocks=6)
    chance = random.Random(9)
    acknowledged: list[tuple[str, str]] = []
    for _ in range(KILLS):
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            str(WORKER),
            database_url,
            servers.redis_url,
            scene.clock.now().isoformat(),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert worker.stdout is not None
        lines = chance.randint(5, 40)
        while lines and (line := await worker.stdout.readline()):
            acknowledged.append(parsed(line))
            lines -= 1
        # Somewhere inside the next statements, not at the line itself.
        await elapse(chance.uniform(0, 0.01))
        worker.send_signal(signal.SIGKILL)
        rest = await worker.stdout.read()
        assert await worker.wait() == -signal.SIGKILL
        acknowledged += [parsed(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
        await settled(scene)
        newest = await scene.owner.fetchval("SELECT max(timestamp) FROM blocks")
        scene.clock.advance(newest - scene.clock.now())
        await assert_invariants(scene)
    paid = {value for kind, value in acknowledged if kind == "paid"}
    mined = {value for kind, value in acknowledged if kind == "mined"}
    assert len(paid) > KILLS
    assert mined
    assert mined <= {row[0] for row in await scene.owner.fetch("SELECT block_hash FROM blocks")}
    found = await scene.owner.fetch(
        "SELECT transaction_hash FROM transactions WHERE status IN ('pending', 'confirmed')"
    )
    assert paid <= {row[0] for row in found}
    await scene.mine()
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'") == 0
    await assert_invariants(scene)


def parsed(line: bytes) -> tuple[str, str]:
    kind, _, value = line.decode().strip().partition(" ")
    return kind, value


async def settled(scene: Scene) -> None:
    """Returns when Postgres has noticed that the killed worker is gone, and ended what it was doing."""
    sessions = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'crash-worker')"
    await until(lambda: scene.owner.fetchval(sessions))
