"""CoinMarketCap, by answers in its shapes and by bad ones."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError

from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.directory import Directory
from app.domains.market.sources.services import Sources
from app.domains.market.tokens.model import Listing
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.settings import Settings
from tests.domains.market.providers.conftest import KEY
from tests.domains.market.providers.stub import Answer, Stub, answer, shape

QUOTES = "/v2/cryptocurrency/quotes/latest"
LISTINGS = "/v1/cryptocurrency/listings/latest"


@pytest_asyncio.fixture
async def providers(stub: Stub, settings: Settings, database: Database, clock: FixedClock) -> AsyncIterator[Providers]:
    configured = settings.model_copy(
        update={
            "market_provider": "coinmarketcap",
            "coinmarketcap_url": stub.url,
            "coinmarketcap_key": SecretStr(KEY),
            "coinmarketcap_requests_per_minute": 100_000,
            "provider_attempts": 1,
        }
    )
    built = Providers.build(configured, Directory(database), Sources(database, clock), clock)
    stub.says(QUOTES, answer(shape("coinmarketcap_quotes_usd")), currency="usd")
    stub.says(QUOTES, answer(shape("coinmarketcap_quotes_aud")), currency="aud")
    yield built
    await built.aclose()


async def test_quotes_of_the_largest_token_with_each_symbol(providers: Providers, stub: Stub) -> None:
    assert providers.prices.name == "coinmarketcap"
    quotes = await providers.prices.quotes(["BTC", "ETH", "NOPE", "BAD SYMBOL,"])
    assert [(each.symbol, each.price_usd) for each in quotes.accepted] == [
        ("BTC", Decimal("97240.125")),
        ("ETH", Decimal("3121.5")),
    ]
    assert quotes.accepted[0].price_aud == Decimal("149749.7925")
    assert quotes.accepted[0].high_24h is None
    assert quotes.ignored == {"missing": 2}
    assert {asked.params["symbol"] for asked in stub.asked} == {"BTC,ETH,NOPE"}
    assert {asked.params["convert"] for asked in stub.asked} == {"USD", "AUD"}
    assert all(asked.headers["x-cmc_pro_api_key"] == KEY for asked in stub.asked)


async def test_bad_rows_cost_no_good_ones(providers: Providers, stub: Stub) -> None:
    data: dict[str, Any] = shape("coinmarketcap_quotes_usd")["data"]
    data |= {"ODD": "odd", "NIL": None, "LIST": [None, 7], "SOL": [{"quote": {"USD": None}}], "EVIL": [{"id": 666}]}
    data["ETH"][0]["quote"]["USD"]["price"] = -1
    stub.says(QUOTES, answer({"data": data}), currency="usd")
    quotes = await providers.prices.quotes(["BTC", "ETH", "SOL"])
    assert [each.symbol for each in quotes.accepted] == ["BTC"]
    assert quotes.ignored == {"malformed": 3, "negative": 1, "incomplete": 1, "unknown_symbol": 1}


async def test_two_currencies_of_two_tokens_make_no_quote(providers: Providers, stub: Stub) -> None:
    data: dict[str, Any] = shape("coinmarketcap_quotes_aud")["data"]
    del data["BTC"][0]
    stub.says(QUOTES, answer({"data": data}), currency="aud")
    quotes = await providers.prices.quotes(["BTC", "ETH"])
    assert [each.symbol for each in quotes.accepted] == ["ETH"]
    assert quotes.ignored == {"incomplete": 1}


@pytest.mark.parametrize(
    "said", [answer([]), answer({"data": None}), answer({"status": {"error_code": 1001}}), Answer(status=401)]
)
async def test_what_is_no_answer_is_unavailable(said: Answer, providers: Providers, stub: Stub) -> None:
    stub.says(QUOTES, said, currency="aud")
    with pytest.raises(Unavailable) as refusal:
        await providers.prices.quotes(["BTC"])
    assert KEY not in refusal.value.message


async def test_nothing_is_asked_about_nothing(providers: Providers, stub: Stub) -> None:
    assert (await providers.prices.quotes(["&symbol=BTC"])).ignored == {"missing": 1}
    assert stub.asked == []


async def test_tokens_have_ids_of_ours(providers: Providers, stub: Stub) -> None:
    stub.says(LISTINGS, answer(shape("coinmarketcap_listings")))
    assert await providers.prices.tokens(250) == [
        Listing("cmc-1", "BTC", "Bitcoin", 1),
        Listing("cmc-1027", "ETH", "Ethereum", 2),
    ]
    assert stub.asked[0].params["limit"] == "250"


def test_it_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_MARKET_PROVIDER", "coinmarketcap")
    with pytest.raises(ValidationError, match="MONETA_COINMARKETCAP_KEY"):
        Settings()
