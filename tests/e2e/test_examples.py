"""The examples in the IDE's tabs, sent to a running Moneta as they are: each must answer on the demo's data."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websockets
from graphql import OperationDefinitionNode, OperationType, parse

from tests.e2e.conftest import ROOT, Moneta
from tests.waiting import HANG_S, until

EXAMPLES = sorted((ROOT / "web" / "examples").glob("*.graphql"))
PRICES = '{ tokens(filter: {symbols: ["BTC", "ETH", "SOL"]}) { nodes { symbol priceUsd } } }'
CREATE = """mutation($input: CreateAlertInput!) {
  createAlert(input: $input) { ... on CreateAlertPayload { alert { isEnabled } } ... on Problem { message } }
}"""
FILLS = """{
  token(by: {symbol: "BTC"}) { priceUsd }
  viewer { beneficiaries(first: 1) { nodes { wallet { walletId } } } defaultPortfolio { id }
    bots(first: 1, filter: {status: ACTIVE}) { nodes { id } } backtests(first: 1) { nodes { id } } }
}"""
TRANSFER = """mutation($to: Hash!) {
  transfer(input: {recipientWalletId: $to, amount: "0.5", idempotencyKey: "examples"}) { __typename }
}"""
PUBLISH = """mutation { publishNews(input: {
  articles: [{url: "https://paper.example/examples", title: "Bitcoin is in the examples", source: "Paper"}]
  idempotencyKey: "examples of subscriptions"
}) { __typename ... on Problem { message } } }"""
WATCH = """mutation { addToWatchlist(input: {symbol: "XMR", idempotencyKey: "examples of subscriptions"}) {
  __typename ... on Problem { message }
} }"""
ORDER = """mutation($id: ID!) { placeOrder(input: {
  portfolioId: $id
  order: {symbol: "BTC", side: BUY, type: {market: {quoteAmountUsd: "20"}}}
  idempotencyKey: "an order for the examples of subscriptions"
}) { __typename ... on Problem { message } } }"""
BOT = """mutation($id: ID!) { createBot(input: {
  portfolioId: $id, name: "Examples of subscriptions", symbols: ["BTC"], strategy: {dca: {}}
  idempotencyKey: "a bot for the examples of subscriptions"
}) { __typename ... on Problem { message } } }"""
LATER = {"51-signals"}
"""What says something at the end of a candle only."""
NOTIFIED = "{ viewer { notifications(first: 1) { nodes { title } } } }"
JOINER = """mutation($input: CreateParticipantInput!) { createParticipant(input: $input) {
  __typename ... on CreateParticipantPayload { participant { id } } ... on Problem { message }
} }"""
JOIN = """mutation($input: JoinProjectInput!) { joinProject(input: $input) {
  __typename ... on Problem { message }
} }"""
NEWEST = '{ tenant { participants(first: 1, filter: {usernamePrefix: "example-"}) { nodes { id } } } }'
TENANT = {"X-Moneta-Tenant": "demo"}
WALLET = "{ viewer { wallet { walletId } } }"


def of_type(kind: OperationType) -> list[Any]:
    """The examples that are queries, mutations or subscriptions."""
    found = [path for path in EXAMPLES if _operation(path).operation is kind]
    return [pytest.param(path, id=path.stem) for path in found]


def _operation(path: Path) -> OperationDefinitionNode:
    (operation,) = parse(path.read_text()).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def _variables(path: Path, moneta: Moneta, token: str) -> dict[str, Any]:
    """The variables with the values that the page fills in: see web/src/fills.ts."""
    beside = path.with_suffix(".json")
    text = beside.read_text() if beside.exists() else "{}"
    if "{{" in text:
        data = moneta.post(FILLS, token=token)["data"]
        recipient = data["viewer"]["beneficiaries"]["nodes"][0]["wallet"]["walletId"]
        price = round(Decimal(data["token"]["priceUsd"]) * Decimal("1.00003"), 2)
        viewer = data["viewer"]
        found = moneta.post(NEWEST, token=token, headers=_headers(path))["data"]["tenant"]
        if found is not None and found["participants"]["nodes"]:
            text = text.replace("{{participant}}", found["participants"]["nodes"][0]["id"])
        newest = {kind: viewer[f"{kind}s"]["nodes"][0]["id"] for kind in ("bot", "backtest")}
        portfolio = viewer["defaultPortfolio"]["id"]
        values = {"recipient": recipient, "portfolio": portfolio, "price": price, "key": path.stem, **newest}
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", str(value))
    variables: dict[str, Any] = json.loads(text)
    return variables


def _headers(path: Path) -> dict[str, str]:
    """What the page fills the header editor with."""
    beside = path.with_suffix(".headers.json")
    headers: dict[str, str] = json.loads(beside.read_text()) if beside.exists() else {}
    return headers


@pytest.mark.parametrize("path", of_type(OperationType.QUERY))
def test_a_query_answers(moneta: Moneta, path: Path) -> None:
    token = moneta.log_in()
    fell_back = moneta.fell_back()
    answer = moneta.post(path.read_text(), _variables(path, moneta, token), token, _headers(path))
    assert "errors" not in answer, answer
    assert None not in answer["data"].values()
    # It is answered the fast way, and not a second time by graphql-core.
    assert moneta.fell_back() == fell_back


@pytest.mark.parametrize("path", of_type(OperationType.MUTATION))
def test_a_mutation_answers(moneta: Moneta, path: Path) -> None:
    token = moneta.log_in()
    answer = moneta.post(path.read_text(), _variables(path, moneta, token), token, _headers(path))
    assert "errors" not in answer, answer
    ((field, result),) = answer["data"].items()
    assert result["__typename"] == f"{field[0].upper()}{field[1:]}Payload", result


async def test_subscriptions_tell(moneta: Moneta) -> None:
    token = await asyncio.to_thread(moneta.log_in)
    subscriptions = [parameter.values[0] for parameter in of_type(OperationType.SUBSCRIPTION)]
    assert len(subscriptions) >= 8
    in_tenant = [path for path in subscriptions if _headers(path)]
    assert in_tenant
    # The page has a socket for each tenant as well.
    for tenant, paths in ((None, [path for path in subscriptions if not _headers(path)]), ("demo", in_tenant)):
        await _tell(moneta, token, tenant, {path.stem: path for path in paths})


async def _tell(moneta: Moneta, token: str, tenant: str | None, waiting: dict[str, Path]) -> None:
    url = moneta.url.replace("http", "ws", 1) + "/graphql"
    protocol = websockets.Subprotocol("graphql-transport-ws")
    assert all(_headers(path) == ({} if tenant is None else {"X-Moneta-Tenant": tenant}) for path in waiting.values())
    named = {} if tenant is None else {"tenant": tenant}
    async with websockets.connect(url, subprotocols=[protocol], open_timeout=HANG_S, ping_timeout=HANG_S) as socket:
        first = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}", **named}}
        await socket.send(json.dumps(first))
        for name, path in waiting.items():
            payload = {"query": path.read_text(), "variables": _variables(path, moneta, token)}
            await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": payload}))
        await asyncio.to_thread(_join if tenant else _make_something_happen, moneta, token)
        while waiting.keys() - LATER:
            message = json.loads(await socket.recv())
            if message["type"] == "next":
                assert "errors" not in message["payload"], message
                waiting.pop(message["id"], None)
            else:
                assert message["type"] in ("connection_ack", "ping"), message


def _join(moneta: Moneta, token: str) -> None:
    given = {"username": "joiner of the examples", "verified": True, "idempotencyKey": "joiner"}
    made = moneta.post(JOINER, {"input": given}, token, TENANT)["data"]["createParticipant"]
    assert made["__typename"] == "CreateParticipantPayload", made
    who = {"projectKey": "proj_moondrop0001", "participantId": made["participant"]["id"], "idempotencyKey": "joins"}
    joined = moneta.post(JOIN, {"input": who}, token, TENANT)["data"]["joinProject"]
    assert joined["__typename"] == "JoinProjectPayload", joined


def _make_something_happen(moneta: Moneta, token: str) -> None:
    bob = moneta.post(WALLET, token=moneta.log_in("bob@example.com"))["data"]["viewer"]["wallet"]["walletId"]
    sent = moneta.post(TRANSFER, {"to": bob}, token)
    assert sent["data"]["transfer"]["__typename"] == "TransferPayload", sent
    for quoted in moneta.post(PRICES)["data"]["tokens"]["nodes"]:
        for condition, factor in (("priceAbove", "1.00002"), ("priceBelow", "0.99998")):
            price = round(Decimal(quoted["priceUsd"]) * Decimal(factor), 6)
            created = moneta.post(
                CREATE,
                {
                    "input": {
                        "symbol": quoted["symbol"],
                        "condition": {condition: {"priceUsd": str(price)}},
                        "idempotencyKey": f"examples {condition} {quoted['symbol']}",
                    }
                },
                token,
            )
            assert created["data"]["createAlert"] == {"alert": {"isEnabled": True}}, created
    watched = moneta.post(WATCH, token=token)
    assert watched["data"]["addToWatchlist"]["__typename"] == "AddToWatchlistPayload", watched
    portfolio = moneta.post(FILLS, token=token)["data"]["viewer"]["defaultPortfolio"]["id"]
    ordered = moneta.post(ORDER, {"id": portfolio}, token)
    assert ordered["data"]["placeOrder"]["__typename"] == "PlaceOrderPayload", ordered
    made = moneta.post(BOT, {"id": portfolio}, token)
    assert made["data"]["createBot"]["__typename"] == "CreateBotPayload", made
    published = moneta.post(PUBLISH, token=moneta.log_in("admin@example.com"))
    assert published["data"]["publishNews"]["__typename"] == "PublishNewsPayload", published


async def test_an_alert_of_the_demo_fires(moneta: Moneta) -> None:
    bob = await asyncio.to_thread(moneta.log_in, "bob@example.com")

    async def notified() -> bool:
        answer = await asyncio.to_thread(moneta.post, NOTIFIED, None, bob)
        return bool(answer["data"]["viewer"]["notifications"]["nodes"])

    await until(notified)
