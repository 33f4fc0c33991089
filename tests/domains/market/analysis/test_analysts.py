from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.market.analysis.services import AnalysisDeps
from app.domains.market.analysis.services.analyst import NotAvailable
from app.domains.market.analysis.services.external import DefiAnalyst, DerivativesAnalyst
from app.domains.market.analysis.services.media import SentimentAnalyst
from app.domains.market.providers.model.defi import Defi
from app.domains.market.providers.model.derivatives import Derivatives
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import Owner
from tests.domains.market.analysis.market_data import article
from tests.domains.market.token_listing import list_tokens


async def test_a_change_of_mood_is_reported(owner: Owner, database: Database, clock: FixedClock) -> None:
    await list_tokens(owner)
    await article(owner, "All is well", clock.now() - timedelta(hours=25), sentiment="0.6")
    await article(owner, "All is lost", clock.now() - timedelta(minutes=1), sentiment="-0.6")
    found = (await SentimentAnalyst(AnalysisDeps(database, clock), None).examine("BTC")).findings
    assert found.change_24h < -30
    assert found.score < 50


async def test_the_press_is_weighed_by_impact_and_age(owner: Owner, database: Database, clock: FixedClock) -> None:
    await list_tokens(owner)
    now, day = clock.now(), timedelta(days=1)
    await article(owner, "Now", now, sentiment="0.80", impact=90)
    await article(owner, "Yesterday", now - day, sentiment="-0.50", impact=90)
    await article(owner, "Before", now - 2 * day, sentiment="0.04", impact=0)
    await article(owner, "Too old", now - 3 * day, sentiment="-1.00", impact=100)
    await article(owner, "Of another", now, sentiment="-1.00", impact=100, symbol="ETH")
    found = (await SentimentAnalyst(AnalysisDeps(database, clock), None).examine("BTC")).findings
    # Weights are 100, 100 / 2 and 10 / 4.
    assert found.score == pytest.approx(50 + 50 * (0.8 * 100 - 0.5 * 50 + 0.04 * 2.5) / 152.5)
    assert [each.samples for each in found.sources] == [3]


async def test_derivatives_and_defi_are_what_their_provider_says(database: Database, clock: FixedClock) -> None:
    futures = Derivatives("BTC", clock.now(), 3, Decimal(10), Decimal(20), None, 0.1, [])
    locked = Defi("BTC", clock.now(), Decimal(5), None, None)

    class Provider:
        name = "coingecko"

        async def derivatives(self, symbol: str) -> Derivatives | None:
            return futures if symbol == "BTC" else None

        async def defi(self, symbol: str) -> Defi | None:
            return locked if symbol == "BTC" else None

    deps, provider = AnalysisDeps(database, clock), Provider()
    assert (await DerivativesAnalyst(deps, provider).examine("BTC")).findings == futures
    assert (await DefiAnalyst(deps, provider).examine("BTC")).findings == locked
    for analyst in (DerivativesAnalyst(deps, provider), DefiAnalyst(deps, provider)):
        with pytest.raises(NotAvailable, match="coingecko knows no"):
            await analyst.examine("DOGE")
