"""Whatever clients subscribe to, they receive what they may see, and share what they may share."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domains.ledger.model import InsufficientFunds
from app.domains.market.alerts.model import Firing, NewAlert, PriceAbove, Rearm
from app.domains.market.services import MarketServices
from app.domains.market.watchlist.model import WatchlistChanges
from app.engine.declarations.subscriptions import Durable, declared_stream
from app.kit.db import SYSTEM
from app.kit.loaders import Audience
from app.main import HOUSES
from app.schema.root import build_schema
from tests.domains.ledger.scene import Scene
from tests.streams.audience import (
    BLOCK_PARTS,
    ELSEWHERE,
    OWN_DOCUMENTS,
    OWN_FIELDS,
    Client,
    Document,
    Watch,
    ask_alone,
    client_of,
)
from tests.streams.deployment import ApiUser, Deployment
from tests.waiting import until

NOBODY = 3
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Alarm:
    """Somebody's alert fires."""

    who: int


@dataclass(frozen=True)
class Watching:
    """Somebody adds a token to their watchlist, or changes its notes."""

    who: int


people = st.integers(0, 2)
blocks = st.builds(
    Document,
    st.just("blocks"),
    st.lists(st.sampled_from(sorted(BLOCK_PARTS)), min_size=1, max_size=3, unique=True).map(tuple),
    st.booleans(),
)
documents = st.lists(st.one_of(blocks, st.sampled_from(OWN_DOCUMENTS)), min_size=1, max_size=4, unique=True)
payments = st.tuples(people, people, st.integers(1, 500)).filter(lambda drawn: drawn[0] != drawn[1])
alarms = st.builds(Alarm, people)
watchings = st.builds(Watching, people)
steps = st.lists(st.one_of(payments, people, alarms, watchings), min_size=1, max_size=4)

Step = int | tuple[int, int, int] | Alarm | Watching


@settings(max_examples=12)
@given(documents=documents, steps=steps, data=st.data())
@example(
    documents=[*(Document("blocks", (part,)) for part in BLOCK_PARTS), *OWN_DOCUMENTS],
    steps=[(0, 1, 150), 2, Alarm(0), Watching(0), (1, 2, 7), 0, Alarm(1), Watching(1), Watching(0), 1],
    data=None,
)
async def test_no_viewer_receives_the_data_of_another(
    deployment: Deployment, documents: list[Document], steps: list[Step], data: st.DataObject | None
) -> None:
    everybody = [(who, document) for who in range(NOBODY + 1) for document in documents]
    # Some of them; in the first example all.
    chosen = st.lists(st.sampled_from(everybody), min_size=min(4, len(everybody)), unique=True)
    watchings = data.draw(chosen) if data else everybody
    watches = [
        Watch(
            person := deployment.people[who] if who < NOBODY else None,
            document,
            await start_of(deployment, person, document),
        )
        for who, document in watchings
    ]
    accepted = [watch for watch in watches if not watch.refused]
    await until(lambda: no_groups(deployment))
    async with AsyncExitStack() as stack, deployment.scene() as scene:
        before = await deployment.metrics()
        clients = [
            await stack.enter_async_context(client_of(deployment, *each)) for each in by_person(deployment, watches)
        ]
        await until(lambda: opened(deployment, len(accepted)))
        assert (await deployment.metrics())["moneta_subscription_groups"] == len({watch.group for watch in accepted})
        for step in steps:
            await take(deployment, scene, step)
            await assert_received(deployment, clients, accepted)
        after = await deployment.metrics()
    for watch in watches:
        if watch.refused:
            assert [message["type"] for message in watch.messages] == ["error"]
            assert watch.messages[0]["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    if data is None:
        silent = {each.field for each in documents} - {each.document.field for each in accepted if each.messages}
        assert silent == set(), "no step of the example appends an event of these"
    await assert_executions(accepted, before, after)


def test_every_private_subscription_is_watched() -> None:
    schema = build_schema(HOUSES)._schema
    assert schema.subscription_type is not None
    declared = {name: declared_stream(field) for name, field in schema.subscription_type.fields.items()}
    private = {
        name for name, each in declared.items() if isinstance(each, Durable) and each.audience is not Audience.PUBLIC
    }
    assert private == {*OWN_FIELDS, *ELSEWHERE}
    for name, path in ELSEWHERE.items():
        assert name in (ROOT / path).read_text(), name


async def start_of(deployment: Deployment, person: ApiUser | None, document: Document) -> int:
    """Where the stream stands that is going to be watched."""
    stream = document.stream(person)
    return 0 if stream is None else (await deployment.application.events.positions([stream])).seqs[stream]


def by_person(deployment: Deployment, watches: Sequence[Watch]) -> Iterator[tuple[ApiUser | None, list[Watch]]]:
    for person in (*deployment.people, None):
        if own := [watch for watch in watches if watch.person is person]:
            yield person, own


async def take(deployment: Deployment, scene: Scene, step: Step) -> None:
    """A payment, a block, an alarm or a change of a watchlist. Without coins to pay with, nothing is sent."""
    if isinstance(step, Alarm):
        await alarm(deployment, deployment.people[step.who])
        return
    if isinstance(step, Watching):
        await watch(deployment, deployment.people[step.who])
        return
    if isinstance(step, int):
        await scene.mine(deployment.people[step])
        return
    sender, recipient, cents = step
    with suppress(InsufficientFunds):
        await scene.pay(deployment.people[sender], deployment.people[recipient], f"{cents / 100:.2f}")


def threshold_of(person: ApiUser) -> Decimal:
    """The threshold of a person's alert, which is nobody else's: so high that no price reaches it."""
    return Decimal(10) ** 11 + int.from_bytes(person.name.encode())


async def alarm(deployment: Deployment, person: ApiUser) -> None:
    """The person's alert fires, which is made if need be."""
    market = deployment.application.services[MarketServices]
    waiting = NewAlert(symbol="BTC", condition=PriceAbove(threshold_of(person)), rearm=Rearm.EVERY_TIME)
    alert = await market.alerts.create(person.viewer, waiting, "alarm")
    fired = Firing(alert.id, threshold_of(person), f"For {person.name}", "")
    assert await deployment.application.database.write(SYSTEM, lambda tx: market.dispatcher.fire(tx, [fired])) == 1


async def watch(deployment: Deployment, person: ApiUser) -> None:
    """The person's item is changed, which is added if need be."""
    watchlist = deployment.application.services[MarketServices].watchlist
    item = await watchlist.add(person.viewer, "BTC", None, "watching")
    await watchlist.update(person.viewer, item.id, WatchlistChanges(notes=f"For {person.name}"))


async def assert_received(deployment: Deployment, clients: Sequence[Client], watches: Sequence[Watch]) -> None:
    """Each received its own events, each once and in order, with the data that a query of its own gives now."""
    due = [await watch.due(deployment) for watch in watches]
    await until(lambda: all(len(w.messages) >= len(d) for w, d in zip(watches, due, strict=True)))
    for client in clients:
        heard = await client.pong()
        await until(lambda client=client, heard=heard: client.pongs > heard)  # type: ignore[misc]
    for watch, cursors in zip(watches, due, strict=True):
        assert {message["type"] for message in watch.messages} <= {"next"}
        assert [message["payload"] for message in watch.messages if "errors" in message["payload"]] == []
        assert [shown["cursor"] for shown in watch.shown] == cursors
        for shown in watch.shown[watch.compared :]:
            assert_own(watch.person, shown)
            assert shown[watch.document.object] == await ask_alone(deployment, watch, shown)
        watch.compared = len(watch.messages)


def assert_own(person: ApiUser | None, received: Any) -> None:
    """Whatever in it only its owner may know is this person's, and is there where it is."""
    if isinstance(received, list):
        for each in received:
            assert_own(person, each)
    if not isinstance(received, dict):
        return
    if "balance" in received:
        own = person is not None and received["walletId"] == person.wallet_id
        assert (received["balance"] is not None) is own
        assert (received.get("pending") is not None) is (own and "pending" in received)
    if "title" in received:
        assert person is not None
        assert received["title"] == f"For {person.name}"
        assert received["alert"] is not None
    if "condition" in received:
        assert person is not None
        assert Decimal(received["condition"]["priceUsd"]) == threshold_of(person)
    if "email" in received:
        own = person is not None and received["displayName"] == person.name.capitalize()
        assert received["email"] == (person.email if person and own else None)
    for each in received.values():
        assert_own(person, each)


async def assert_executions(watches: Sequence[Watch], before: dict[str, float], after: dict[str, float]) -> None:
    """Each event was executed once for each group, and handed to each member."""
    of_group = {watch.group: len(watch.messages) for watch in watches}
    assert grown("executions", before, after) == sum(of_group.values())
    assert grown("deliveries", before, after) == sum(len(watch.messages) for watch in watches)
    assert grown("replays", before, after) == grown("resyncs", before, after) == 0


def grown(name: str, before: dict[str, float], after: dict[str, float]) -> float:
    key = f"moneta_subscription_{name}_total"
    return after[key] - before[key]


async def no_groups(deployment: Deployment) -> bool:
    return (await deployment.metrics())["moneta_subscription_groups"] == 0


async def opened(deployment: Deployment, count: int) -> bool:
    return (await deployment.metrics())['moneta_subscriptions{transport="websocket"}'] == count
