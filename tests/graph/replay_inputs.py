"""What mutations with a key are given, in two variants."""

import base64
from datetime import timedelta
from typing import Any, cast

from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.services import TradingServices
from app.engine.declarations.nodes import global_id
from app.kit.crypto.rsa import sign
from tests.domains.trading.venues.stub import KEY as STUB_KEY
from tests.domains.trading.venues.stub import SECRET as STUB_SECRET
from tests.factories import PASSWORD
from tests.graph.stage import Stage


async def transfer(stage: Stage, variant: str) -> dict[str, Any]:
    return {"recipientWalletId": stage.names["bob.wallet"], "amount": "1", "memo": variant}


async def submission(stage: Stage, variant: str) -> dict[str, Any]:
    query = """query Q($to: Hash!, $memo: String!) { viewer { wallet {
        unsignedTransaction(recipientWalletId: $to, amount: "1", memo: $memo) { bytes } } } }"""
    carol = stage.world.viewers["carol"]
    response = await stage.execute(query, {"to": stage.names["bob.wallet"], "memo": variant}, carol)
    assert response.errors == []
    encoding = cast(Any, response.data)["viewer"]["wallet"]["unsignedTransaction"]["bytes"]
    signature = sign(stage.world.carols_key.private_der, base64.b64decode(encoding))
    return {"transaction": encoding, "signature": base64.b64encode(signature).decode()}


async def beneficiary(stage: Stage, variant: str) -> dict[str, Any]:
    return {"walletId": stage.names["carol.wallet"], "name": f" {variant} "}


async def alert(stage: Stage, variant: str) -> dict[str, Any]:
    tomorrow = (stage.application.clock.now() + timedelta(days=1)).isoformat()
    return {"symbol": "btc", "condition": {"priceAbove": {"priceUsd": f"{len(variant)}99999"}}, "expiresAt": tomorrow}


async def watched(stage: Stage, variant: str) -> dict[str, Any]:
    return {"symbol": "eth", "notes": f" {variant} "}


async def news(stage: Stage, variant: str) -> dict[str, Any]:
    at = stage.application.clock.now().isoformat()
    return {"articles": [{"url": "https://wire.example/9", "title": variant, "source": "W", "publishedAt": at}]}


async def codes(stage: Stage, variant: str) -> dict[str, Any]:
    return {"codes": ["same-code", variant]}


async def tenant(stage: Stage, variant: str) -> dict[str, Any]:
    return {"slug": f"tenant-{variant}", "name": variant, "email": "office@tenant.example"}


async def invitation(stage: Stage, variant: str) -> dict[str, Any]:
    return {"email": f"{variant}@example.com", "tenantRole": "VIEWER"}


async def api_key(stage: Stage, variant: str) -> dict[str, Any]:
    return {"name": variant, "scopes": ["tenant:read"]}


async def rotation(stage: Stage, variant: str) -> dict[str, Any]:
    return {"id": stage.names["api.key"], "overlapMs": len(variant)}


async def portfolio(stage: Stage, variant: str) -> dict[str, Any]:
    return {"name": f" {variant} ", "initialBalance": "5.0"}


async def payment(stage: Stage, variant: str) -> dict[str, Any]:
    return {"portfolioId": stage.names["alice.portfolio"], "amount": f"{len(variant)}.50", "currency": "USD"}


async def reset(stage: Stage, variant: str) -> dict[str, Any]:
    """Alice's portfolio, and another that she has."""
    if variant == "first":
        return {"portfolioId": stage.names["alice.portfolio"]}
    portfolios, alice = stage.services[TradingServices].portfolios, stage.world.viewers["alice"]
    return {"portfolioId": global_id("Portfolio", await portfolios.create(alice, NewPortfolio(), "another"))}


async def order(stage: Stage, variant: str) -> dict[str, Any]:
    await stage.feed({"BTC": "60000"})
    limit = {"quantity": "0.0010", "priceUsd": f"{50000 + len(variant)}.0"}
    order = {"symbol": " btc", "side": "BUY", "type": {"limit": limit}}
    return {"portfolioId": stage.names["alice.portfolio"], "order": order}


async def bracket(stage: Stage, variant: str) -> dict[str, Any]:
    placed = await order(stage, variant)
    exits = {"takeProfit": {"priceUsd": "70000"}, "stopLoss": {"stopPriceUsd": "40000"}}
    return {"portfolioId": placed["portfolioId"], "entry": placed["order"], **exits}


async def bot(stage: Stage, variant: str) -> dict[str, Any]:
    return {
        "portfolioId": stage.names["alice.portfolio"],
        "name": f" {variant} ",
        "strategy": {"dca": {"amountUsd": f"{len(variant)}.50"}},
        "symbols": [" btc"],
        "stopLossPercentage": 5.5,
    }


async def backtest(stage: Stage, variant: str) -> dict[str, Any]:
    return {
        "symbol": " xmr",
        "interval": "ONE_MINUTE",
        "strategy": {"dca": {"amountUsd": f"{len(variant)}.50"}},
        "stopLossPercentage": 5.5,
    }


async def sweep(stage: Stage, variant: str) -> dict[str, Any]:
    axis = {"field": "EVERY_CANDLES", "values": [f"{len(variant)}.0", "7"]}
    return {"backtest": await backtest(stage, variant), "axes": [axis], "trainFraction": 0.50}


async def event(stage: Stage, variant: str) -> dict[str, Any]:
    return {"type": "page.opened", "data": {"page": variant}}


async def person(stage: Stage, variant: str) -> dict[str, Any]:
    return {"email": " Gina@example.com", "password": PASSWORD, "fullName": variant, "accessCode": "for-erin"}


async def account(stage: Stage, variant: str) -> dict[str, Any]:
    await stage.owner.execute("UPDATE profiles SET subscription_tier = 'pro'")
    return {"exchangeName": "BINANCE", "label": variant, "apiKey": STUB_KEY, "secret": STUB_SECRET}
