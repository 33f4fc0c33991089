"""What may be watched in the graph, the same asked as a query, and clients that note who received what."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection

from app.domains.ledger.streams import CHAIN_STREAM, wallet_stream
from app.domains.market.alerts.model import AlertChange, alert_stream
from app.domains.market.watchlist.model import WatchlistChange, watchlist_stream
from app.domains.notifications.model import NOTIFICATION_CREATED, notification_stream
from app.schema.ledger.blocks import BLOCK_KIND
from app.schema.ledger.transactions import TRANSACTION_KINDS
from app.schema.ledger.wallets import BALANCE_KINDS
from tests.streams.deployment import ApiUser, Deployment
from tests.streams.readers import hear, initialise, open_socket, say

SEQS = "SELECT seq FROM events WHERE stream = $1 AND seq > $2 AND kind = ANY($3) ORDER BY seq"


BLOCK_PARTS = {
    "height": False,
    "miner { walletId owner { displayName } }": False,
    "transactions { nodes { hash amount recipient { walletId } } }": False,
    "miner { walletId balance }": True,
    "miner { walletId owner { displayName email } }": True,
    "transactions { nodes { recipient { walletId balance pending { incoming } } } }": True,
    "previous { miner { ... on Wallet { walletId balance } } }": True,
}
"""What may be selected of a block, and whether each of us sees something else there."""

OWN_PARTS = {
    "transaction": "hash status sender { walletId balance } recipient { walletId balance owner { displayName email } }",
    "wallet": "walletId balance owner { displayName email } pending { incoming }",
    "notification": "id title isRead alert { id isTriggered rearm } token { symbol name }",
    "alert": "id token { symbol } condition { ... on PriceAboveCondition { priceUsd } }",
    "item": "id position addedAt token { symbol }",
}
OWN_FIELDS = {
    "transactionUpdates": "transaction",
    "walletBalanceUpdates": "wallet",
    "notifications": "notification",
    "priceAlerts": "notification",
    "alertUpdates": "alert",
    "watchlistUpdates": "item",
}
NODES = {"notification": "Notification", "alert": "Alert", "item": "WatchlistItem"}
"""The types of objects that a query finds by their ID."""

ELSEWHERE = {
    "analysisPhases": "tests/schema/market/analysis/test_analyses.py",
    "orderUpdates": "tests/schema/trading/orders/test_streams.py",
    "fills": "tests/schema/trading/orders/test_streams.py",
    "signals": "tests/schema/trading/bots/test_streams.py",
    "botUpdates": "tests/schema/trading/bots/test_streams.py",
    "projectUpdates": "tests/schema/campaigns/test_streams.py",
    "participationUpdates": "tests/schema/campaigns/test_streams.py",
    "backtestProgress": "tests/schema/trading/backtests/test_streams.py",
    "backtestSweepProgress": "tests/schema/trading/backtests/test_streams.py",
}
"""Private subscriptions that are not watched here, and where they are tested: a run belongs to a session, and each
subscriber names their own portfolio, bot or back-test or has to trade or join a project first."""


@dataclass(frozen=True)
class Document:
    """A subscription: a field, and what is selected of its one object."""

    field: str
    parts: tuple[str, ...]
    in_fragment: bool = False

    @property
    def object(self) -> str:
        return OWN_FIELDS.get(self.field, "block")

    @property
    def private(self) -> bool:
        """Whether no two people may share it."""
        return self.field in OWN_FIELDS or any(BLOCK_PARTS[part] for part in self.parts)

    @property
    def selection(self) -> str:
        """What is selected of the object."""
        return " ".join(("hash", *self.parts)) if self.object == "block" else " ".join(self.parts)

    @property
    def subscription(self) -> str:
        if self.in_fragment:
            fragment = f"fragment Part on {NODES.get(self.object, self.object.capitalize())} {{ {self.selection} }}"
            return f"subscription {{ {self.field} {{ cursor {self.object} {{ ...Part }} }} }} {fragment}"
        return f"subscription {{ {self.field} {{ cursor {self.object} {{ {self.selection} }} }} }}"

    @property
    def kinds(self) -> set[str]:
        """Of the events that it shows."""
        return {
            "block": {BLOCK_KIND},
            "transaction": TRANSACTION_KINDS,
            "wallet": BALANCE_KINDS,
            "notification": {NOTIFICATION_CREATED},
            "alert": {each.value for each in AlertChange},
            "item": {each.value for each in WatchlistChange},
        }[self.object]

    def stream(self, person: ApiUser | None) -> str | None:
        """Whose events it shows to this person; None: no one's."""
        if self.object == "block":
            return CHAIN_STREAM
        if person is None:
            return None
        of_user = {"notification": notification_stream, "alert": alert_stream, "item": watchlist_stream}
        if self.object in of_user:
            return of_user[self.object](person.viewer.user_id)
        return wallet_stream(person.wallet_id)

    def question(self, shown: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A query for the same object, which `shown` is, and its variables."""
        match self.object:
            case "block":
                query = f"query($hash: Hash!) {{ object: block(by: {{hash: $hash}}) {{ {self.selection} }} }}"
            case "transaction":
                query = f"query($hash: Hash!) {{ object: transaction(by: {{hash: $hash}}) {{ {self.selection} }} }}"
            case "notification" | "alert" | "item":
                node = f"... on {NODES[self.object]} {{ {self.selection} }}"
                query = f"query($id: ID!) {{ object: node(id: $id) {{ {node} }} }}"
                return query, {"id": shown["id"]}
            case _:
                return f"{{ viewer {{ object: wallet {{ {self.selection} }} }} }}", {}
        return query, {"hash": shown["hash"]}


OWN_DOCUMENTS = tuple(Document(field, (OWN_PARTS[object_],)) for field, object_ in OWN_FIELDS.items())


@dataclass
class Watch:
    """One subscription of one person; nobody is one as well."""

    person: ApiUser | None
    document: Document
    start: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    compared: int = 0
    """So many of them were found to be what a query says."""

    @property
    def refused(self) -> bool:
        """Whether only those who are logged in may watch this."""
        return self.document.stream(self.person) is None

    @property
    def group(self) -> tuple[str, str | None]:
        """Those with the same one may share executions."""
        private = self.document.private and self.person is not None
        return self.document.subscription, self.person.name if private and self.person else None

    @property
    def shown(self) -> list[dict[str, Any]]:
        """What each event said, in order."""
        return [message["payload"]["data"][self.document.field] for message in self.messages]

    async def due(self, deployment: Deployment) -> list[str]:
        """The cursors of the events that it must have been shown."""
        stream = self.document.stream(self.person)
        assert stream is not None
        async with deployment.owner() as owner:
            seqs = await owner.fetch(SEQS, stream, self.start, list(self.document.kinds))
        return [await deployment.cursor(row[0], stream) for row in seqs]


class Client:
    """One person's socket, with any number of watches on it."""

    def __init__(self, socket: ClientConnection, watches: Sequence[Watch]) -> None:
        self._socket = socket
        self._watches = watches
        self._pongs = 0
        self._reading = asyncio.create_task(self._read())

    async def begin(self) -> None:
        for number, watch in enumerate(self._watches):
            payload = {"query": watch.document.subscription}
            await say(self._socket, {"id": str(number), "type": "subscribe", "payload": payload})

    async def pong(self) -> int:
        """Asks for a sign of life; returns how many there were so far. What was sent before it comes before it."""
        await say(self._socket, {"type": "ping"})
        return self._pongs

    @property
    def pongs(self) -> int:
        return self._pongs

    async def _read(self) -> None:
        while True:
            message = await hear(self._socket)
            if message["type"] == "pong":
                self._pongs += 1
            else:
                self._watches[int(message["id"])].messages.append(message)

    async def stop(self) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        assert self._reading.cancelled(), self._reading.exception()


@asynccontextmanager
async def client_of(deployment: Deployment, person: ApiUser | None, watches: Sequence[Watch]) -> AsyncIterator[Client]:
    """A person's socket, whose watches begin."""
    async with open_socket(deployment.url) as socket:
        await initialise(socket, person.token if person else None)
        client = Client(socket, watches)
        try:
            await client.begin()
            yield client
        finally:
            await client.stop()


async def ask_alone(deployment: Deployment, watch: Watch, shown: dict[str, Any]) -> Any:
    """The object that was shown, as the same person gets it by a query now."""
    query, variables = watch.document.question(shown[watch.document.object])
    headers = {"authorization": f"Bearer {watch.person.token}"} if watch.person else {}
    body = {"query": query, "variables": variables}
    answer = (await deployment.http.post(f"{deployment.url}/graphql", json=body, headers=headers)).json()
    assert "errors" not in answer, answer
    data = answer["data"]
    return data.get("viewer", data)["object"]
