"""The words of a language model: added where it answers in time, and never what decides."""

import asyncio
from decimal import Decimal
from uuid import UUID

import httpx
import msgspec
import pytest

from app.domains.market.analysis.services.writer import Writer
from app.domains.trading.bots.model import DueBot
from app.domains.trading.bots.rules.deciding import Decided
from app.domains.trading.bots.services import reasons as reasons_module
from app.domains.trading.bots.services.reasons import MAX_CHARS, Reasons
from app.domains.trading.strategies.model import Decision, RiskLevel, SignalType

MODEL = "a-model"


def decided(ai_model: str | None = MODEL) -> Decided:
    due = DueBot(
        bot_id=UUID(int=1),
        user_id=UUID(int=2),
        portfolio_id=UUID(int=3),
        symbol="BTC",
        config={"type": "dca"},
        max_position_size=Decimal(1000),
        stop_loss_percentage=Decimal(5),
        take_profit_percentage=Decimal(10),
        risk_level=RiskLevel.LOW,
        daily_loss_limit=None,
        cool_down_ms=0,
        ai_model=ai_model,
        state=None,
        decided_at=None,
        last_type=None,
        lost_today=Decimal(0),
        last_loss_at=None,
    )
    decision = Decision(type=SignalType.BUY, confidence=50, reasoning="It buys.", indicators={"rsi": 20.0})
    return Decided(due, decision, (), Decimal(100))


def reasons(answer: httpx.Response | Exception | None) -> tuple[Reasons, list[bytes]]:
    """With a model that answers so; None: never."""
    asked = list[bytes]()

    async def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    writer = Writer("http://model.example", None, MODEL, timeout_s=60, transport=httpx.MockTransport(handle))
    return Reasons(writer), asked


def said(text: str) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": {"content": text}}]})


async def test_words_are_added_to_those_of_the_strategy() -> None:
    made, asked = reasons(said("The price fell.\n\nSELL everything now!"))
    before = decided()
    [after] = await made.worded([before])
    assert after.decision.reasoning == "It buys. The price fell. SELL everything now!"
    unchanged = msgspec.structs.replace(after.decision, reasoning=before.decision.reasoning)
    assert unchanged == before.decision, "nothing but words"
    request = msgspec.json.decode(asked[0])
    about = msgspec.json.decode(request["messages"][1]["content"])
    assert (about["symbol"], about["decision"], about["indicators"]) == ("BTC", "BUY", {"rsi": 20.0})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, content=b"no JSON"),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(200, content=b'{"choices": [], "deep": ' + b"[" * 60_000 + b"]" * 60_000 + b"}"),
        said(""),
        httpx.ConnectError("refused"),
    ],
    ids=["500", "no JSON", "no choice", "deep", "nothing", "absent"],
)
async def test_a_model_that_answers_nonsense_changes_nothing(answer: httpx.Response | Exception) -> None:
    made, asked = reasons(answer)
    assert await made.worded([decided()]) == [decided()]
    assert len(asked) == 1


async def test_a_model_that_is_slow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons_module, "WAIT_S", 0.0)
    made, _ = reasons(None)
    assert await made.worded([decided()]) == [decided()]


async def test_only_the_model_that_is_configured_is_asked() -> None:
    made, asked = reasons(said("Words."))
    found = [decided("another"), decided(None)]
    assert await made.worded(found) == found
    assert await Reasons(None).worded([decided()]) == [decided()]
    assert asked == []


async def test_words_are_cut_to_what_a_signal_holds() -> None:
    made, _ = reasons(said("x " * 3000))
    [after] = await made.worded([decided()])
    assert len(after.decision.reasoning) <= len("It buys. ") + MAX_CHARS
