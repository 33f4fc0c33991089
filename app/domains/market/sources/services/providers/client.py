"""Outgoing requests: bounded in time, size and number, repeated with patience, and given up while it is hopeless."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
import msgspec
import stamina
from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from app.kit.clock import Clock
from app.kit.errors import Unavailable
from app.kit.work import free_to_wait

_PARSED_IN_A_THREAD: Final = 256 * 1024
_AGENT: Final = "moneta"


class Policy(msgspec.Struct, frozen=True):
    """How a provider is asked."""

    requests_per_minute: int
    timeout_s: float = 10.0
    """For a connection, and for each silence while the answer comes in."""
    attempts: int = 4
    total_s: float = 60.0
    """For one question with all its attempts and waits."""
    wait_initial_s: float = 0.5
    """Before the second attempt; doubled before each further one."""
    wait_max_s: float = 10.0
    wait_jitter_s: float = 1.0
    retry_after_max_s: float = 30.0
    """A provider that asks for a longer pause is not asked again now."""
    answer_max_bytes: int = 32 * 1024 * 1024
    breaker_failures: int = 5
    """So many questions in a row fail, and the next ones fail at once."""
    breaker_rest_s: float = 60.0


class Refused(Exception):
    """The provider answered, with something else than an answer. `pause_s`: it said how long to wait."""

    def __init__(self, status: int, pause_s: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.pause_s = pause_s


class Garbled(Exception):
    """The answer is too large, cut off, or not JSON."""


class Absent(Unavailable):
    """The provider knows no such thing."""


class ProviderClient:
    """Asks one provider. Its keys are headers, which appear in no message and no log."""

    def __init__(
        self, name: str, base_url: str, policy: Policy, clock: Clock, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"accept": "application/json", "user-agent": _AGENT, **(headers or {})},
            timeout=policy.timeout_s,
            # A redirect would carry the key to whoever it names.
            follow_redirects=False,
        )
        self._rate = AsyncLimiter(policy.requests_per_minute, 60.0)
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=policy.breaker_failures,
            default_ttl=policy.breaker_rest_s,
            # That something is not there, or that nobody waits any more, says nothing against the provider.
            exclude=[Absent, asyncio.CancelledError],
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The decoded answer; numbers are `int` and `Decimal`, NaN and Infinity among them.

        Raises Absent for 404, Unavailable for whatever else is no answer, and while the circuit is open.
        """
        free_to_wait(self._name)
        breaker = await self._breakers.get_breaker(self._name)
        try:
            async with breaker, asyncio.timeout(self._policy.total_s):
                return await self._attempts(path, params)
        except OpenedState as error:
            # One and the same error is raised until the circuit closes; its traceback would grow each time.
            error.__traceback__ = None
            raise Unavailable(f"{self._name} is not asked for a while, because it failed too often.") from None
        except (Refused, Garbled, httpx.HTTPError, TimeoutError) as error:
            # What httpx raises holds the request, and so the key, which a traceback with variables would show.
            raise Unavailable(f"{self._name} gives no answer: {_named(error)}.") from None

    async def _attempts(self, path: str, params: Mapping[str, str | int] | None) -> Any:
        policy = self._policy
        async for attempt in stamina.retry_context(
            on=lambda error: pause_after(error, policy),
            attempts=policy.attempts,
            timeout=policy.total_s,
            wait_initial=policy.wait_initial_s,
            wait_max=policy.wait_max_s,
            wait_jitter=policy.wait_jitter_s,
        ):
            with attempt:
                async with self._rate:
                    body = await self._request(path, params)
                if len(body) < _PARSED_IN_A_THREAD:
                    return decode(body)
                return await asyncio.to_thread(decode, body)
        raise AssertionError("the last attempt returns or raises")

    async def _request(self, path: str, params: Mapping[str, str | int] | None) -> bytes:
        async with self._http.stream("GET", path, params=params) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                raise Absent
            if response.status_code != HTTPStatus.OK:
                after = response.headers.get("retry-after")
                raise Refused(response.status_code, retry_after_s(after, self._clock.now()))
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._policy.answer_max_bytes:
                    raise Garbled("the answer is too large")
            return bytes(body)


def pause_after(error: Exception, policy: Policy) -> bool | float:
    """Whether a failed request is worth another attempt; a number says after how many seconds."""
    match error:
        case Refused(status=HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE, pause_s=float() as pause_s):
            return pause_s if pause_s <= policy.retry_after_max_s else False
        case Refused(status=status):
            return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        case Garbled() | httpx.TransportError():
            return True
        case _:
            return False


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for: seconds, or a date. None where it says nothing that can be understood."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return max((until - now) / timedelta(seconds=1), 0.0)


def decode(body: bytes) -> Any:
    """JSON as providers write it. One value that is no number must not cost all the others, so NaN is let through."""
    try:
        return json.loads(body, parse_float=_real, parse_int=_whole, parse_constant=Decimal)
    except (ValueError, RecursionError) as error:
        raise Garbled("the answer is not JSON") from error


def _whole(digits: str) -> int | Decimal:
    # Python refuses to read integers of thousands of digits, with the whole answer.
    return int(digits) if len(digits) < 40 else Decimal(digits)


def _real(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        # An exponent that not even Decimal holds.
        return Decimal("NaN")


def _named(error: Exception) -> str:
    # Only what we wrote ourselves: what libraries say may quote addresses.
    return str(error) if isinstance(error, Refused | Garbled) else type(error).__name__
