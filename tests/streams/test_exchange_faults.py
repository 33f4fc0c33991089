"""The API, the worker that matches, Postgres and Valkey die under orders: none is lost, and nothing is filled twice."""

from tests.streams.deployment import Deployment
from tests.streams.exchange.faults import Kill, faults
from tests.waiting import seen


async def test_whatever_dies_no_order_is_lost_and_nothing_is_filled_twice(deployment: Deployment) -> None:
    async with faults(deployment) as here:
        for kill in Kill:
            done = await here.cycle(kill)
            seen(f"{kill} killed under orders: until it was back", done.down_s)
            seen(f"{kill} killed under orders: until the first match", done.first_match_s)
        assert here.fills > len(here.traders)
        assert here.desk.repeated > 0
        print(f"{here.acknowledged} orders, {here.desk.repeated} requests repeated, {here.fills} fills")
