import asyncio
import random

from redis.asyncio import Redis

from app.kit.pubsub import GAP, broadcast_over
from tests.waiting import until


async def test_subscribing_and_unsubscribing_take_turns(redis: Redis) -> None:
    broadcast = broadcast_over(redis)
    await broadcast.connect()
    rng = random.Random(3)

    async def visit(number: int) -> None:
        channel = f"c{number % 3}"
        for _ in range(rng.randint(0, 5)):
            await asyncio.sleep(0)
        async with broadcast.subscribe(channel) as subscriber:
            await redis.publish(channel, str(number))
            heard = set()
            while str(number) not in heard:
                message = (await subscriber.get()).message
                # Nobody is ever subscribed twice, or the repeated confirmation would be taken for a gap.
                assert message != GAP
                heard.add(message)

    await asyncio.gather(*map(visit, range(60)))
    assert broadcast._subscribers == {}
    await until(lambda: silent(redis))
    await broadcast.disconnect()


async def silent(redis: Redis) -> bool:
    return not any(count for _, count in await redis.pubsub_numsub("c0", "c1", "c2"))


async def test_a_subscription_that_is_cancelled_under_way_leaves_nothing(redis: Redis) -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1")
    broadcast = broadcast_over(nowhere)
    await broadcast.connect()

    async def hear() -> None:
        async with broadcast.subscribe("c"):
            raise AssertionError("there is nobody to confirm it")

    task = asyncio.create_task(hear())
    await until(lambda: "c" in broadcast._subscribers)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert broadcast._subscribers == {}
    await broadcast.disconnect()
    await nowhere.aclose()
