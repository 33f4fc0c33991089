"""Analyses: each is computed when it is selected, and the phases are a stream that can be resumed."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, generate_latest
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.market.analysis.model import AnalysisType
from app.domains.market.services import MarketServices
from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery, Transport
from app.kit.clock import FixedClock
from app.kit.process_rpc import ProcessRpc
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.market.analysis.market_data import supply
from tests.domains.market.token_listing import list_tokens
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.kit.event_pipeline import hub_of, relaying
from tests.pulled_events import iterate
from tests.waiting import seen

TEN = (
    "marketData",
    "technical",
    "sentiment",
    "news",
    "onChain",
    "predictions",
    "risk",
    "derivatives",
    "defi",
    "research",
)
HEADERS = " ".join(f"{name} {{ type status reason quality }}" for name in TEN)
PHASES = """
subscription ($symbol: String!) {
  analysisPhases(symbol: $symbol) {
    cursor
    phase {
      number symbol isLast budgetMs elapsedMs
      parts {
        __typename status quality
        ... on MarketDataAnalysis { findings { priceUsd } }
        ... on ResearchAnalysis { findings { sentences { text citations } } }
      }
    }
  }
}
"""


@dataclass
class Graph:
    """The graph with a relay."""

    runtime: AppRuntime

    async def phases(self, viewer: Viewer | None, count: int, *, symbol: str = "BTC", after: str | None = None) -> Any:
        """The first `count` events, or the error codes of a refusal."""
        prepared = self.runtime.engine.prepare(PHASES, None, {"symbol": symbol}, introspection_allowed=True)
        assert not isinstance(prepared, list)
        context = self.runtime.new_context(Caller(viewer, CLIENT, "test", from_browser=False))
        stream = iterate(self.runtime.subscriptions, prepared, context, Transport.SSE, NOBODY, after=after)
        taken: list[Any] = []
        async with aclosing(stream):
            while len(taken) < count:
                delivery = await anext(stream)
                if isinstance(delivery, Failed):
                    return [error["extensions"]["code"] for error in delivery.errors]
                assert isinstance(delivery, Delivery)
                response = json.loads(delivery.body)
                assert "errors" not in response
                taken.append(response["data"]["analysisPhases"])
        return taken


@pytest_asyncio.fixture
async def supplied(application: Application, owner: Owner, clock: FixedClock) -> AsyncIterator[Application]:
    market = application.services[MarketServices]
    await supply(owner, market, clock.now())
    yield application
    await market.stop()


@pytest_asyncio.fixture
async def graph(supplied: Application, redis: Redis) -> AsyncIterator[Graph]:
    async with relaying(supplied.database, redis), hub_of(supplied.events, redis) as hub:
        yield Graph(build_runtime(supplied, hub, ProcessRpc(redis)))


async def test_the_ten_analyses_are_public_and_missing_ones_have_a_reason(
    supplied: Application, execute: Execute
) -> None:
    response = await execute(f'{{ analysis(symbol: " btc ") {{ symbol token {{ name }} {HEADERS} }} }}')
    assert response.errors == []
    assert response.data is not None
    analysis = response.data["analysis"]
    assert (analysis["symbol"], analysis["token"]) == ("BTC", {"name": "Bitcoin"})
    assert [analysis[name]["type"] for name in TEN] == [kind.name for kind in AnalysisType]
    missing = {name for name in TEN if analysis[name]["status"] == "UNAVAILABLE"}
    assert missing == {"onChain", "derivatives", "defi"}
    for name in TEN:
        assert (analysis[name]["reason"] is None) == (analysis[name]["quality"] > 0) == (name not in missing)


async def test_only_selected_analyses_are_computed(supplied: Application, execute: Execute, owner: Owner) -> None:
    await execute('{ analysis(symbol: "BTC") { symbol technical { quality } } }')
    rows = await owner.fetch("SELECT analysis_type FROM analysis_cache")
    assert [row[0] for row in rows] == ["technical"]


@pytest.mark.parametrize("symbol", ["NOPE", "", " ", "💥", "B" * 5000, "BTC'--"])
async def test_an_unknown_token_has_no_analysis(owner: Owner, execute: Execute, symbol: str) -> None:
    await list_tokens(owner)
    response = await execute(f'{{ analysis(symbol: "{symbol}") {{ technical {{ quality }} }} }}')
    assert (response.data, response.errors) == ({"analysis": None}, [])
    assert await owner.fetchval("SELECT count(*) FROM analysis_cache") == 0


@pytest.mark.parametrize("symbol", ["\\u0000", "\\ud800"])
async def test_invalid_text_is_refused(execute: Execute, symbol: str) -> None:
    response = await execute(f'{{ analysis(symbol: "{symbol}") {{ technical {{ quality }} }} }}')
    assert (response.data, response.codes) == (None, ["BAD_USER_INPUT"])


async def test_cached_analyses_take_no_statement(supplied: Application, execute: Execute) -> None:
    query = "{ tokens(first: %d) { nodes { analysis { technical { quality } derivatives { reason } } } } }"
    await execute(query % 6)
    few, many = await execute(query % 1), await execute(query % 6)
    assert few.errors == many.errors == []
    assert few.statements == many.statements == 1


async def test_the_cost_of_an_analysis(owner: Owner, execute: Execute) -> None:
    await list_tokens(owner)
    one = await execute('{ analysis(symbol: "BTC") { technical { quality } } }')
    assert one.extensions["cost"]["requested"] == 103
    refused = await execute("{ tokens(first: 100) { nodes { analysis { technical { quality } risk { quality } } } } }")
    assert refused.codes == ["COST_EXCEEDED"]
    assert "first: 97" in refused.errors[0]["message"]
    all_ten = await execute(f'{{ analysis(symbol: "DOGE") {{ {HEADERS} }} }}')
    assert all_ten.errors == []


async def test_defer_is_not_supported(execute: Execute) -> None:
    """A response is one body on every transport. `analysisPhases` sends analyses as they are completed."""
    response = await execute('{ analysis(symbol: "BTC") { symbol ... @defer { technical { quality } } } }')
    assert not response.executed
    assert "Unknown directive '@defer'" in response.errors[0]["message"]


async def test_phases_are_sent_in_order_with_typed_parts(graph: Graph, supplied: Application) -> None:
    alice = await register(supplied.services)
    events = await graph.phases(alice, 4, symbol="btc")
    phases = [event["phase"] for event in events]
    assert [(each["number"], each["budgetMs"], each["isLast"]) for each in phases] == [
        (1, 1000, False),
        (2, 3000, False),
        (3, 5000, False),
        (4, 10_000, True),
    ]
    assert [[part["__typename"] for part in each["parts"]] for each in phases] == [
        ["MarketDataAnalysis"],
        ["TechnicalAnalysis", "SentimentAnalysis"],
        ["NewsAnalysis", "OnChainAnalysis"],
        ["PredictionsAnalysis", "RiskAnalysis", "DerivativesAnalysis", "DefiAnalysis", "ResearchAnalysis"],
    ]
    assert {each["symbol"] for each in phases} == {"BTC"}
    for each in phases:
        assert each["elapsedMs"] >= 0
        seen(f"phase {each['number']} of an analysis, from its beginning", each["elapsedMs"] / 1000)
    assert phases[3]["parts"][4]["findings"]["sentences"][0]["citations"] == ["MARKET_DATA"]


async def test_a_new_subscription_resumes_or_repeats_the_run(graph: Graph, supplied: Application) -> None:
    alice = await register(supplied.services)
    events = await graph.phases(alice, 4)
    assert await graph.phases(alice, 2, after=events[1]["cursor"]) == events[2:]
    assert await graph.phases(alice, 4) == events


async def test_a_run_is_visible_to_its_viewer_only(graph: Graph, supplied: Application) -> None:
    alice, bob = await register(supplied.services), await register(supplied.services, "bob@example.com")
    events = await graph.phases(alice, 4)
    assert await graph.phases(bob, 1, after=events[0]["cursor"]) == ["RESYNC_REQUIRED"]
    theirs = await graph.phases(bob, 4)
    assert {event["cursor"] for event in theirs}.isdisjoint(event["cursor"] for event in events)
    assert await graph.phases(None, 1) == ["UNAUTHENTICATED"]


async def test_an_unknown_token_has_no_phases(graph: Graph, supplied: Application) -> None:
    alice = await register(supplied.services)
    assert await graph.phases(alice, 1, symbol="NOPE") == ["BAD_USER_INPUT"]
    assert await graph.phases(alice, 1, symbol="💥" * 1000) == ["BAD_USER_INPUT"]
    assert await supplied.database.pool.fetchval("SELECT count(*) FROM event_streams WHERE stream ~ '^analysis:'") == 0


async def test_metrics_show_how_many_analyses_were_found_in_a_cache(graph: Graph, supplied: Application) -> None:
    analyses = supplied.services[MarketServices].analyses
    for _ in range(5):
        await analyses.get("BTC", AnalysisType.NEWS)
    registry = CollectorRegistry()
    for collector in graph.runtime.collectors:
        registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    assert {"moneta_analyses_asked_total 5.0", "moneta_analyses_made_total 1.0"} <= set(lines)
