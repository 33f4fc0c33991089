"""Requests that are refused before they become an operation, and the HTTP status of failures."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from app.kit.errors import Code, Problem, RetryLater

STATUS: Final[Mapping[Code, int]] = {
    Code.BAD_USER_INPUT: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Code.COST_EXCEEDED: HTTPStatus.BAD_REQUEST,
    Code.RESYNC_REQUIRED: HTTPStatus.CONFLICT,
    Code.STREAM_CLOSED: HTTPStatus.GONE,
    Code.MAINTENANCE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""HTTP status of a response that has nothing but errors, where the status may say so."""

RETRY_AFTER_S: Final = 1


class Refused(Exception):
    """The request is answered with this error only."""

    def __init__(
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        code: Code = Code.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
        retry_after_ms: int | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.retry_after_ms = retry_after_ms
        self.extensions = dict(extensions or {})

    @classmethod
    def because(cls, problem: Problem) -> "Refused":
        """Refuses for a problem that occurred before the operation."""
        headers, retry_after_ms = {}, None
        if problem.code is Code.MAINTENANCE:
            headers["retry-after"] = str(RETRY_AFTER_S)
        if isinstance(problem, RetryLater):
            headers["retry-after"] = str(problem.retry_after_s)
            retry_after_ms = problem.retry_after_ms
        return cls(
            problem.message,
            status=STATUS[problem.code],
            code=problem.code,
            headers=headers,
            retry_after_ms=retry_after_ms,
        )

    def body(self, request_id: str) -> dict[str, Any]:
        """In the form of a GraphQL response."""
        body = error_body(self.message, self.code, request_id)
        body["errors"][0]["extensions"] |= self.extensions
        if self.retry_after_ms is not None:
            body["errors"][0]["extensions"]["retryAfterMs"] = self.retry_after_ms
        return body


def error_body(message: str, code: Code, request_id: str) -> dict[str, Any]:
    """A GraphQL response that has one error and no data."""
    return {"errors": [{"message": message, "extensions": {"code": code, "requestId": request_id}}]}
