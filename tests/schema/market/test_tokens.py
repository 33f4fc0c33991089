"""Tokens in the graph."""

from typing import Any

import pytest
import pytest_asyncio

from app.engine.declarations.nodes import global_id
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens, quote

TOKENS = """query Tokens(
  $search: String, $filter: TokenFilter, $orderBy: TokenOrderBy, $first: Int! = 20, $after: Cursor
) {
  tokens(search: $search, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { symbol priceUsd }
    totalCount { value precision }
    pageInfo { hasNextPage endCursor }
  }
}"""


@pytest_asyncio.fixture(autouse=True)
async def listed(owner: Owner) -> None:
    await list_tokens(owner)
    await quote(owner, "BTC", "90000")
    await quote(owner, "ETH", "3000.5")
    await quote(owner, "DOGE", "0.2")


async def tokens(execute: Execute, **variables: Any) -> Any:
    response = await execute(TOKENS, variables)
    assert response.data is not None, response.errors
    return response.data["tokens"]


@pytest.mark.parametrize(
    "by",
    [
        {"symbol": "ETH"},
        {"symbol": " eth "},
        {"coingeckoId": "ethereum"},
        {"coingeckoId": " Ethereum"},
        {"id": global_id("Token", "ETH")},
    ],
)
async def test_one_token(execute: Execute, by: dict[str, str]) -> None:
    response = await execute("query One($by: TokenBy!) { token(by: $by) { symbol priceUsd priceAud } }", {"by": by})
    assert response.errors == []
    prices = {"priceUsd": "3000.500000000000", "priceAud": "4500.750000000000"}
    assert response.data == {"token": {"symbol": "ETH", **prices}}
    assert response.statements == 1


@pytest.mark.parametrize(
    "by",
    [
        {"symbol": ""},
        {"symbol": "%"},
        {"symbol": "\x1b"},
        {"symbol": "x" * 10_000},
        {"coingeckoId": ""},
        {"coingeckoId": "\x1b"},
        {"id": global_id("Token", "eth")},
        {"id": global_id("Token", "\0")},
        {"id": global_id("Wallet", "0" * 64)},
        {"id": "nonsense"},
    ],
)
async def test_no_token(execute: Execute, by: dict[str, str]) -> None:
    response = await execute("query One($by: TokenBy!) { token(by: $by) { symbol } }", {"by": by})
    assert (response.errors, response.data) == ([], {"token": None})


@pytest.mark.parametrize("by", [{}, {"symbol": "BTC", "coingeckoId": "bitcoin"}, {"symbol": None}])
async def test_by_exactly_one(execute: Execute, by: dict[str, Any]) -> None:
    response = await execute("query One($by: TokenBy!) { token(by: $by) { symbol } }", {"by": by})
    assert [error["extensions"]["code"] for error in response.errors] == ["BAD_USER_INPUT"]


async def test_pages_continue_in_the_same_order(execute: Execute) -> None:
    order = {"field": "PRICE_USD", "direction": "DESC"}
    symbols, after = [], None
    while True:
        page = await tokens(execute, orderBy=order, first=4, after=after)
        assert page["totalCount"] == {"value": 6, "precision": "EXACT"}
        symbols += [node["symbol"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert symbols == ["BTC", "ETH", "DOGE", "USDT", "SOL", "BCH"]


async def test_a_search_is_sorted_by_relevance_unless_an_order_is_given(execute: Execute) -> None:
    found = await tokens(execute, search="bitcoin cash")
    assert [node["symbol"] for node in found["nodes"]] == ["BCH", "BTC"]
    found = await tokens(execute, search="bitcoin cash", orderBy={"field": "MARKET_CAP_RANK", "direction": "ASC"})
    assert [node["symbol"] for node in found["nodes"]] == ["BTC", "BCH"]


async def test_a_filter(execute: Execute) -> None:
    found = await tokens(execute, filter={"minPriceUsd": "0.1", "maxPriceUsd": "3000.5", "symbols": ["btc", "eth"]})
    assert [node["symbol"] for node in found["nodes"]] == ["ETH"]
    assert found["totalCount"]["value"] == 1
    nothing = await tokens(execute, filter={"minChangePercentage24h": -100, "minVolume24hUsd": "0"})
    assert nothing["nodes"] == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"search": ""}, "A search has 1 to 100 characters; leave it out to list every token."),
        ({"search": "x" * 10_000}, "A search has 1 to 100 characters; leave it out to list every token."),
        ({"search": "a\x1bb"}, "A search holds no control characters."),
        ({"search": "a\0b"}, "Text may not contain NUL or a lone surrogate."),
        ({"filter": {"symbols": ["BTC"] * 101}}, "At most 100 symbols."),
        ({"after": "nonsense"}, "This cursor does not belong to this list in this order."),
        ({"first": 0}, "`first` must be between 1 and 100."),
        ({"first": 101}, "`first` must be between 1 and 100."),
    ],
)
async def test_invalid_arguments_are_refused(execute: Execute, variables: dict[str, Any], message: str) -> None:
    response = await execute(TOKENS, variables)
    assert [(error["message"], error["extensions"]["code"]) for error in response.errors] == [
        (message, "BAD_USER_INPUT")
    ]


async def test_a_cursor_of_another_order_is_refused(execute: Execute) -> None:
    after = (await tokens(execute, first=1))["pageInfo"]["endCursor"]
    response = await execute(TOKENS, {"after": after, "orderBy": {"field": "NAME", "direction": "ASC"}})
    assert [error["message"] for error in response.errors] == [
        "This cursor does not belong to this list in this order."
    ]


async def test_validation(execute: Execute) -> None:
    query = """query Validate($symbol: String!) {
      validateToken(symbol: $symbol) { isValid token { symbol } suggestions { symbol } }
    }"""
    response = await execute(query, {"symbol": "btc"})
    assert response.data == {"validateToken": {"isValid": True, "token": {"symbol": "BTC"}, "suggestions": []}}
    response = await execute(query, {"symbol": "BITCOIM"})
    assert response.data == {
        "validateToken": {"isValid": False, "token": None, "suggestions": [{"symbol": "BTC"}, {"symbol": "BCH"}]}
    }
    for symbol in ("", "\x1b", "%", "x" * 10_000):
        response = await execute(query, {"symbol": symbol})
        assert response.data == {"validateToken": {"isValid": False, "token": None, "suggestions": []}}
