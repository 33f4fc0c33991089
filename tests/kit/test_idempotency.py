import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from msgspec.structs import replace

from app.kit.db import SYSTEM, Database, Scope, Tx
from app.kit.errors import IdempotencyKeyReused, InvalidInput
from app.kit.idempotency import KeyedRequest, Made, Outcome, once, once_known
from tests.databases import Owner
from tests.statements import statement, value_of

ALICE, BOB = UUID(int=1), UUID(int=2)
ADD = statement("add", ".", "INSERT INTO parcels (body) VALUES ($1)")


@pytest_asyncio.fixture(autouse=True)
async def orders(owner: Owner) -> None:
    await owner.execute("CREATE TABLE parcels (body text)")


class Caller:
    """One user who places orders."""

    def __init__(self, database: Database, user_id: UUID = ALICE) -> None:
        self.database = database
        self.user_id = user_id
        self.ran = 0
        self.fresh: list[bool] = []

    async def order(self, key: str, body: object = "x", *, operation: str = "order", fail: bool = False) -> Any:
        async def work(tx: Tx) -> dict[str, Any]:
            self.ran += 1
            await tx.execute(ADD, str(body))
            if fail:
                raise LookupError
            return {"id": str(uuid4()), "body": body}

        keyed = KeyedRequest.of(self.user_id, key, operation, {"body": body})

        async def write(tx: Tx) -> dict[str, Any]:
            outcome = await once(tx, keyed, lambda: work(tx), dict[str, Any])
            self.fresh.append(not outcome.replayed)
            return outcome.result

        return await self.database.write(Scope(user_id=self.user_id), write)


async def orders_placed(owner: Owner) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM parcels"))


async def test_a_replay_gets_the_first_result_to_the_letter(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    first = await alice.order("k", {"b": 1, "a": [2]})
    assert isinstance(first["id"], str)
    assert await alice.order("k", {"a": [2], "b": 1}) == first
    assert alice.ran == 1
    assert await orders_placed(owner) == 1


async def test_twenty_at_once_happen_once(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    results = await asyncio.gather(*(alice.order("k") for _ in range(20)))
    assert len({result["id"] for result in results}) == 1
    assert alice.ran == 1
    assert sorted(alice.fresh) == [False] * 19 + [True]
    assert await orders_placed(owner) == 1


async def test_another_body_or_operation_under_the_key_is_refused(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    await alice.order("k", "x")
    for attempt in (alice.order("k", "y"), alice.order("k", "x", operation="cancel")):
        with pytest.raises(IdempotencyKeyReused):
            await attempt
    assert await orders_placed(owner) == 1


async def test_another_body_at_the_same_moment_is_refused(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    results = await asyncio.gather(*(alice.order("k", n) for n in range(10)), return_exceptions=True)
    assert [type(result) for result in results].count(IdempotencyKeyReused) == 9
    assert await orders_placed(owner) == 1


async def test_a_rollback_frees_the_key(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    with pytest.raises(LookupError):
        await alice.order("k", "x", fail=True)
    assert await orders_placed(owner) == 0
    assert (await alice.order("k", "y"))["body"] == "y"
    assert await orders_placed(owner) == 1


async def test_a_request_that_waited_for_a_rollback_takes_over(database: Database, owner: Owner) -> None:
    alice = Caller(database)
    results = await asyncio.gather(
        *(alice.order("k", "x", fail=number == 0) for number in range(5)), return_exceptions=True
    )
    done = [result for result in results if isinstance(result, dict)]
    assert isinstance(results[0], LookupError) or results[0] in done
    assert len({result["id"] for result in done}) == 1
    assert await orders_placed(owner) == 1


async def test_two_users_may_choose_the_same_key(database: Database, owner: Owner) -> None:
    alice, bob = Caller(database), Caller(database, BOB)
    first, second = await alice.order("k"), await bob.order("k")
    assert first["id"] != second["id"]
    assert await orders_placed(owner) == 2


async def test_a_key_is_invisible_to_others(database: Database) -> None:
    await Caller(database).order("k")
    count = statement("count", ".", "SELECT count(*) FROM idempotency_keys")
    for scope, seen in ((Scope(user_id=BOB), 0), (Scope(), 0), (Scope(user_id=ALICE), 1), (SYSTEM, 1)):
        async with database.snapshot(scope) as tx:
            assert await value_of(tx, count) == seen


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "a\nb", "\ud800"])
async def test_a_key_that_cannot_be_stored_is_refused(database: Database, key: str) -> None:
    alice = Caller(database)
    with pytest.raises(InvalidInput):
        await alice.order(key)
    assert alice.ran == 0


async def test_what_cannot_be_written_as_json_is_the_works_to_refuse(database: Database, owner: Owner) -> None:
    async def refuse() -> str:
        raise LookupError

    keyed = KeyedRequest.of(ALICE, "k", "order", ["\ud800"])
    with pytest.raises(LookupError):
        await database.write(Scope(user_id=ALICE), lambda tx: once(tx, keyed, refuse, str))


async def test_a_result_that_is_known_before_is_what_a_replay_gets(database: Database, owner: Owner) -> None:
    keyed, ran = KeyedRequest.of(ALICE, "k", "order", {}), []

    async def ordered(id: UUID, *, fail: bool = False) -> Outcome[Made]:
        async def write(tx: Tx) -> Outcome[Made]:
            async def work() -> None:
                ran.append(id)
                await tx.execute(ADD, "x")
                if fail:
                    raise LookupError

            return await once_known(tx, keyed, Made(id), work)

        return await database.write(Scope(user_id=ALICE), write)

    with pytest.raises(LookupError):
        await ordered(uuid4(), fail=True)
    outcomes = await asyncio.gather(*(ordered(uuid4()) for _ in range(20)))
    assert {outcome.result.id for outcome in outcomes} == {ran[1]}
    assert (len(ran), sum(not outcome.replayed for outcome in outcomes)) == (2, 1)
    assert await orders_placed(owner) == 1
    with pytest.raises(IdempotencyKeyReused):
        await database.write(
            Scope(user_id=ALICE), lambda tx: once_known(tx, replace(keyed, operation="cancel"), Made(uuid4()), nothing)
        )


async def nothing() -> None:
    raise AssertionError("it was refused")
