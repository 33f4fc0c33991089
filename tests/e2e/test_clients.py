"""Real client libraries watch a real server that is killed, restarted and shut down: nothing is lost or repeated."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.dev.embedded import find
from app.dev.processes import free_port
from app.domains.accounts.rules.demo_credentials import PASSWORD
from tests.e2e.conftest import NODE_NEEDED, ROOT, WEB, Moneta, has_node, node
from tests.waiting import HANG_S, until_true

SOCKET_CLIENTS = ("graphql-ws", "apollo", "urql")
NODE_CLIENTS = (*SOCKET_CLIENTS, "graphql-sse", "apollo-http")
SERVICE_RESTART, ABNORMAL = 1012, 1006

HAND_OVER = """
{
  blocks(first: 1) { streamCursor nodes { height } }
  viewer { wallet { transactions(first: 1) { streamCursor } } }
}
"""
TRANSFER = """
mutation($to: Hash!, $key: String!) {
  transfer(input: {recipientWalletId: $to, amount: "0.25", idempotencyKey: $key}) {
    ... on TransferPayload { transaction { hash } }
    ... on Problem { message }
  }
}
"""
BLOCKS = "{ blocks(first: 100) { nodes { height hash } } }"


class Api:
    """An API process of its own beside a running Moneta, on the same servers: it may die, and the miner mines on."""

    def __init__(self, moneta: Moneta, log: Path, **env: str) -> None:
        servers = find(moneta.home)
        assert servers is not None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.env = {
            **os.environ,
            "MONETA_HOME": str(moneta.home),
            "MONETA_DATABASE_URL": servers.database_url,
            "MONETA_REDIS_URL": servers.redis_url,
            "PORT": str(self.port),
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts and waits until ready."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"], cwd=ROOT, env=self.env, stdout=output, stderr=output
            )
        until_true(self._ready, "the API serves")

    def end(self, number: signal.Signals) -> None:
        """Sends the signal and waits for the end."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(HANG_S)

    def gauge(self, name: str) -> float:
        """The present value of a metric, over all its labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=HANG_S) as response:
            lines = response.read().decode().splitlines()
        values = [float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        assert values, f"no metric {name}"
        return sum(values)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=HANG_S) as response:
                return bool(response.status == 200)
        except OSError:
            return False


class Client:
    """A client process, and what it has printed."""

    def __init__(self, name: str, url: str, token: str, cursors: tuple[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        if name == "gql":
            command = [sys.executable, "-m", "tests.e2e.gql_client", url, *cursors]
        else:
            options = [f"--blocks-after={cursors[0]}", f"--payments-after={cursors[1]}"]
            command = ["node", str(WEB / "conformance" / "clients.mjs"), name, url, *options]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "MONETA_TOKEN": token},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )

    def said(self, what: str) -> list[dict[str, Any]]:
        """The lines of one kind, in order."""
        lines = [line for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        assert all(line.startswith("{") for line in lines), f"{self.name}: {''.join(lines)}"
        return [line for line in map(json.loads, lines) if line["what"] == what]

    def has_said(self, what: str, count: int) -> bool:
        """Whether there are so many lines of one kind."""
        return len(self.said(what)) == count

    def blocks(self) -> list[tuple[int, str]]:
        """Height and hash of each block, as they came."""
        return [(event["block"]["height"], event["block"]["hash"]) for event in self.said("blocks")]

    def payments(self) -> list[tuple[str, str]]:
        """Cursor and hash of each payment's events, as they came."""
        return [(event["cursor"], event["transaction"]["hash"]) for event in self.said("transactionUpdates")]

    def has_followed(self, payments: int, tip: int) -> bool:
        """Whether so many events of payments and the block of this height have come."""
        assert self.process.poll() is None, f"{self.name} has ended: {self.log.read_text()}"
        seen = self.blocks()
        return len(self.payments()) >= payments and bool(seen) and seen[-1][0] >= tip

    def stop(self) -> int:
        """Lets it unsubscribe; the exit code of a process that ends by itself when nothing is left open."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(HANG_S)


@contextmanager
def ended(owner: Api | Client) -> Iterator[None]:
    """No process of a failed test is left behind."""
    try:
        yield
    finally:
        if owner.process is not None and owner.process.poll() is None:
            owner.process.kill()
            owner.process.wait()


def test_real_clients_lose_and_repeat_nothing_when_the_server_dies(moneta: Moneta, tmp_path: Path) -> None:
    alice, bob = moneta.log_in(), moneta.log_in("bob@example.com")
    recipient = moneta.post("{ viewer { wallet { walletId } } }", token=bob)["data"]["viewer"]["wallet"]["walletId"]
    start = moneta.post(HAND_OVER, token=alice)["data"]
    cursors = (start["blocks"]["streamCursor"], start["viewer"]["wallet"]["transactions"]["streamCursor"])
    first = start["blocks"]["nodes"][0]["height"] + 1
    paid: list[str] = []

    def pay() -> None:
        sent = moneta.post(TRANSFER, {"to": recipient, "key": str(uuid4())}, alice)["data"]["transfer"]
        paid.append(sent["transaction"]["hash"])

    def height() -> int:
        tip: int = moneta.post("{ chain { height } }")["data"]["chain"]["height"]
        return tip

    with ExitStack() as stack:
        api = Api(moneta, tmp_path / "api.log")
        stack.enter_context(ended(api))
        api.start()
        clients = []
        for name in _names():
            client = Client(name, api.url, alice, cursors, tmp_path / f"{name}.log")
            stack.enter_context(ended(client))
            clients.append(client)

        def followed() -> None:
            """Every client has seen each payment accepted and confirmed, and the block that is now the newest."""
            tip = height()
            for client in clients:
                until_true(
                    partial(client.has_followed, 2 * len(paid), tip),
                    f"{client.name}: block {tip} and two events each of {len(paid)} payments",
                )

        pay()
        followed()

        api.end(signal.SIGKILL)
        pay()
        mined_before = height()
        until_true(lambda: height() > mined_before, "a block that no client can see")
        api.start()
        pay()
        followed()

        api.end(signal.SIGTERM)
        pay()
        api.start()
        followed()

        assert {client.name: client.stop() for client in clients} == {client.name: 0 for client in clients}
        until_true(
            lambda: api.gauge("moneta_subscriptions") == api.gauge("moneta_websockets") == 0, "no trace of a client"
        )

        truth = _chain(moneta)
        for client in clients:
            seen = client.blocks()
            assert [number for number, _ in seen] == list(range(first, first + len(seen))), client.name
            assert all(truth[number] == block_hash for number, block_hash in seen), client.name
            assert Counter(block_hash for _, block_hash in client.payments()) == dict.fromkeys(paid, 2), client.name
            assert client.payments() == clients[0].payments(), client.name
            if client.name in SOCKET_CLIENTS:
                assert {SERVICE_RESTART, ABNORMAL} <= {each["code"] for each in client.said("closed")}, client.name
            assert [client.said(what) for what in ("gap", "resync", "error")] == [[], [], []], client.name
    _report_what_was_not_tried()


def test_real_clients_are_informed_when_nothing_can_be_proved(moneta: Moneta, tmp_path: Path) -> None:
    token = moneta.log_in()
    with ExitStack() as stack:
        clients = []
        for name in _names():
            client = Client(name, moneta.url, token, ("forged", "forged"), tmp_path / f"{name}.log")
            stack.enter_context(ended(client))
            clients.append(client)
        for client in clients:
            until_true(partial(client.has_said, "resync", 2), f"{client.name}: both subscriptions are refused")
            assert client.stop() == 1, client.name
            assert len(client.said("error")) == 2, client.name
            assert (client.blocks(), client.payments()) == ([], []), client.name
    _report_what_was_not_tried()


def test_sockets_outlive_their_token_when_the_client_renews_it(moneta: Moneta, tmp_path: Path) -> None:
    # A client is warned a third of it before: that must be enough for a busy machine to renew it.
    api = Api(moneta, tmp_path / "api.log", MONETA_ACCESS_TOKEN_TTL_S="30")
    with ended(api):
        api.start()
        print(node("conformance/renewal.mjs", api.url, "bob@example.com", PASSWORD))


def _names() -> tuple[str, ...]:
    return (*NODE_CLIENTS, "gql") if has_node() else ("gql",)


def _report_what_was_not_tried() -> None:
    if not has_node():
        pytest.skip(f"only gql was tried: {NODE_NEEDED}")


def _chain(moneta: Moneta) -> dict[int, str]:
    """The newest hundred blocks: hashes by height."""
    blocks = moneta.post(BLOCKS)["data"]["blocks"]["nodes"]
    return {block["height"]: block["hash"] for block in blocks}
