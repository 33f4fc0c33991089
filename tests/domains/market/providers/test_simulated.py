"""The provider that invents, over what is stored."""

from datetime import timedelta

from app.domains.market.prices.model import Quote, Quotes
from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.directory import Directory
from app.domains.market.providers.services.simulated import SimulatedProvider
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens, quote


def provider(database: Database, clock: FixedClock, seed: int = 1) -> SimulatedProvider:
    return SimulatedProvider(Directory(database), clock, seed=seed, period_s=1.0)


def prices(quotes: Quotes) -> dict[str, Quote]:
    return {quote.symbol: quote for quote in quotes.accepted}


async def test_it_is_the_default_and_nothing_else_is_asked(services: Services) -> None:
    providers: Providers = services[MarketServices].providers
    assert (providers.prices.name, providers.prices.period_s) == ("simulated", 1.0)
    assert providers.clients == ()
    assert (providers.social, providers.derivatives, providers.defi) == (None, None, None)


async def test_it_lists_what_is_bundled(database: Database, clock: FixedClock) -> None:
    tokens = await provider(database, clock).tokens(250)
    assert len(tokens) == len({token.symbol for token in tokens}) == 250
    assert [(token.symbol, token.market_cap_rank) for token in tokens[:2]] == [("BTC", 1), ("ETH", 2)]
    assert len(await provider(database, clock).tokens(3)) == 3


async def test_each_question_is_a_step_and_two_workers_see_the_same(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    symbols = await list_tokens(owner)
    one, other = provider(database, clock), provider(database, clock)
    first = await one.quotes(symbols)
    assert [each.symbol for each in first.accepted] == symbols
    assert first.ignored == {}
    assert await one.quotes(symbols) == first
    assert await other.quotes(symbols) == first
    clock.advance(timedelta(seconds=1))
    second = await one.quotes(symbols)
    assert prices(second)["BTC"].price_usd != prices(first)["BTC"].price_usd
    assert await other.quotes(symbols) == second


async def test_it_goes_on_from_what_is_stored(database: Database, owner: Owner, clock: FixedClock) -> None:
    symbols = await list_tokens(owner)
    await quote(owner, "BTC", "12345.678")
    await owner.execute("UPDATE market_data SET last_updated = $1", clock.now() - timedelta(days=3))
    quoted = prices(await provider(database, clock).quotes(symbols))
    assert abs(quoted["BTC"].price_usd / 12345 - 1) < 0.01
    assert quoted["BTC"].at == clock.now()


async def test_more_symbols_may_be_asked_for_later_and_unknown_ones_are_counted(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    await list_tokens(owner)
    simulated = provider(database, clock)
    before = prices(await simulated.quotes(["BTC"]))
    assert list(before) == ["BTC"]
    clock.advance(timedelta(seconds=1))
    quotes = await simulated.quotes(["BTC", "ETH", "NOPE", "HUH"])
    assert list(prices(quotes)) == ["BTC", "ETH"]
    assert quotes.ignored == {"unknown_symbol": 2}
    assert abs(prices(quotes)["BTC"].price_usd / before["BTC"].price_usd - 1) < 0.01


async def test_nobody_is_listed(database: Database, clock: FixedClock) -> None:
    assert await provider(database, clock).quotes(["BTC"]) == Quotes([], {"unknown_symbol": 1})
