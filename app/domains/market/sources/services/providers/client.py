"""Requests to providers: limited in time, size and rate, retried with backoff, and stopped by a circuit breaker."""

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
    """The limits of requests to a provider."""

    requests_per_minute: int
    timeout_s: float = 10.0
    """For connecting, and for each pause while the response arrives."""
    attempts: int = 4
    total_s: float = 60.0
    """For one request with all its attempts and pauses."""
    wait_initial_s: float = 0.5
    """Before the second attempt; doubled before each further one."""
    wait_max_s: float = 10.0
    wait_jitter_s: float = 1.0
    retry_after_max_s: float = 30.0
    """A request is not retried if the provider asks for a longer pause."""
    answer_max_bytes: int = 32 * 1024 * 1024
    breaker_failures: int = 5
    """After this many failed requests in a row, further ones fail at once."""
    breaker_rest_s: float = 60.0


class ErrorResponse(Exception):
    """The provider answered with an error status. `pause_s` is how long it asked to wait."""

    def __init__(self, status: int, pause_s: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.pause_s = pause_s


class MalformedResponse(Exception):
    """The response is too large, incomplete, or not JSON."""


class ResourceNotFound(Unavailable):
    """The provider answered 404."""


class ProviderClient:
    """Sends requests to one provider. Keys are in headers, which appear in no message and no log."""

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
            # A redirect would send the key to another host.
            follow_redirects=False,
        )
        self._rate = AsyncLimiter(policy.requests_per_minute, 60.0)
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=policy.breaker_failures,
            default_ttl=policy.breaker_rest_s,
            # A missing resource or a cancelled request is not a failure of the provider.
            exclude=[ResourceNotFound, asyncio.CancelledError],
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Returns the decoded response. Numbers are `int` and `Decimal`, and include NaN and Infinity.

        Raises ResourceNotFound for 404, and Unavailable for any other failure and while the circuit is open.
        """
        free_to_wait(self._name)
        breaker = await self._breakers.get_breaker(self._name)
        try:
            async with breaker, asyncio.timeout(self._policy.total_s):
                return await self._attempts(path, params)
        except OpenedState as error:
            # The same error object is raised until the circuit closes; its traceback would grow each time.
            error.__traceback__ = None
            raise Unavailable(f"{self._name} is not asked for a while, because it failed too often.") from None
        except (ErrorResponse, MalformedResponse, httpx.HTTPError, TimeoutError) as error:
            # Errors of httpx contain the request and thus the key, which a traceback with variables would show.
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
                raise ResourceNotFound
            if response.status_code != HTTPStatus.OK:
                after = response.headers.get("retry-after")
                raise ErrorResponse(response.status_code, retry_after_s(after, self._clock.now()))
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._policy.answer_max_bytes:
                    raise MalformedResponse("the answer is too large")
            return bytes(body)


def pause_after(error: Exception, policy: Policy) -> bool | float:
    """Whether to retry a failed request; a number is the pause in seconds."""
    match error:
        case ErrorResponse(
            status=HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE, pause_s=float() as pause_s
        ):
            return pause_s if pause_s <= policy.retry_after_max_s else False
        case ErrorResponse(status=status):
            return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        case MalformedResponse() | httpx.TransportError():
            return True
        case _:
            return False


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Returns the seconds of a Retry-After header, which has seconds or a date. None if it cannot be parsed."""
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
    """Decodes JSON. NaN is accepted, so that one invalid number does not invalidate the whole response."""
    try:
        return json.loads(body, parse_float=_real, parse_int=_whole, parse_constant=Decimal)
    except (ValueError, RecursionError) as error:
        raise MalformedResponse("the answer is not JSON") from error


def _whole(digits: str) -> int | Decimal:
    # Python refuses integers of thousands of digits, and with them the whole response.
    return int(digits) if len(digits) < 40 else Decimal(digits)


def _real(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        # An exponent that is too large for Decimal.
        return Decimal("NaN")


def _named(error: Exception) -> str:
    # Only our own messages: those of libraries can contain URLs.
    return str(error) if isinstance(error, ErrorResponse | MalformedResponse) else type(error).__name__
