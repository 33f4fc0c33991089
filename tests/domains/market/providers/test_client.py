"""How a provider is asked: what is tried again, what is not, and when it is left alone."""

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import httpx
import purgatory.domain.model
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.providers.services.client import (
    ErrorResponse,
    MalformedResponse,
    Policy,
    ProviderClient,
    ResourceNotFound,
    decode,
    pause_after,
    retry_after_s,
)
from app.kit.clock import FixedClock
from app.kit.errors import Unavailable
from tests.databases import NOON
from tests.domains.market.providers.conftest import KEY, POLICY, patient
from tests.domains.market.providers.stub import Answer, Stub, answer

FAILURES = {
    "429 with Retry-After": (Answer(status=429, headers={"retry-after": "0"}), "HTTP 429"),
    "429 without": (Answer(status=429), "HTTP 429"),
    "500": (Answer(status=500, body=b"<h1>Oops</h1>"), "HTTP 500"),
    "503": (Answer(status=503), "HTTP 503"),
    "cut half way": (answer(list(range(1000)), cut=True), "RemoteProtocolError"),
    "truncated JSON": (Answer(body=b'[{"id": "bitcoin", "current_pr'), "the answer is not JSON"),
    "not JSON": (Answer(body=b"<html>"), "the answer is not JSON"),
    "invalid UTF-8": (Answer(body=b'["\xff\xfe"]'), "the answer is not JSON"),
    "endless nesting": (Answer(body=b"[" * 100_000), "the answer is not JSON"),
    "empty": (Answer(body=b""), "the answer is not JSON"),
}


@pytest.fixture
def breaker_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time by which the circuit breaker goes; it has no clock that could be handed in."""
    now = SimpleNamespace(value=1_000.0)
    monkeypatch.setattr(purgatory.domain.model, "time", SimpleNamespace(time=lambda: now.value))

    def set_time(value: float) -> None:
        now.value = value

    return set_time


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_tried_again_until_it_succeeds(name: str, stub: Stub, client: ProviderClient) -> None:
    failure, _ = FAILURES[name]
    stub.says("/coins", failure, failure, answer({"ok": True}))
    assert await client.get("/coins", {"page": 1}) == {"ok": True}
    assert stub.paths() == ["/coins"] * 3


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_that_stays_is_reported_without_detail(name: str, stub: Stub, client: ProviderClient) -> None:
    failure, said = FAILURES[name]
    stub.says("/coins", failure)
    with pytest.raises(Unavailable) as refusal:
        await client.get("/coins")
    assert refusal.value.message == f"stub gives no answer: {said}."
    assert len(stub.asked) == 3


async def test_a_provider_that_says_nothing_is_given_up(stub: Stub, clock: FixedClock) -> None:
    client = ProviderClient("stub", stub.url, patient(timeout_s=0.05, attempts=2), clock)
    stub.says("/coins", Answer(hangs=True))
    with pytest.raises(Unavailable, match="ReadTimeout"):
        await client.get("/coins")
    assert len(stub.asked) == 2
    await client.aclose()


async def test_a_question_ends_however_slowly_it_is_answered(stub: Stub, clock: FixedClock) -> None:
    client = ProviderClient("stub", stub.url, patient(total_s=0.05), clock)
    stub.says("/coins", Answer(hangs=True))
    with pytest.raises(Unavailable, match="TimeoutError"):
        await client.get("/coins")
    assert len(stub.asked) == 1
    await client.aclose()


async def test_an_address_may_have_a_path(stub: Stub, clock: FixedClock, policy: Policy) -> None:
    client = ProviderClient("stub", f"{stub.url}/api/v3", policy, clock)
    stub.says("/api/v3/coins", answer([1]))
    assert await client.get("/coins") == [1]
    await client.aclose()


async def test_nobody_there(clock: FixedClock, policy: Policy, stub: Stub) -> None:
    client = ProviderClient("stub", "http://127.0.0.1:1", policy, clock)
    with pytest.raises(Unavailable, match="ConnectError"):
        await client.get("/coins")
    await client.aclose()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 422])
async def test_a_refusal_for_good_and_a_redirect_are_not_tried_again(
    status: int, stub: Stub, client: ProviderClient
) -> None:
    stub.says("/coins", Answer(status=status, headers={"location": f"{stub.url}/elsewhere"}))
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        await client.get("/coins")
    assert stub.paths() == ["/coins"]


async def test_a_longer_pause_than_we_have_is_not_waited_for(stub: Stub, client: ProviderClient) -> None:
    stub.says("/coins", Answer(status=429, headers={"retry-after": "3600"}), answer([]))
    with pytest.raises(Unavailable, match="HTTP 429"):
        await client.get("/coins")
    assert len(stub.asked) == 1


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(stub: Stub, clock: FixedClock) -> None:
    client = ProviderClient("stub", stub.url, patient(answer_max_bytes=1000, attempts=1), clock)
    stub.says("/coins", answer("x" * 999))
    with pytest.raises(Unavailable, match="the answer is too large"):
        await client.get("/coins")
    stub.says("/coins", answer("x" * 998))
    assert await client.get("/coins") == "x" * 998
    await client.aclose()


async def test_the_circuit_opens_rests_and_closes_again(
    stub: Stub, client: ProviderClient, breaker_time: Callable[[float], None]
) -> None:
    stub.says("/coins", Answer(status=500))
    for _ in range(2):
        with pytest.raises(Unavailable, match="HTTP 500"):
            await client.get("/coins")
    assert len(stub.asked) == 6
    for _ in range(3):
        with pytest.raises(Unavailable, match="not asked for a while"):
            await client.get("/coins")
    assert len(stub.asked) == 6
    # Still down after the rest: one question more, and it rests again.
    breaker_time(1_061.0)
    with pytest.raises(Unavailable, match="HTTP 500"):
        await client.get("/coins")
    with pytest.raises(Unavailable, match="not asked for a while"):
        await client.get("/coins")
    assert len(stub.asked) == 9
    stub.says("/coins", answer([1]))
    breaker_time(1_122.0)
    assert await client.get("/coins") == [1]
    assert await client.get("/coins") == [1]


async def test_what_is_not_there_is_no_failure_of_the_provider(stub: Stub, client: ProviderClient) -> None:
    for _ in range(5):
        with pytest.raises(ResourceNotFound):
            await client.get("/coins/none")
    assert len(stub.asked) == 5
    stub.says("/coins", answer([1]))
    assert await client.get("/coins") == [1]


async def test_the_key_goes_out_as_a_header_and_into_no_log_and_no_error(
    stub: Stub, client: ProviderClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.says("/coins", Answer(status=500), Answer(status=401))
    with pytest.raises(Unavailable) as refusal:
        await client.get("/coins")
    assert [asked.headers["x-key"] for asked in stub.asked] == [KEY, KEY]
    assert KEY not in repr(refusal.value) + str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__
    assert KEY not in caplog.text
    assert "".join(capsys.readouterr()).count(KEY) == 0


def test_a_pause_that_is_asked_for_is_kept_up_to_our_limit() -> None:
    assert pause_after(ErrorResponse(429, 7.0), POLICY) == 7.0
    assert pause_after(ErrorResponse(503, 30.0), POLICY) == 30.0
    assert pause_after(ErrorResponse(429, 31.0), POLICY) is False
    assert pause_after(ErrorResponse(429), POLICY) is True
    assert pause_after(ErrorResponse(502), POLICY) is True
    assert pause_after(ErrorResponse(403, 1.0), POLICY) is False
    assert pause_after(MalformedResponse(), POLICY) is True
    assert pause_after(httpx.ConnectTimeout(""), POLICY) is True
    assert pause_after(ResourceNotFound(), POLICY) is False
    assert pause_after(KeyError(), POLICY) is False


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        (" 0 ", 0.0),
        ("9" * 400, 999_999_999.0),
        ("-3", None),
        ("soon", None),
        ("٣", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 12:00:30 -0000", None),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_how_long_a_provider_asks_us_to_wait(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOON) == seconds


@given(st.text())
def test_no_header_breaks_the_client(value: str) -> None:
    pause = retry_after_s(value, NOON)
    assert pause is None or pause >= 0


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"NaN", "NaN"),
        (b"-Infinity", "-Infinity"),
        (b"1e999999", "1E+999999"),
        (b"1e99999999999999999999", "NaN"),
        (b"1e-9999999999999999999999", "NaN"),
        (b"9" * 5000, "9" * 5000),
        (b"0.1", "0.1"),
    ],
)
def test_a_number_that_is_none_does_not_spoil_the_others(body: bytes, value: str) -> None:
    strange, plain = decode(b"[" + body + b", 7]")
    assert str(strange) == str(Decimal(value))
    assert plain == 7


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_garbled(body: bytes) -> None:
    try:
        value: Any = decode(body)
    except MalformedResponse:
        return
    assert value is None or isinstance(value, bool | int | Decimal | str | list | dict)


def test_the_rate_of_a_plan_is_kept(policy: Policy, clock: FixedClock) -> None:
    client = ProviderClient("stub", "http://127.0.0.1:1", patient(requests_per_minute=2), clock)
    assert (client._rate.max_rate, client._rate.time_period) == (2, 60.0)
    assert timedelta(seconds=client._rate.time_period) == timedelta(minutes=1)
