"""Research: composed by rule, or written by a model whose answer is no more than bounded plain text."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from app.domains.market.analysis.model import PROVISIONAL_TTL, TTLS, Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.research import ResearchFindings
from app.domains.market.analysis.services import Analyses
from app.domains.market.analysis.services.analyses import PATIENCE_S
from app.domains.market.analysis.services.analyst import Examination
from app.domains.market.analysis.services.research import OTHERS_S, ResearchAnalyst
from app.domains.market.analysis.services.writer import MAX_ANSWER_BYTES, MAX_CHARS, Writer
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.settings import Settings
from tests.waiting import HANG_S

Answer = Callable[[httpx.Request], httpx.Response]


def writer(answer: Answer, *, timeout_s: float = HANG_S) -> Writer:
    return Writer("https://model.example/v1", "key", "wise-1", timeout_s, httpx.MockTransport(answer))


def saying(text: Any) -> Answer:
    return lambda _: httpx.Response(200, json={"choices": [{"message": {"role": "assistant", "content": text}}]})


async def test_the_model_is_asked_as_openai_is(supplied: MarketServices) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return saying("First.\n\nSecond.")(request)

    assert await writer(answer).write({"symbol": "BTC"}) == ["First.", "Second."]
    assert str(asked[0].url) == "https://model.example/v1/chat/completions"
    assert asked[0].headers["authorization"] == "Bearer key"
    body = json.loads(asked[0].content)
    assert (body["model"], [each["role"] for each in body["messages"]]) == ("wise-1", ["system", "user"])
    assert json.loads(body["messages"][1]["content"]) == {"symbol": "BTC"}


async def test_an_answer_is_bounded_plain_text() -> None:
    [text] = await writer(saying("a\x00\x1b[31m\u202eb  c" + "x" * 9000)).write({})
    assert text.startswith("a [31m b c")
    assert len(text) <= MAX_CHARS
    # Markup is text like any other: nobody may take it for more.
    assert await writer(saying("<b>bold</b>")).write({}) == ["<b>bold</b>"]


@pytest.mark.parametrize(
    "answer",
    [
        saying(""),
        saying(" \n\t\n"),
        saying(None),
        saying(["text"]),
        lambda _: httpx.Response(200, json={"choices": []}),
        lambda _: httpx.Response(200, json={"error": "no"}),
        lambda _: httpx.Response(200, content=b"\xff\xfe"),
        lambda _: httpx.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1)),
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(429),
        lambda _: httpx.Response(302, headers={"location": "http://127.0.0.1/"}),
    ],
)
async def test_what_is_no_answer_is_none(answer: Answer) -> None:
    with pytest.raises(Unavailable):
        await writer(answer).write({})


async def test_a_model_that_hangs_is_given_up() -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    hanging = Writer("https://model.example/v1", None, "wise-1", 0.05, httpx.MockTransport(hang))
    with pytest.raises(Unavailable):
        await hanging.write({})


def with_writer(
    supplied: MarketServices, given: Writer, database: Database, redis: Redis, clock: FixedClock
) -> Analyses:
    others = [each for kind, each in supplied.analyses._analysts.items() if kind is not AnalysisType.RESEARCH]
    return Analyses(database, redis, clock, others, given)


async def test_what_the_model_writes_cites_what_it_was_given(
    supplied: MarketServices, database: Database, redis: Redis, clock: FixedClock
) -> None:
    analyses = with_writer(supplied, writer(saying("All is well.\nOr not.")), database, redis, clock)
    made = await analyses.get("BTC", AnalysisType.RESEARCH)
    assert made.expires_at - made.computed_at == TTLS[AnalysisType.RESEARCH]
    found = made.findings
    assert isinstance(found, ResearchFindings)
    assert (found.author, [each.text for each in found.sentences]) == ("wise-1", ["All is well.", "Or not."])
    missing = {AnalysisType.ON_CHAIN, AnalysisType.DERIVATIVES, AnalysisType.DEFI, AnalysisType.RESEARCH}
    assert set(found.sentences[0].citations) == set(AnalysisType) - missing


async def test_without_the_models_answer_the_brief_is_composed(
    supplied: MarketServices, database: Database, redis: Redis, clock: FixedClock
) -> None:
    analyses = with_writer(supplied, writer(lambda _: httpx.Response(500)), database, redis, clock)
    made = await analyses.get("BTC", AnalysisType.RESEARCH)
    # It is asked again before the hour is over.
    assert made.expires_at - made.computed_at == PROVISIONAL_TTL
    found = made.findings
    assert isinstance(found, ResearchFindings)
    assert found.author == "COMPOSED"
    cited = {kind for sentence in found.sentences for kind in sentence.citations}
    assert cited == set(AnalysisType) - {AnalysisType.RESEARCH}
    assert all(sentence.citations for sentence in found.sentences)


async def test_an_analysis_that_hangs_is_missing_in_the_brief_and_does_not_prevent_it(
    supplied: MarketServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        type = AnalysisType.DERIVATIVES

        async def examine(self, symbol: str) -> Examination:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    analysts = supplied.analyses._analysts
    monkeypatch.setitem(analysts, AnalysisType.DERIVATIVES, Hanging())

    async def all_but_one(symbol: str, kinds: Sequence[AnalysisType], wait_s: float, late: str) -> list[Analysis[Any]]:
        # What does not hang is in time, however slow the machine is.
        found = [await supplied.analyses.get(symbol, kind) for kind in kinds if kind is not AnalysisType.DERIVATIVES]
        (missing,) = await supplied.analyses.get_within(symbol, [AnalysisType.DERIVATIVES], wait_s, late)
        found.insert(list(kinds).index(AnalysisType.DERIVATIVES), missing)
        return found

    monkeypatch.setitem(analysts, AnalysisType.RESEARCH, ResearchAnalyst(all_but_one, None, wait_s=0.1))
    made = await supplied.analyses.get("BTC", AnalysisType.RESEARCH)
    assert made.status is AnalysisStatus.AVAILABLE
    assert made.expires_at - made.computed_at == PROVISIONAL_TTL
    assert made.findings is not None
    assert made.findings.sentences[-1].citations == [
        AnalysisType.ON_CHAIN,
        AnalysisType.DERIVATIVES,
        AnalysisType.DEFI,
    ]


def test_its_key_is_not_shown() -> None:
    assert "secret" not in repr(Writer("https://model.example/v1", "secret", "wise-1", 1.0))


def test_there_is_time_for_the_others_and_the_model_and_to_compose() -> None:
    longest = next(each.le for each in Settings.model_fields["research_timeout_s"].metadata if hasattr(each, "le"))
    assert OTHERS_S + longest < PATIENCE_S


def test_a_model_is_asked_only_if_it_is_named() -> None:
    assert Writer.of(Settings()) is None
    assert Writer.of(Settings(research_url="https://model.example/v1/")) is None
    settings = Settings(research_url="https://model.example/v1/", research_model="m", research_key=SecretStr("k"))
    assert Writer.of(settings) == Writer("https://model.example/v1", "k", "m", 8.0)
