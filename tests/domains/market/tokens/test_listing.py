"""Tokens as a provider lists them, in the database."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.domains.market.house import MARKET
from app.domains.market.prices.model import Quotes
from app.domains.market.services import MarketServices
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services import Sources
from app.domains.market.tokens.model import Listing
from app.domains.market.tokens.services.listing import Refreshed, Tokens
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.house import Services
from app.kit.jobs import run_schedule
from tests.databases import Owner
from tests.domains.market.token_listing import quote

LISTED = [Listing("bitcoin", "BTC", "Bitcoin", 1), Listing("ethereum", "ETH", "Ethereum", 2)]


class Lister:
    """A provider with a set list, or one that fails."""

    name = "coingecko"
    period_s = 60.0

    def __init__(self, listings: list[Listing] | Unavailable) -> None:
        self.listings = listings

    async def tokens(self, limit: int) -> list[Listing]:
        if isinstance(self.listings, Unavailable):
            raise self.listings
        return self.listings[:limit]

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        raise AssertionError("nobody asks for quotes")


@pytest.fixture
def lister() -> Lister:
    return Lister(list(LISTED))


@pytest.fixture
def tokens(database: Database, clock: FixedClock, lister: Lister) -> Tokens:
    return Tokens(database, clock, lister, Sources(database, clock), limit=250)


async def stored(owner: Owner) -> list[tuple[object, ...]]:
    rows = await owner.fetch(
        "SELECT coingecko_id, symbol, name, market_cap_rank, is_active FROM tokens ORDER BY coingecko_id"
    )
    return [tuple(row) for row in rows]


async def test_the_list_is_stored_and_a_second_refresh_changes_nothing(
    tokens: Tokens, owner: Owner, clock: FixedClock
) -> None:
    assert await tokens.refresh() == Refreshed(listed=2, added=2, changed=0, retired=0, skipped=0)
    rows = "SELECT xmin::text, id, symbol, updated_at FROM tokens ORDER BY symbol"
    before = await owner.fetch(rows)
    clock.advance(timedelta(days=1))
    assert await tokens.refresh() == Refreshed(listed=2, added=0, changed=0, retired=0, skipped=0)
    assert await owner.fetch(rows) == before
    assert await stored(owner) == [("bitcoin", "BTC", "Bitcoin", 1, True), ("ethereum", "ETH", "Ethereum", 2, True)]


async def test_what_hangs_on_a_token_follows_its_new_symbol(tokens: Tokens, lister: Lister, owner: Owner) -> None:
    await tokens.refresh()
    await quote(owner, "BTC", "97000")
    await quote(owner, "ETH", "3100")
    lister.listings = [Listing("bitcoin", "ETH", "Bitcoin", 1), Listing("ethereum", "BTC", "Ethereum", 2)]
    assert (await tokens.refresh()).changed == 2
    prices = {row[0]: int(row[1]) for row in await owner.fetch("SELECT symbol, price_usd FROM market_data")}
    assert prices == {"ETH": 97000, "BTC": 3100}
    assert [row[:2] for row in await stored(owner)] == [("bitcoin", "ETH"), ("ethereum", "BTC")]


async def test_a_token_that_leaves_the_list_is_kept_but_inactive(tokens: Tokens, lister: Lister, owner: Owner) -> None:
    await tokens.refresh()
    lister.listings = [Listing("ethereum", "ETH", "Ethereum", 1), Listing("solana", "SOL", "Solana", 2)]
    assert await tokens.refresh() == Refreshed(listed=2, added=1, changed=1, retired=1, skipped=0)
    assert await stored(owner) == [
        ("bitcoin", "BTC", "Bitcoin", None, False),
        ("ethereum", "ETH", "Ethereum", 1, True),
        ("solana", "SOL", "Solana", 2, True),
    ]


async def test_half_an_answer_retires_nobody(
    tokens: Tokens, lister: Lister, owner: Owner, database: Database, clock: FixedClock
) -> None:
    lister.listings = [Listing(f"token-{n}", f"T{n}", f"Token {n}", n) for n in range(1, 11)]
    await tokens.refresh()
    before = await stored(owner)
    lister.listings = lister.listings[:4]
    with pytest.raises(Unavailable):
        await tokens.refresh()
    assert await stored(owner) == before
    [source] = await Sources(database, clock).all()
    assert source.last_failure == "The provider lists only 4 tokens; the list is rejected as incomplete."
    assert source.accepted == 10


async def test_a_failing_provider_is_noted_and_changes_nothing(
    tokens: Tokens, lister: Lister, owner: Owner, database: Database, clock: FixedClock
) -> None:
    await tokens.refresh()
    before = await stored(owner)
    lister.listings = Unavailable("coingecko gives no answer: HTTP 500.")
    with pytest.raises(Unavailable):
        await tokens.refresh()
    assert await stored(owner) == before
    [source] = await Sources(database, clock).all()
    assert (source.source, source.kind, source.last_failure_at) == ("coingecko", SourceKind.TOKENS, clock.now())


async def test_an_empty_table_is_filled_when_a_worker_starts_even_without_a_provider(
    tokens: Tokens, lister: Lister, owner: Owner
) -> None:
    lister.listings = Unavailable("coingecko gives no answer: ConnectError.")
    await tokens.ensure()
    assert await owner.fetchval("SELECT count(*) FROM tokens WHERE is_active") == 250
    before = await owner.fetch("SELECT xmin::text, symbol FROM tokens ORDER BY symbol")
    await tokens.ensure()
    assert await owner.fetch("SELECT xmin::text, symbol FROM tokens ORDER BY symbol") == before


async def test_symbols_that_two_tokens_want_are_counted(
    tokens: Tokens, lister: Lister, database: Database, clock: FixedClock
) -> None:
    lister.listings = [*LISTED, Listing("bitcoin-fake", "BTC", "Not Bitcoin", 3)]
    assert (await tokens.refresh()).skipped == 1
    [source] = await Sources(database, clock).all()
    assert (source.accepted, source.ignored) == (2, {"symbol_taken": 1})


async def test_the_refresh_is_scheduled_for_three_in_the_morning(
    services: Services, database: Database, clock: FixedClock, owner: Owner
) -> None:
    [schedule] = [each for each in MARKET.schedules(services[MarketServices]) if each.name == "tokens"]
    assert schedule.cron == "0 3 * * *"
    await run_schedule(database, clock, schedule)
    assert await owner.fetchval("SELECT detail FROM job_runs WHERE job = 'tokens'") == (
        "250 listed: 250 added, 0 changed, 0 retired, 0 skipped"
    )
