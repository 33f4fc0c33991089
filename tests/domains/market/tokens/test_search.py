"""Tokens by what people call them: what is found, in which order, page by page, and how fast."""

import random
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import FoundToken, symbol_of
from app.domains.market.tokens.services.search import chosen_symbols, searched, suggestions, validate
from app.engine.declarations.cursors import MAX_CURSOR
from app.kit.db import PUBLIC, Database
from app.kit.errors import InvalidInput
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens, quote
from tests.lists import decode, encode

ORDERS = [(order, way) for order in token_loaders.tokens.orders if order != "RELEVANCE" for way in (False, True)]


@pytest_asyncio.fixture
async def listed(owner: Owner) -> Owner:
    await list_tokens(owner)
    return owner


async def found(database: Database, search: str) -> list[str]:
    """The symbols that a search finds, best first."""
    filters = {"search": searched(search)}
    return [token.symbol for token in await everything(database, filters, 100, "RELEVANCE")]


async def everything(
    database: Database, filters: dict[str, Any], size: int, order: str = "MARKET_CAP_RANK", *, descending: bool = False
) -> list[FoundToken]:
    """The whole list, read in pages, with cursors as clients hold them."""
    loader, reads = token_loaders.tokens, Reads(database, PUBLIC)
    records: list[FoundToken] = []
    request = page_request(loader, size, order, descending=descending, filters=filters)
    while True:
        page = await reads.page(loader, None, request)
        records += page.records
        if not page.has_next:
            assert len(records) == await reads.count(loader, None, request.filters)
            return records
        cursor = encode(loader, page.records[-1], order, descending=descending)
        assert len(cursor) <= MAX_CURSOR
        after = decode(loader, cursor, order, descending=descending)
        request = page_request(loader, size, order, descending=descending, filters=filters, after=after)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("BTC", ["BTC"]),
        ("bitcon", ["BTC", "BCH"]),
        ("etherium", ["ETH"]),
        ("ehtereum", ["ETH"]),
        ("dogecion", ["DOGE"]),
        ("slana", ["SOL"]),
        ("Bitcoin", ["BTC", "BCH"]),
        ("bitcoin cash", ["BCH", "BTC"]),
        ("bitcoin-cash", ["BCH", "BTC"]),
        ("bit", ["BTC", "BCH"]),
        ("cash", ["BCH"]),
        ("  sOl ", ["SOL"]),
        ("eth", ["ETH"]),
        ("nothing of the kind", []),
    ],
)
async def test_what_a_search_finds(listed: Owner, database: Database, search: str, expected: list[str]) -> None:
    assert await found(database, search) == expected


@pytest.mark.parametrize(
    "search", ["%", "_", "b%", "\\", "'; DROP TABLE tokens; --", "💰", "比特币", "ẞ", "x" * 100, "…"]
)
async def test_an_unusual_search_finds_nothing(listed: Owner, database: Database, search: str) -> None:
    assert await found(database, search) == []
    assert await suggestions(database, search) == []


@pytest.mark.parametrize("search", ["", "   ", "x" * 101, "x" * 10_000, "a\0b", "\ud800", "a\x1b"])
async def test_what_is_no_search(listed: Owner, database: Database, search: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        searched(search)
    assert caught.value.path == ("search",)
    assert await suggestions(database, search) == []


async def test_an_exact_symbol_comes_before_a_larger_token_that_begins_so(owner: Owner, database: Database) -> None:
    names = {"SOLVE": ("solve-id", "Solve"), "SOLV": ("solv-id", "Solv"), "SOL": ("x", "Y"), "ABC": ("sol", "Z")}
    await list_tokens(owner, names)
    assert await found(database, "sol") == ["SOL", "ABC", "SOLVE", "SOLV"]


async def test_tokens_that_are_not_listed_any_more_are_found_but_not_suggested(
    listed: Owner, database: Database
) -> None:
    await listed.execute("UPDATE tokens SET is_active = false, market_cap_rank = NULL WHERE symbol = 'BTC'")
    assert await found(database, "bitcoin") == ["BTC", "BCH"]
    assert [token.symbol for token in await suggestions(database, "bitcoin")] == ["BCH"]
    validation = await validate(database, "btc")
    assert not validation.is_valid
    assert validation.token is not None
    assert [token.symbol for token in validation.suggestions] == []


async def test_validation(listed: Owner, database: Database) -> None:
    valid = await validate(database, " eth")
    assert (valid.is_valid, valid.token and valid.token.symbol, valid.suggestions) == (True, "ETH", [])
    mistyped = await validate(database, "BTCC")
    assert (mistyped.is_valid, mistyped.token) == (False, None)
    assert [token.symbol for token in mistyped.suggestions] == ["BTC"]
    for text in ("", "\0", "x" * 10_000):
        nonsense = await validate(database, text)
        assert (nonsense.is_valid, nonsense.token, nonsense.suggestions) == (False, None, [])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "BTC ETH USDT DOGE BCH SOL"),
        ({"symbols": chosen_symbols(("sol", " BTC", "none", "\0"))}, "BTC SOL"),
        ({"symbols": ()}, ""),
        ({"is_active": False}, "DOGE"),
        ({"is_active": True, "min_market_cap_rank": 2, "max_market_cap_rank": 5}, "ETH USDT BCH"),
        ({"min_price_usd": Decimal(1)}, "BTC ETH USDT"),
        ({"max_price_usd": Decimal(1)}, "USDT DOGE"),
        ({"min_price_usd": Decimal(2), "max_price_usd": Decimal(1)}, ""),
        ({"min_volume_24h_usd": Decimal("5e9")}, "BTC"),
        ({"search": "bitcoin", "min_price_usd": Decimal(1)}, "BTC"),
    ],
)
async def test_what_a_filter_leaves(listed: Owner, database: Database, filters: dict[str, Any], expected: str) -> None:
    await quote(listed, "BTC", "90000", volume_usd="5000000000")
    await quote(listed, "ETH", "3000")
    await quote(listed, "USDT", "1", volume_usd="4999999999.99")
    await quote(listed, "DOGE", "0.2")
    await listed.execute("UPDATE tokens SET is_active = false WHERE symbol = 'DOGE'")
    tokens = await everything(database, filters, 2)
    assert [token.symbol for token in tokens] == expected.split()


def test_a_filter_names_a_hundred_symbols_at_most() -> None:
    assert chosen_symbols(("btc",) * 100) == ["BTC"] * 100
    with pytest.raises(InvalidInput) as caught:
        chosen_symbols(("BTC",) * 101)
    assert caught.value.path == ("symbols",)


@pytest_asyncio.fixture
async def crowd(owner: Owner) -> Owner:
    """250 tokens, some of them alike, unranked, unquoted, or quoted twice."""
    chance = random.Random(4)
    words = ("Bit", "Ether", "Doge", "bit", "Ünï", "比特", "Long " * 12)
    await list_tokens(
        owner, {f"T{number}": (f"id-{number}", chance.choice(words) + chance.choice("ABc")) for number in range(250)}
    )
    await owner.execute("UPDATE tokens SET market_cap_rank = NULL WHERE market_cap_rank % 9 = 0")
    await owner.execute("UPDATE tokens SET is_active = false WHERE market_cap_rank % 7 = 0")
    for exchange, age_s in (("simulated", 0), ("coingecko", 60)):
        await owner.executemany(
            "INSERT INTO market_data (symbol, exchange, price_usd, price_aud, volume_24h_usd, market_cap_usd,"
            " change_percentage_24h, last_updated)"
            " VALUES ($1, $2, $3, $3, $4, $5, $6, now() - make_interval(secs => $7))",
            [
                (
                    f"T{number}",
                    exchange,
                    Decimal(chance.choice((1, 2, 90_000, "0.000000000001", 999_999_999_999))),
                    chance.choice((None, Decimal(0), Decimal("1234567890123456789012.12"))),
                    chance.choice((None, Decimal(7), Decimal("1e20"))),
                    chance.choice((None, Decimal(-3), Decimal("0.0001"), Decimal(3))),
                    age_s,
                )
                for number in range(0, 250, 1 if exchange == "simulated" else 3)
                if number % 11
            ],
        )
    return owner


@pytest.mark.parametrize(("order", "descending"), ORDERS)
async def test_pages_in_every_order_are_the_naive_list(
    crowd: Owner, database: Database, order: str, descending: bool
) -> None:
    names = [row[0] for row in await crowd.fetch('SELECT symbol FROM tokens ORDER BY symbol COLLATE "C"')]
    tokens = {token.symbol: token for token in await everything(database, {}, 100)}
    assert sorted(tokens) == names
    assert {token.exchange for token in tokens.values()} == {"simulated", None}
    value = VALUES[order]
    known = [tokens[name] for name in names if value(tokens[name]) is not None]
    known.sort(key=lambda token: (value(token), token.symbol), reverse=descending)
    unknown = [tokens[name] for name in names if value(tokens[name]) is None]
    expected = known + (unknown[::-1] if descending else unknown)
    for size in (1, 7, 100):
        paged = await everything(database, {}, size, order, descending=descending)
        assert [token.symbol for token in paged] == [token.symbol for token in expected], size


VALUES: dict[str, Any] = {
    "MARKET_CAP_RANK": lambda token: token.market_cap_rank,
    "MARKET_CAP_USD": lambda token: token.market_cap_usd,
    "PRICE_USD": lambda token: token.price_usd,
    "VOLUME_24H_USD": lambda token: token.volume_24h_usd,
    "CHANGE_PERCENTAGE_24H": lambda token: token.change_percentage_24h,
    "NAME": lambda token: token.name.lower()[:25],
    "SYMBOL": lambda token: token.symbol,
}


async def test_pages_of_a_search_are_the_whole_of_it(crowd: Owner, database: Database) -> None:
    filters = {"search": searched("bitt")}
    whole = [token.symbol for token in await everything(database, filters, 100, "RELEVANCE")]
    assert len(whole) > 50
    assert [token.symbol for token in await everything(database, filters, 3, "RELEVANCE")] == whole
    assert {token.symbol for token in await everything(database, filters, 9, "PRICE_USD")} == set(whole)


@given(st.text(max_size=30))
def test_a_symbol_is_its_own_symbol(text: str) -> None:
    symbol = symbol_of(text)
    assert symbol_of(symbol) == symbol
    assert symbol_of(f"\t{text.lower()} ") == symbol_of(text.lower())
