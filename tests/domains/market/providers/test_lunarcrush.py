"""LunarCrush, by an answer in its shape and by bad ones."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.domains.market.providers.model.social import Social
from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.directory import Directory
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services import Sources
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.settings import Settings
from tests.domains.market.providers.conftest import KEY
from tests.domains.market.providers.stub import Answer, Stub, answer, shape

COINS = "/coins/list/v2"


@pytest_asyncio.fixture
async def providers(stub: Stub, settings: Settings, database: Database, clock: FixedClock) -> AsyncIterator[Providers]:
    configured = settings.model_copy(
        update={"lunarcrush_url": stub.url, "lunarcrush_key": SecretStr(KEY), "provider_attempts": 1}
    )
    built = Providers.build(configured, Directory(database), Sources(database, clock), clock)
    stub.says(COINS, answer(shape("lunarcrush_coins")))
    yield built
    await built.aclose()


async def test_what_is_said_about_a_token(
    providers: Providers, stub: Stub, clock: FixedClock, database: Database
) -> None:
    assert providers.social is not None
    bitcoin = Social("BTC", clock.now(), 67.5, 82.0, 146230, 81386580, 29.636)
    assert await providers.social.social("btc") == bitcoin
    assert await providers.social.social("NOPE") is None
    # A score of 140 and a sentiment of -3 are none.
    assert await providers.social.social("ODD") is None
    assert len(stub.asked) == 1
    assert stub.asked[0].headers["authorization"] == f"Bearer {KEY}"
    [source] = await Sources(database, clock).all()
    assert (source.source, source.kind, source.accepted) == ("lunarcrush", SourceKind.SOCIAL, 2)
    assert source.ignored == {"duplicate": 1, "incomplete": 1}


async def test_an_answer_holds_for_five_minutes(providers: Providers, stub: Stub, clock: FixedClock) -> None:
    assert providers.social is not None
    await providers.social.social("BTC")
    clock.advance(timedelta(minutes=5) - timedelta(microseconds=1))
    await providers.social.social("BTC")
    assert len(stub.asked) == 1
    clock.advance(timedelta(microseconds=1))
    social = await providers.social.social("BTC")
    assert len(stub.asked) == 2
    assert social is not None
    assert social.at == clock.now()


@pytest.mark.parametrize("said", [answer([]), answer({"data": None}), Answer(status=402), Answer(body=b"{")])
async def test_what_is_no_answer_is_unavailable(
    said: Answer, providers: Providers, stub: Stub, database: Database, clock: FixedClock
) -> None:
    assert providers.social is not None
    stub.says(COINS, said)
    with pytest.raises(Unavailable):
        await providers.social.social("BTC")
    [source] = await Sources(database, clock).all()
    assert source.last_failure is not None
    assert KEY not in source.last_failure


async def test_rows_that_are_none_are_counted(
    providers: Providers, stub: Stub, database: Database, clock: FixedClock
) -> None:
    assert providers.social is not None
    rows: list[Any] = [None, 7, {}, {"symbol": None}, {"symbol": "X", "galaxy_score": "high"}]
    stub.says(COINS, answer({"data": [*rows, {"symbol": "eth", "sentiment": 79}]}))
    assert await providers.social.social("ETH") == Social("ETH", clock.now(), None, 79.0, None, None, None)
    [source] = await Sources(database, clock).all()
    assert source.ignored == {"malformed": 4, "incomplete": 1}
