"""The books of the sources."""

import asyncio
from datetime import timedelta

import pytest

from app.domains.market.sources.model import MarketSource, SourceKind
from app.domains.market.sources.services import Sources
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, SYSTEM, Database, Tx
from app.kit.errors import Unavailable

PATIENCE = timedelta(minutes=5)


@pytest.fixture
def sources(database: Database, clock: FixedClock) -> Sources:
    return Sources(database, clock)


async def test_answers_add_up_and_reasons_are_counted_apart(sources: Sources, clock: FixedClock) -> None:
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=3, ignored={"stale": 1, "jump": 2})
    clock.advance(timedelta(minutes=1))
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=4)
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=0, ignored={"stale": 5, "zero": 1})
    await sources.succeeded("coingecko", SourceKind.TOKENS, accepted=250)
    assert await sources.all() == [
        MarketSource("coingecko", SourceKind.PRICES, clock.now(), None, None, 7, {"jump": 2, "stale": 6, "zero": 1}),
        MarketSource("coingecko", SourceKind.TOKENS, clock.now(), None, None, 250, {}),
    ]


async def test_a_failure_keeps_what_was_counted(sources: Sources, clock: FixedClock) -> None:
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=3)
    succeeded = clock.now()
    clock.advance(timedelta(minutes=1))
    await sources.failed("coingecko", SourceKind.PRICES, Unavailable("\0" + "x" * 1000))
    assert await sources.all() == [
        MarketSource("coingecko", SourceKind.PRICES, succeeded, clock.now(), "x" * 300, 3, {})
    ]


@pytest.mark.usefixtures("warm")
async def test_answers_of_several_workers_at_once_are_all_counted(sources: Sources) -> None:
    await asyncio.gather(
        *(sources.succeeded("coingecko", SourceKind.PRICES, accepted=1, ignored={"stale": 1}) for _ in range(8))
    )
    [source] = await sources.all()
    assert (source.accepted, source.ignored) == (8, {"stale": 8})


async def test_what_is_counted_goes_with_the_transaction_that_stores_it(sources: Sources, database: Database) -> None:
    async def work(tx: Tx) -> None:
        await sources.note(tx, "coingecko", SourceKind.PRICES, accepted=1, ignored={})
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(SYSTEM, work)
    assert await sources.all() == []


async def test_the_public_cannot_write_it(sources: Sources, database: Database) -> None:
    with pytest.raises(Exception, match="row-level security"):
        await database.write(PUBLIC, lambda tx: sources.note(tx, "evil", SourceKind.PRICES, accepted=1, ignored={}))


async def test_a_source_that_nobody_has_asked_yet_is_healthy(sources: Sources) -> None:
    await sources.check("coingecko", PATIENCE)


async def test_a_source_is_unhealthy_once_it_fails_for_longer_than_our_patience(
    sources: Sources, clock: FixedClock
) -> None:
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=3)
    clock.advance(timedelta(minutes=5))
    await sources.failed("coingecko", SourceKind.PRICES, Unavailable())
    await sources.check("coingecko", PATIENCE)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unavailable, match=r"^coingecko gives no prices$"):
        await sources.check("coingecko", PATIENCE)
    await sources.check("coinmarketcap", PATIENCE)
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=3)
    await sources.check("coingecko", PATIENCE)


async def test_a_source_that_never_answered_is_unhealthy_as_soon_as_it_fails(sources: Sources) -> None:
    await sources.failed("coingecko", SourceKind.PRICES, Unavailable())
    with pytest.raises(Unavailable):
        await sources.check("coingecko", PATIENCE)


async def test_a_source_that_is_not_asked_any_more_stays_as_it_was(sources: Sources, clock: FixedClock) -> None:
    await sources.succeeded("coingecko", SourceKind.PRICES, accepted=3)
    clock.advance(timedelta(days=2))
    await sources.check("coingecko", PATIENCE)


async def test_a_failing_list_of_tokens_is_no_failing_price(sources: Sources) -> None:
    await sources.failed("coingecko", SourceKind.TOKENS, Unavailable())
    await sources.check("coingecko", PATIENCE)
