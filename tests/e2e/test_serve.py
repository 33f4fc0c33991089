"""`make serve` as a new user meets it: start, use, Ctrl-C, start again, kill -9, start again."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import websockets
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from app.dev.embedded import discard
from tests.e2e.conftest import ROOT, Moneta
from tests.waiting import HANG_S

TRANSFER = """
mutation($to: Hash!, $key: String!) {
  transfer(input: {recipientWalletId: $to, amount: "1.5", memo: "lunch", idempotencyKey: $key}) {
    __typename
    ... on TransferPayload { transaction { hash status amount sender { walletId } } }
    ... on Problem { message }
  }
}
"""
WALLET = "{ viewer { user { email } wallet { walletId balance } } }"


def test_data_outlives_ctrl_c_and_kill_9(tmp_path: Path) -> None:
    moneta = Moneta(tmp_path / "home")
    try:
        moneta.start()
        recipient = moneta.post(WALLET, token=moneta.log_in("bob@example.com"))["data"]["viewer"]["wallet"]
        alice = moneta.log_in()
        sent = moneta.post(TRANSFER, {"to": recipient["walletId"], "key": str(uuid4())}, alice)["data"]["transfer"]
        assert sent["__typename"] == "TransferPayload", sent
        printed = moneta.stop()
        assert "Moneta is ready" in printed
        assert "Traceback" not in printed

        moneta.start()
        assert _transaction(moneta, sent["transaction"]["hash"])["amount"] == "1.50000000"
        again = moneta.post(TRANSFER, {"to": recipient["walletId"], "key": str(uuid4())}, moneta.log_in())
        acknowledged = again["data"]["transfer"]["transaction"]["hash"]
        moneta.kill()

        moneta.start()
        assert _transaction(moneta, acknowledged)["amount"] == "1.50000000"
        moneta.stop()
    finally:
        if moneta.process and moneta.process.poll() is None:
            moneta.kill()
        discard(moneta.home)


async def test_the_next_block_arrives_on_a_websocket(moneta: Moneta) -> None:
    before = moneta.post("{ chain { height } }")["data"]["chain"]["height"]
    url = moneta.url.replace("http", "ws", 1) + "/graphql"
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol], open_timeout=HANG_S, ping_timeout=HANG_S) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = "subscription { blocks { cursor block { height previousHash hash } } }"
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        blocks: list[dict[str, Any]] = []
        while len(blocks) < 2:
            message = json.loads(await socket.recv())
            if message["type"] == "next":
                blocks.append(message["payload"]["data"]["blocks"]["block"])
    assert blocks[0]["height"] > before
    assert blocks[1]["height"] == blocks[0]["height"] + 1
    assert blocks[1]["previousHash"] == blocks[0]["hash"]


@pytest.mark.parametrize("shape", ["payload", "headers in the payload", "access token", "handshake"])
async def test_gql_brings_its_token_in_each_of_its_ways(moneta: Moneta, shape: str) -> None:
    token = moneta.log_in()
    bearer: dict[str, Any] = {"Authorization": f"Bearer {token}"}
    shapes: dict[str, dict[str, Any]] = {
        "payload": {"init_payload": bearer},
        "headers in the payload": {"init_payload": {"headers": bearer}},
        "access token": {"init_payload": {"access_token": token}},
        "handshake": {"headers": bearer},
    }
    url = moneta.url.replace("http", "ws", 1) + "/graphql"
    transport = WebsocketsTransport(url=url, subprotocols=["graphql-transport-ws"], **shapes[shape])
    async with Client(transport=transport) as session:
        answer = await session.execute(gql("{ viewer { user { email } } }"))
    assert answer == {"viewer": {"user": {"email": "alice@example.com"}}}


def test_a_wrong_database_url_gives_one_clear_line() -> None:
    for name, url in (
        ("MONETA_DATABASE_URL", "postgresql://nobody:wrong@127.0.0.1:1/none"),
        ("MONETA_DATABASE_URL", "not a url"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "app", "migrate"],
            cwd=ROOT,
            env={**os.environ, name: url},
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        assert ended.returncode == 1
        assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
        assert "wrong" not in ended.stderr


def test_an_old_token_is_no_reason_to_refuse_what_needs_none(moneta: Moneta) -> None:
    answer = moneta.post("{ chain { height } viewer { user { email } } }", token="old.token")
    assert answer["data"]["chain"]["height"] > 0
    assert answer["data"]["viewer"] is None
    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("The token is not valid.", "UNAUTHENTICATED")


def test_health_metrics_and_mail_answer(moneta: Moneta) -> None:
    with urllib.request.urlopen(f"{moneta.url}/health/ready") as response:
        assert json.load(response) == {
            "status": "healthy",
            "checks": {"database": "healthy", "cache": "healthy", "apis": "healthy"},
        }
        assert response.headers["x-request-id"]
    with urllib.request.urlopen(f"{moneta.url}/metrics") as response:
        assert b"moneta_" in response.read()
    with urllib.request.urlopen(f"{moneta.url}/dev/mail?format=json") as response:
        assert isinstance(json.load(response), list)


def _transaction(moneta: Moneta, transaction_hash: str) -> dict[str, str]:
    answer = moneta.post(
        "query($hash: Hash!) { transaction(by: {hash: $hash}) { amount } }", {"hash": transaction_hash}
    )
    found: dict[str, str] = answer["data"]["transaction"]
    return found
