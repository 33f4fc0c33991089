"""CoinGecko, by answers in its shapes and by bad ones."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.domains.market.providers.model.defi import Defi
from app.domains.market.providers.model.derivatives import Derivatives, Venue
from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.coingecko import batched_ids, key_header
from app.domains.market.providers.services.directory import Directory
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services import Sources
from app.domains.market.tokens.model import Listing
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.settings import Settings
from tests.databases import Owner
from tests.domains.market.providers.conftest import KEY
from tests.domains.market.providers.stub import Answer, Stub, answer, shape
from tests.domains.market.token_listing import list_tokens, quote

NAMES = {
    "BTC": ("bitcoin", "Bitcoin"),
    "ETH": ("ethereum", "Ethereum"),
    "USDT": ("tether", "Tether"),
    "SHIB": ("shiba-inu", "Shiba Inu"),
    "AAVE": ("aave", "Aave"),
}
MARKETS = "/coins/markets"
QUOTED = ["BTC", "ETH", "USDT", "SHIB"]


@pytest_asyncio.fixture
async def providers(
    stub: Stub, settings: Settings, database: Database, owner: Owner, clock: FixedClock
) -> AsyncIterator[Providers]:
    await list_tokens(owner, NAMES)
    configured = settings.model_copy(
        update={
            "market_provider": "coingecko",
            "coingecko_url": stub.url,
            "coingecko_key": SecretStr(KEY),
            "coingecko_requests_per_minute": 100_000,
            "provider_attempts": 1,
        }
    )
    built = Providers.build(configured, Directory(database), Sources(database, clock), clock)
    stub.says(MARKETS, answer(shape("coingecko_markets_usd")), currency="usd")
    stub.says(MARKETS, answer(shape("coingecko_markets_aud")), currency="aud")
    yield built
    await built.aclose()


async def test_quotes_in_both_currencies(providers: Providers, stub: Stub) -> None:
    assert (providers.prices.name, providers.prices.period_s) == ("coingecko", 60.0)
    quotes = await providers.prices.quotes(QUOTED)
    assert quotes.ignored == {}
    assert [each.symbol for each in quotes.accepted] == QUOTED
    bitcoin, shiba = quotes.accepted[0], quotes.accepted[3]
    assert (bitcoin.price_usd, bitcoin.price_aud) == (Decimal("97250.5"), Decimal("149765.77"))
    assert (bitcoin.market_cap_aud, bitcoin.volume_24h_usd) == (Decimal("2988726199451"), Decimal("38212345678"))
    assert (bitcoin.high_24h, bitcoin.change_percentage_24h) == (Decimal(98120), Decimal("1.2607"))
    assert shiba.price_usd == Decimal("0.00002412")
    assert {asked.params["vs_currency"] for asked in stub.asked} == {"usd", "aud"}
    assert {asked.params["ids"] for asked in stub.asked} == {"bitcoin,ethereum,tether,shiba-inu"}
    assert all(asked.headers["x-cg-demo-api-key"] == KEY for asked in stub.asked)


async def test_a_lost_database_does_not_stop_the_quotes(
    providers: Providers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    quotes = await providers.prices.quotes(QUOTED)
    monkeypatch.setattr(database, "fetch", gone)
    assert await providers.prices.quotes(QUOTED) == quotes


async def test_bad_rows_cost_no_good_ones(providers: Providers, stub: Stub) -> None:
    rows: list[Any] = shape("coingecko_markets_usd")
    rows[1] |= {"current_price": float("nan")}
    rows[2] |= {"current_price": None}
    rows += [None, "row", {"id": "evil", "current_price": 1}, {"id": ["bitcoin"]}, rows[0]]
    stub.says(MARKETS, answer(rows), currency="usd")
    quotes = await providers.prices.quotes(QUOTED)
    assert [each.symbol for each in quotes.accepted] == ["BTC", "SHIB"]
    assert quotes.ignored == {
        "not_a_number": 1,
        "incomplete": 1,
        "malformed": 2,
        "unknown_symbol": 2,
        "duplicate": 1,
    }


async def test_half_an_answer_is_half_accepted(providers: Providers, stub: Stub) -> None:
    stub.says(MARKETS, answer(shape("coingecko_markets_usd")[:3]), currency="usd")
    stub.says(MARKETS, answer(shape("coingecko_markets_aud")[:2]), currency="aud")
    quotes = await providers.prices.quotes(QUOTED)
    assert [each.symbol for each in quotes.accepted] == ["BTC", "ETH"]
    assert quotes.ignored == {"incomplete": 1, "missing": 1}


@pytest.mark.parametrize(
    "said", [answer({"status": {"error_code": 429}}), answer("x"), answer(None), Answer(body=b"[{"), Answer(status=500)]
)
async def test_what_is_no_answer_is_unavailable(said: Answer, providers: Providers, stub: Stub) -> None:
    stub.says(MARKETS, said, currency="aud")
    with pytest.raises(Unavailable):
        await providers.prices.quotes(QUOTED)


async def test_the_last_stored_price_is_what_a_jump_is_measured_by(providers: Providers, owner: Owner) -> None:
    await quote(owner, "BTC", "5")
    await owner.execute("UPDATE market_data SET exchange = 'coingecko'")
    assert (await providers.prices.quotes(QUOTED)).ignored == {"jump": 1}
    await providers.prices.quotes(QUOTED)
    assert (await providers.prices.quotes(QUOTED)).ignored == {}


async def test_tokens_by_rank_without_those_that_cannot_be_listed(providers: Providers, stub: Stub) -> None:
    rows: list[Any] = shape("coingecko_markets_usd")
    rows[2] |= {"market_cap_rank": None}
    rows[3] |= {"image": "javascript:alert(1)"}
    rows += [{"id": "x"}, {**rows[0], "symbol": "\0"}, {**rows[0], "name": 7}, {**rows[0], "market_cap_rank": True}]
    stub.says(MARKETS, answer(rows), currency="usd")
    image = "https://coin-images.coingecko.com/coins/images/{}/large/{}.png?1696501400"
    assert await providers.prices.tokens(250) == [
        Listing("bitcoin", "BTC", "Bitcoin", 1, image.format(1, "bitcoin")),
        Listing("ethereum", "ETH", "Ethereum", 2, image.format(2, "ethereum")),
        Listing("shiba-inu", "SHIB", "Shiba Inu", 13, None),
    ]
    assert stub.asked[0].params["per_page"] == "250"


async def test_a_question_holds_250_ids_at_most() -> None:
    ids = [str(number) for number in range(501)]
    assert [len(batch) for batch in batched_ids(ids)] == [250, 250, 1]
    assert [id for batch in batched_ids(ids) for id in batch] == ids


async def test_perpetual_contracts_of_all_exchanges_together(
    providers: Providers, stub: Stub, clock: FixedClock, database: Database
) -> None:
    assert providers.derivatives is not None
    stub.says("/derivatives", answer(shape("coingecko_derivatives")))
    found = await providers.derivatives.derivatives("btc")
    assert found is not None
    assert found.funding_rate_percentage == pytest.approx((0.01 * 9 + 0.03 * 3) / 12)
    assert found.basis_percentage == pytest.approx((-0.02 * 9 + 0.06 * 3) / 12, abs=1e-12)
    assert found == Derivatives(
        "BTC",
        clock.now(),
        3,
        Decimal("13000000000.00"),
        Decimal("28500000000.25"),
        found.funding_rate_percentage,
        found.basis_percentage,
        [
            Venue("Binance (Futures)", Decimal("10000000000.00"), Decimal("20500000000.25")),
            Venue("Bybit (Futures)", Decimal("3000000000.00"), Decimal("8000000000.00")),
        ],
    )
    assert await providers.derivatives.derivatives("DOGE") is None
    assert stub.paths() == ["/derivatives"]
    [source] = await Sources(database, clock).all()
    assert (source.kind, source.accepted) == (SourceKind.DERIVATIVES, 4)
    assert source.ignored == {"negative": 1, "incomplete": 1}


async def test_a_failure_of_the_derivatives_is_noted_and_not_remembered(
    providers: Providers, stub: Stub, clock: FixedClock, database: Database
) -> None:
    assert providers.derivatives is not None
    stub.says("/derivatives", answer({"error": "no"}), answer(shape("coingecko_derivatives")))
    with pytest.raises(Unavailable, match="a malformed response: malformed"):
        await providers.derivatives.derivatives("BTC")
    [source] = await Sources(database, clock).all()
    assert (source.last_failure_at, source.last_success_at) == (clock.now(), None)
    assert await providers.derivatives.derivatives("BTC") is not None


async def test_what_is_locked(providers: Providers, stub: Stub, clock: FixedClock) -> None:
    assert providers.defi is not None
    stub.says("/coins/aave", answer(shape("coingecko_coin_aave")))
    stub.says("/coins/bitcoin", answer(shape("coingecko_coin_bitcoin")))
    assert await providers.defi.defi("aave") == Defi("AAVE", clock.now(), Decimal("34123456789.12"), 0.08, 0.0803)
    assert await providers.defi.defi("BTC") is None
    assert await providers.defi.defi("ETH") is None
    assert stub.paths() == ["/coins/aave", "/coins/bitcoin", "/coins/ethereum"]
    assert await providers.defi.defi("NOBODY") is None
    assert len(stub.asked) == 3


@pytest.mark.parametrize(
    "market",
    [None, [], {"total_value_locked": 7}, *({"total_value_locked": {"usd": bad}} for bad in (None, "1", -1, 0, 1e30))],
)
async def test_a_locked_value_that_is_none_is_not_invented(market: Any, providers: Providers, stub: Stub) -> None:
    assert providers.defi is not None
    stub.says("/coins/aave", answer({"market_data": market}))
    with pytest.raises(Unavailable):
        await providers.defi.defi("AAVE")


def test_the_name_of_the_key_depends_on_the_plan() -> None:
    assert key_header("https://api.coingecko.com/api/v3", None) == {}
    assert key_header("https://api.coingecko.com/api/v3", "k") == {"x-cg-demo-api-key": "k"}
    assert key_header("https://pro-api.coingecko.com/api/v3", "k") == {"x-cg-pro-api-key": "k"}
