"""Inputs of mutations in which each field is wrong, and the fields that are to be named."""

from typing import Any, Final

from tests.graph import campaign_inputs

LONG: Final = "x" * 3000
OLD: Final = "2020-01-01T00:00:00Z"

BACKTEST: Final = {
    "symbol": "nope",
    "strategy": {"trendFollowing": {"fastPeriod": 1, "minAdx": 200.0}},
    "initialCashUsd": "0",
    "maxPositionUsd": "0",
    "stopLossPercentage": 100.0,
    "takeProfitPercentage": 0.001,
    "dailyLossLimitUsd": "0.5",
    "coolDownMs": 10**12,
}
BACKTEST_FIELDS: Final = [
    ["strategy", "trendFollowing", "fastPeriod"],
    ["strategy", "trendFollowing", "minAdx"],
    ["maxPositionUsd"],
    ["stopLossPercentage"],
    ["takeProfitPercentage"],
    ["dailyLossLimitUsd"],
    ["coolDownMs"],
    ["initialCashUsd"],
]
KEYED: Final[dict[str, tuple[dict[str, Any], list[list[str]]]]] = {
    **campaign_inputs.KEYED,
    "transfer": (
        {"recipientWalletId": "<bob.wallet>", "amount": "0", "fee": "-1", "memo": LONG},
        [["fee"], ["amount"], ["memo"]],
    ),
    "submitTransaction": ({"transaction": "?", "signature": "?"}, [["transaction"], ["signature"]]),
    "addBeneficiary": (
        {"walletId": "<bob.wallet>", "name": LONG, "nickname": "a\u0007"},
        [["name"], ["nickname"]],
    ),
    "createAlert": (
        {
            "symbol": "BTC",
            "condition": {"volumeSpike": {"volumeRatio": "0", "windowMs": 1}},
            "rearm": "AFTER_COOLDOWN",
            "cooldownMs": 5,
            "expiresAt": OLD,
        },
        [
            ["condition", "volumeSpike", "windowMs"],
            ["condition", "volumeSpike", "volumeRatio"],
            ["cooldownMs"],
            ["expiresAt"],
        ],
    ),
    "addToWatchlist": ({"symbol": "nope", "notes": LONG}, [["notes"]]),
    "placeOrder": (
        {
            "portfolioId": "<alice.portfolio>",
            "order": {
                "symbol": "BTC",
                "side": "BUY",
                "type": {"limit": {"quantity": "0", "priceUsd": "0.123456", "postOnly": True}},
                "timeInForce": "FILL_OR_KILL",
                "expiresAt": OLD,
                "reduceOnly": True,
                "clientOrderId": "a b",
            },
        },
        [
            ["order", "type", "limit", "quantity"],
            ["order", "type", "limit", "priceUsd"],
            ["order", "expiresAt"],
            ["order", "type", "limit", "postOnly"],
            ["order", "reduceOnly"],
            ["order", "clientOrderId"],
        ],
    ),
    "placeBracket": (
        {
            "portfolioId": "<alice.portfolio>",
            "entry": {"symbol": "BTC", "side": "SELL", "type": {"market": {"quoteAmountUsd": "-1"}}},
            "takeProfit": {"priceUsd": "0"},
            "stopLoss": {"stopPriceUsd": "0", "priceUsd": "0"},
        },
        [
            ["entry", "type", "market", "quoteAmountUsd"],
            ["entry", "side"],
            ["takeProfit", "priceUsd"],
            ["stopLoss", "stopPriceUsd"],
            ["stopLoss", "priceUsd"],
        ],
    ),
    "replaceOrder": (
        {"id": "<order.1>", "quantity": "0", "priceUsd": None, "stopPriceUsd": "0", "trailFraction": "2"},
        [["priceUsd"], ["quantity"], ["stopPriceUsd"], ["trailFraction"]],
    ),
    "createTenant": (
        {
            "slug": "A",
            "name": LONG,
            "email": "x",
            "billingEmail": "x",
            "websiteUrl": "x",
            "supportEmail": "x",
            "timeZone": "x",
        },
        [["slug"], ["name"], ["email"], ["billingEmail"], ["websiteUrl"], ["supportEmail"], ["timeZone"]],
    ),
    "createApiKey": (
        {"name": LONG, "scopes": ["tenant:delete"], "allowedNetworks": ["x"], "expiresAt": OLD},
        [["name"], ["scopes"], ["allowedNetworks"], ["expiresAt"]],
    ),
    "rotateApiKey": ({"id": "<api.key>", "overlapMs": 604_800_001}, [["overlapMs"]]),
    "inviteMember": ({"email": "x", "tenantRole": "VIEWER"}, [["email"]]),
    "connectExchange": (
        {"exchangeName": "BINANCE", "label": " ", "apiKey": "", "secret": "\u00e9", "passphrase": "x"},
        [["label"], ["apiKey"], ["secret"], ["passphrase"]],
    ),
    "createBot": (
        {
            "portfolioId": "<alice.portfolio>",
            "name": LONG,
            "strategy": {"trendFollowing": {"fastPeriod": 1, "minAdx": 200.0}},
            "symbols": [],
            "maxPositionUsd": "0",
            "stopLossPercentage": 100.0,
            "takeProfitPercentage": 0.001,
            "dailyLossLimitUsd": "0.5",
            "coolDownMs": 10**12,
            "initialInvestmentUsd": "1.000000001",
            "aiModel": "",
        },
        [
            ["name"],
            ["strategy", "trendFollowing", "fastPeriod"],
            ["strategy", "trendFollowing", "minAdx"],
            ["symbols"],
            ["maxPositionUsd"],
            ["dailyLossLimitUsd"],
            ["initialInvestmentUsd"],
            ["stopLossPercentage"],
            ["takeProfitPercentage"],
            ["coolDownMs"],
            ["aiModel"],
        ],
    ),
    "runBacktest": (
        BACKTEST | {"startsAt": OLD, "endsAt": OLD},
        [*BACKTEST_FIELDS, ["startsAt"]],
    ),
    "runSweep": (
        {
            "backtest": BACKTEST | {"endsAt": "2999-01-01T00:00:00Z"},
            "axes": [
                {"field": "MIN_ADX", "values": ["5", "5", "500"]},
                {"field": "LEVELS", "values": ["3"]},
                {"field": "ADX_PERIOD", "values": []},
                {"field": "MIN_ADX", "values": ["5.5"]},
            ],
            "trainFraction": 0.95,
        },
        [
            *(["backtest", *each] for each in [*BACKTEST_FIELDS, ["endsAt"]]),
            ["trainFraction"],
            ["axes"],
            ["axes", "0", "values"],
            ["axes", "0", "values", "2"],
            ["axes", "1", "field"],
            ["axes", "2", "values"],
        ],
    ),
    "trackEvent": (
        {"type": "?", "data": [], "clientSession": ""},
        [["type"], ["data"], ["clientSession"]],
    ),
    "publishNews": (
        {"articles": [{"url": "x", "title": "", "source": "s"}]},
        [["articles", "0", "url"], ["articles", "0", "title"]],
    ),
    "createPortfolio": (
        {"name": LONG, "initialBalance": "0.000000001"},
        [["name"], ["initialBalance"]],
    ),
    "depositPaper": (
        {"portfolioId": "<alice.portfolio>", "amount": "0", "currency": "USD"},
        [["amount"]],
    ),
    "withdrawPaper": (
        {"portfolioId": "<alice.portfolio>", "amount": "0", "currency": "USD"},
        [["amount"]],
    ),
    "resetPortfolio": ({"portfolioId": "<alice.portfolio>"}, []),
    "createAccessCodes": ({"codes": ["?", "gold-1", "GOLD-1"]}, [["codes", "0"], ["codes", "2"]]),
    "register": (
        {"accessCode": "?", "email": "nowhere", "password": "short", "fullName": " "},
        [["email"], ["password"], ["fullName"], ["accessCode"]],
    ),
}
"""For each mutation with a key: an input in which all is wrong that needs no database, and the paths of its fields."""

UPDATED: Final[dict[str, tuple[dict[str, Any], list[str]]]] = {
    **campaign_inputs.UPDATED,
    "UpdateAlertInput": (
        {"condition": {"priceAbove": {"priceUsd": "-1"}}, "cooldownMs": 5, "enabled": None, "expiresAt": OLD},
        ["enabled", "condition.priceAbove.priceUsd", "cooldownMs", "expiresAt"],
    ),
    "UpdateProfileInput": (
        {"username": "a b", "displayName": LONG, "avatarUrl": "x", "tradingMode": None, "analyticsEnabled": None},
        ["tradingMode", "analyticsEnabled", "username", "displayName", "avatarUrl"],
    ),
    "UpdateWatchlistItemInput": ({"notes": LONG, "position": -1, "viewed": None}, ["viewed", "notes", "position"]),
    "UpdateBotInput": (
        {"name": None, "interval": None, "strategy": {"grid": {"levels": 1}}, "symbols": [], "maxPositionUsd": "0"},
        ["name", "interval", "strategy.grid.levels", "symbols", "maxPositionUsd"],
    ),
    "UpdatePortfolioInput": ({"name": None, "default": False}, ["name", "default"]),
    "UpdateTenantInput": (
        {"name": None, "email": "x", "billingEmail": "x", "websiteUrl": "x", "supportEmail": "x", "timeZone": "x"},
        ["name", "email", "billingEmail", "websiteUrl", "supportEmail", "timeZone"],
    ),
    "UpdateTenantPlanInput": (
        {"plan": None, "billingReference": LONG, "projectLimit": -1, "participantLimit": -1, "monthlyCallLimit": -1},
        ["plan", "projectLimit", "participantLimit", "monthlyCallLimit", "billingReference"],
    ),
    "UpdateBeneficiaryInput": ({"name": LONG, "nickname": LONG}, ["name", "nickname"]),
}
