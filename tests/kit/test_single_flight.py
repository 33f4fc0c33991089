"""Equal work at once is done once, and what has ended is not given to who asks later."""

import asyncio
from itertools import count

from app.kit.single_flight import SingleFlight


async def test_work_that_has_ended_is_done_again_though_its_callbacks_have_not_run() -> None:
    flights, numbers, go_on = SingleFlight[int](), count(1), asyncio.Event()
    were_under_way: list[bool] = []

    async def work() -> int:
        if (number := next(numbers)) > 1:
            await go_on.wait()
        return number

    async def later() -> int:
        # In the turn of the loop in which the first has ended.
        assert first.done()
        were_under_way.append(flights.has("key"))
        return await flights.join("key", work)

    first = flights.begin("key", work)
    second = asyncio.create_task(later())
    third = asyncio.create_task(later())
    assert await first == 1
    await asyncio.sleep(0)
    assert were_under_way == [False, True]
    # The end of the first has not ended the second for the others.
    assert flights.has("key")
    fourth = asyncio.create_task(flights.join("key", work))
    go_on.set()
    assert [await each for each in (second, third, fourth)] == [2, 2, 2]
    await asyncio.sleep(0)
    assert not flights.has("key")
    assert await flights.join("key", work) == 3
