"""What is sent to each exchange that is declared, without a network: our ID is in it, and the numbers are as given."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.domains.trading.exchanges.model import EXCHANGES, Credentials, ExchangeName
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import ms_of
from app.domains.trading.venues.model import OrderRequest, OutcomeUnknown, VenueError
from app.domains.trading.venues.rules.answers import may_withdraw
from app.domains.trading.venues.services.client import Markets
from app.domains.trading.venues.services.connector import Connector

KEYS = {
    "binance": "newClientOrderId",
    "bybit": "orderLinkId",
    "coinbase": "client_order_id",
    "kraken": "cl_ord_id",
    "okx": "clOrdId",
}
"""What each exchange calls our ID, as its own documentation has it."""
AT = datetime(2026, 11, 30, tzinfo=UTC)
ID = "5f3c1c1e7f6b4a0f9a7d3a52c1b0e9d4"


class Sent(Exception):
    """The request went no further."""


def _fields(given: Any) -> dict[str, Any]:
    if isinstance(given, list):
        return _fields(given[0])
    if isinstance(given, dict):
        return {name: value for name, value in given.items() if not isinstance(value, dict | list)}
    return {}


@pytest.mark.parametrize("name", list(ExchangeName))
async def test_an_order_is_sent_under_our_id_and_in_exact_numbers(name: ExchangeName) -> None:
    exchange = EXCHANGES[name]
    # Of Kraken a secret is base64; Coinbase's is a key whose signature nobody checks here.
    client = await Connector(Markets()).open(name, Credentials("key", "c2VjcmV0", "pass"))
    sent = list[dict[str, Any]]()

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        text = body or url.partition("?")[2]
        sent.append(_fields(json.loads(text)) if text.startswith(("{", "[")) else dict(parse_qsl(text)))
        raise Sent

    inner = client._client
    inner.fetch = fetch
    inner.create_auth_token = lambda *_, **__: "token"
    market = exchange.market("BTC")
    base = {"BTC": "XXBT", "USD": "ZUSD"} if name is ExchangeName.KRAKEN else {}
    inner.set_markets(
        [
            {
                **inner.safe_market_structure(),
                "id": market.replace("/", "-" if name in (ExchangeName.OKX, ExchangeName.COINBASE) else ""),
                "symbol": market,
                "base": "BTC",
                "quote": exchange.quote,
                "baseId": base.get("BTC", "BTC"),
                "quoteId": base.get("USD", exchange.quote),
                "type": "spot",
                "spot": True,
                "active": True,
                "precision": {"amount": "0.00000001", "price": "0.01"},
                "limits": {"amount": {}, "price": {}, "cost": {}},
                "info": {"orderTypes": ["LIMIT", "MARKET"]},
            }
        ]
    )
    request = OrderRequest(
        client_id=ID,
        market=market,
        type="limit",
        side=Side.BUY,
        quantity=Decimal("0.12345678"),
        price=Decimal("61234.5"),
        params={"timeInForce": "GTC"},
    )
    try:
        assert client.is_exact(request)
        with pytest.raises(VenueError):
            await client.create(request)
    finally:
        await client.close()
    assert len(sent) == 1, "nothing is asked between noting that it is sent and sending it"
    assert sent[0][KEYS[name]] == ID
    if name is not ExchangeName.COINBASE:
        assert {"0.12345678", "61234.5"} <= {str(value) for value in sent[0].values()}


@pytest.mark.parametrize("name", list(ExchangeName))
@pytest.mark.parametrize("lacking", [0, 1])
async def test_a_list_is_read_to_its_end(name: ExchangeName, lacking: int) -> None:
    """Two pages and a half, of which three have the time of a page's edge; or as much as fits."""
    exchange = EXCHANGES[name]
    client = await Connector(Markets()).open(name, Credentials("key", "c2VjcmV0", "pass"))
    size, asked = exchange.page, list[tuple[int, dict[str, int]]]()
    start = ms_of(AT)
    times = [start + number // 3 for number in range(size * 5 // 2 if not lacking else size - lacking)]

    async def list_trades(market: str, since: int, limit: int, params: dict[str, int]) -> list[dict[str, Any]]:
        asked.append((since, params))
        found = [
            {"id": str(id), "symbol": market, "amount": "1", "price": "2", "timestamp": at}
            for id, at in enumerate(times)
            if since <= at < params.get("until", at + 1)
        ]
        return found[-limit:] if exchange.lists_newest_first else found[:limit]

    client._client.fetch_my_trades = list_trades
    try:
        found = await client.trades(exchange.market("BTC"), AT)
    finally:
        await client.close()
    assert sorted(int(each.id) for each in found) == list(range(len(times)))
    assert asked[0] == (start, {})
    assert len(asked) == (1 if lacking else 3)


def test_what_exchanges_say_of_keys_is_read_and_what_cannot_be_is_no_answer() -> None:
    said: dict[ExchangeName, tuple[dict[str, Any], dict[str, Any]]] = {
        ExchangeName.BINANCE: ({"enableWithdrawals": True}, {"enableWithdrawals": False}),
        ExchangeName.BYBIT: (
            {"result": {"permissions": {"Wallet": ["AccountTransfer", "Withdraw"]}}},
            {"result": {"permissions": {"Wallet": []}}},
        ),
        ExchangeName.COINBASE: ({"can_transfer": True}, {"can_transfer": False}),
        ExchangeName.OKX: ({"data": [{"perm": "read_only,withdraw"}]}, {"data": [{"perm": "read_only,trade"}]}),
    }
    for name, (may, may_not) in said.items():
        assert may_withdraw(name, may) is True
        assert may_withdraw(name, may_not) is False
        unreadable: list[Any] = [{}, [], None, "<html>", dict.fromkeys(may), {"result": []}, {"data": [{}]}]
        for nonsense in unreadable:
            with pytest.raises(OutcomeUnknown):
                may_withdraw(name, nonsense)
    assert {name for name, exchange in EXCHANGES.items() if exchange.permissions} == said.keys()
