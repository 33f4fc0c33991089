"""Maintenance as an admin begins and ends it, on a running Moneta."""

import json

import httpx
import websockets

from tests.e2e.conftest import Moneta
from tests.waiting import HANG_S, now, seen, until_true

TURN = """mutation($enabled: Boolean!) {
  updateSystemSetting(input: {maintenance: {enabled: $enabled, message: "Back at noon."}}) {
    ... on UpdateSystemSettingPayload { systemSettings { maintenance { isEnabled } } }
  }
}"""


def answer_of(moneta: Moneta) -> httpx.Response:
    """To a query of nobody."""
    return httpx.post(f"{moneta.url}/graphql", json={"query": "{ chain { height } }"}, timeout=HANG_S, trust_env=False)


def is_ready(moneta: Moneta) -> bool:
    return httpx.get(f"{moneta.url}/health/ready", timeout=HANG_S, trust_env=False).status_code == 200


async def test_an_admin_begins_and_ends_maintenance(moneta: Moneta) -> None:
    admin, alice = moneta.log_in("admin@example.com"), moneta.log_in()
    url = moneta.url.replace("http", "ws", 1) + "/graphql"
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol], open_timeout=HANG_S, ping_timeout=HANG_S) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {alice}"}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = 'subscription { priceTicks(symbols: ["BTC"]) { at } }'
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        assert json.loads(await socket.recv())["type"] == "next"
        try:
            began = now()
            assert "errors" not in moneta.post(TURN, {"enabled": True}, admin)
            until_true(lambda: answer_of(moneta).status_code == 503, "users are turned away")
            seen("maintenance until users are turned away", now() - began)
            await socket.wait_closed()
            assert socket.close_code == 1013
            settings = moneta.post("{ systemSettings { maintenance { isEnabled } } }")["data"]["systemSettings"]
            assert settings["maintenance"] == {"isEnabled": True}
            assert moneta.post("{ chain { height } }", token=moneta.log_in("admin@example.com"))["data"]
            refused = answer_of(moneta)
            assert refused.headers["retry-after"] == "60"
            assert refused.json()["errors"][0]["message"] == "Back at noon."
            assert is_ready(moneta)
        finally:
            moneta.post(TURN, {"enabled": False}, admin)
    until_true(lambda: answer_of(moneta).status_code == 200, "users are answered again")
