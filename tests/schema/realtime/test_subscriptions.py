"""What a viewer sees of their subscriptions, and closes, in two server processes of one deployment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.ledger.streams import CHAIN_STREAM
from app.engine.execution.operations import Prepared, Response
from app.engine.streams.model import Delivery, Transport
from app.engine.streams.subscription import Subscription
from app.kit.db import SYSTEM
from app.kit.events import Fact
from app.kit.process_rpc import ProcessRpc
from app.main import Application, build_runtime
from app.schema.ledger.blocks import BLOCK_KIND
from app.transport.runtime import AppRuntime, Caller
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.kit.event_pipeline import hub_of, relaying
from tests.kit.test_process_rpc import all_listen
from tests.waiting import HANG_S, until

BLOCKS = "subscription { newBlock { cursor } }"
LIST = "{ viewer { openStreams { id document transport openedAt delivered lag } } }"
CLOSE = """
mutation ($id: ID!) {
  closeStream(input: { id: $id }) {
    __typename
    ... on CloseStreamPayload { deletedId }
    ... on Problem { message }
  }
}
"""


@dataclass
class Client:
    """What the client of a subscription gets. One that is stuck takes nothing."""

    stuck: bool = False
    got: list[Delivery] = field(default_factory=list)
    finished: list[Any] = field(default_factory=list)

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        if not self.stuck:
            self.got += deliveries
        return not self.stuck

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        self.finished.append(errors)


@dataclass
class Process:
    """One server process, without a transport."""

    runtime: AppRuntime

    async def subscribe(
        self, client: Client, viewer: Viewer | None, transport: Transport = Transport.WEBSOCKET, query: str = BLOCKS
    ) -> Subscription:
        context = self.runtime.new_context(caller(viewer))
        opened = await self.runtime.subscriptions.open(self.prepare(query), context, client, transport, NOBODY)
        assert isinstance(opened, Subscription), opened
        return opened

    async def run(self, query: str, viewer: Viewer | None, **variables: Any) -> Response:
        context = self.runtime.new_context(caller(viewer))
        return await self.runtime.engine.execute(self.prepare(query, variables), context)

    async def data(self, query: str, viewer: Viewer | None, **variables: Any) -> Any:
        response = await self.run(query, viewer, **variables)
        assert response.errors == []
        return response.data

    async def listed(self, viewer: Viewer) -> list[dict[str, Any]]:
        data = await self.data(LIST, viewer)
        found: list[dict[str, Any]] = data["viewer"]["openStreams"]
        return found

    def prepare(self, query: str, variables: dict[str, Any] | None = None) -> Prepared:
        prepared = self.runtime.engine.prepare(query, None, variables, introspection_allowed=True)
        assert isinstance(prepared, Prepared), prepared
        return prepared


def caller(viewer: Viewer | None) -> Caller:
    return Caller(viewer=viewer, client=CLIENT, request_id="test", from_browser=False)


@contextlib.asynccontextmanager
async def process_of(application: Application) -> AsyncIterator[Process]:
    async with hub_of(application.events, application.redis) as hub:
        rpc = ProcessRpc(application.redis, within_s=HANG_S)
        runtime = build_runtime(application, hub, rpc)
        await rpc.start()
        try:
            yield Process(runtime)
        finally:
            await rpc.stop()
            runtime.subscriptions.stop()


@pytest_asyncio.fixture
async def processes(application: Application, redis: Redis) -> AsyncIterator[tuple[Process, Process]]:
    async with process_of(application) as first, process_of(application) as second:
        await all_listen(redis, 2)
        yield first, second


async def test_a_viewer_sees_their_own_of_all_processes(
    application: Application, redis: Redis, processes: tuple[Process, Process]
) -> None:
    first, second = processes
    alice = await register(application.services)
    bob = await register(application.services, "bob@example.com")
    began = datetime.now(UTC)
    older = await first.subscribe(Client(), alice)
    await first.subscribe(Client(), bob)
    await second.subscribe(Client(), None)
    newer = await second.subscribe(Client(stuck=True), alice, Transport.SSE)
    async with relaying(application.database, redis):
        blocks = [Fact(CHAIN_STREAM, BLOCK_KIND, {"hash": "0" * 64}) for _ in range(3)]
        await application.database.write(SYSTEM, lambda tx: application.events.append(tx, blocks))
        await until(lambda: (newer.lag, older.delivered) == (3, 3))
    for process in processes:
        listed = await process.listed(alice)
        assert [began <= datetime.fromisoformat(each.pop("openedAt")) <= datetime.now(UTC) for each in listed] == [
            True
        ] * 2
        document = "subscription {\n  newBlock {\n    cursor\n  }\n}"
        assert listed == [
            {"id": newer.id, "document": document, "transport": "SSE", "delivered": 0, "lag": 3},
            {"id": older.id, "document": document, "transport": "WEBSOCKET", "delivered": 3, "lag": 0},
        ]
        assert len(await process.listed(bob)) == 1
        assert await process.data(LIST, None) == {"viewer": None}
        assert (
            len((await process.data("{ viewer { openStreams(first: 1) { id } } }", alice))["viewer"]["openStreams"])
            == 1
        )


async def test_closing_one_completes_it_towards_its_client_once(
    application: Application, processes: tuple[Process, Process]
) -> None:
    first, second = processes
    alice = await register(application.services)
    clients = [Client(), Client(), Client()]
    here = await first.subscribe(clients[0], alice)
    there = await second.subscribe(clients[1], alice)
    kept = await second.subscribe(clients[2], alice)
    for subscription in (here, there):
        closed = {"__typename": "CloseStreamPayload", "deletedId": subscription.id}
        assert await first.data(CLOSE, alice, id=subscription.id) == {"closeStream": closed}
        again = (await second.data(CLOSE, alice, id=subscription.id))["closeStream"]
        assert again == {"__typename": "NotFound", "message": "There is no such thing, or it is not yours."}
    assert [client.finished for client in clients] == [[None], [None], []]
    assert [each["id"] for each in await first.listed(alice)] == [kept.id]
    assert kept.is_open


async def test_a_stranger_closes_nothing(application: Application, processes: tuple[Process, Process]) -> None:
    _, second = processes
    alice = await register(application.services)
    bob = await register(application.services, "bob@example.com")
    clients = [Client(), Client()]
    of_alice, of_nobody = await second.subscribe(clients[0], alice), await second.subscribe(clients[1], None)
    for process in processes:
        for id_ in (of_alice.id, of_nobody.id):
            assert (await process.data(CLOSE, bob, id=id_))["closeStream"]["__typename"] == "NotFound"
            refused = await process.run(CLOSE, None, id=id_)
            assert [error["extensions"]["code"] for error in refused.errors] == ["UNAUTHENTICATED"]
    assert [client.finished for client in clients] == [[], []]
    assert of_alice.is_open
    assert of_nobody.is_open


async def test_many_who_close_it_at_once_close_it_once(
    application: Application, processes: tuple[Process, Process]
) -> None:
    alice, client = await register(application.services), Client()
    subscription = await processes[1].subscribe(client, alice)
    answers = await asyncio.gather(*(process.data(CLOSE, alice, id=subscription.id) for process in processes * 5))
    kinds = sorted(answer["closeStream"]["__typename"] for answer in answers)
    assert kinds == ["CloseStreamPayload", *["NotFound"] * 9]
    assert client.finished == [None]
