"""`systemPulse` in the graph: executed once for all subscribers, and without any server but this process."""

import json

from redis.asyncio import Redis

from app.adapters import build_pulse
from app.engine.streams.model import Transport
from app.kit.process_rpc import ProcessRpc
from app.kit.volatile import VolatileTopics
from app.main import Application, build_runtime
from tests.kit.event_pipeline import hub_of
from tests.schema.realtime.test_subscriptions import Client, Process
from tests.waiting import until

PULSE = "subscription { systemPulse { at feedAgeMs tipAgeMs relayLagMs } }"


async def test_a_pulse_is_measured_and_executed_once_however_many_watch(application: Application, redis: Redis) -> None:
    async with hub_of(application.events, redis) as hub:
        process = Process(build_runtime(application, hub, ProcessRpc(redis)))
        pulse = build_pulse(application.services, application.events, application.clock, hub)
        await VolatileTopics(redis).publish("prices", "all", {"at": application.clock.now().isoformat()})
        clients = [Client() for _ in range(20)]
        for client in clients:
            await process.subscribe(client, None, Transport.WEBSOCKET, PULSE)
        await pulse.beat()
        await until(lambda: all(client.got for client in clients))
        counters = process.runtime.subscriptions.counters
        assert (counters.executions, counters.deliveries) == (1, 20)
        shown = json.loads(clients[0].got[0].body)["data"]["systemPulse"]
        assert shown["at"] == application.clock.now().isoformat().replace("+00:00", "Z")
        # There is no chain here. The clock stands still, and the database's does not.
        assert (shown["feedAgeMs"], shown["tipAgeMs"]) == (0, None)
        assert isinstance(shown["relayLagMs"], int)


async def test_it_goes_on_when_the_database_is_gone(application: Application, redis: Redis) -> None:
    async with hub_of(application.events, redis) as hub:
        process = Process(build_runtime(application, hub, ProcessRpc(redis)))
        pulse = build_pulse(application.services, application.events, application.clock, hub)
        await application.database.close()
        client = Client()
        await process.subscribe(client, None, Transport.WEBSOCKET, PULSE)
        for count in (1, 2):
            await pulse.beat()
            await until(lambda count=count: len(client.got) == count)  # type: ignore[misc]
        shown = json.loads(client.got[-1].body)["data"]["systemPulse"]
        assert (shown["tipAgeMs"], shown["relayLagMs"]) == (None, None)
        assert "errors" not in json.loads(client.got[-1].body)
