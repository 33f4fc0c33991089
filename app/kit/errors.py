"""Expected failures, as values that a client can read.

A domain declares each failure once, as a subclass whose docstring is its message. Services raise it; a mutation that
names it returns it as data; anywhere else it becomes an entry of `errors[]` with its code.
"""

import inspect
from enum import StrEnum
from typing import ClassVar


class Code(StrEnum):
    """Stable machine-readable codes, published in the graph as `extensions.code`."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    RATE_LIMITED = "RATE_LIMITED"
    COST_EXCEEDED = "COST_EXCEEDED"
    RESYNC_REQUIRED = "RESYNC_REQUIRED"
    MAINTENANCE = "MAINTENANCE"
    INTERNAL = "INTERNAL"


class Problem(Exception):
    """Something expected went wrong."""

    code: ClassVar[Code] = Code.BAD_USER_INPUT

    def __init__(self, message: str | None = None) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "")
        super().__init__(self.message)


class InvalidInput(Problem):
    """The input is not valid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(Problem):
    """Log in first."""

    code = Code.UNAUTHENTICATED


class Forbidden(Problem):
    """You may not do this."""

    code = Code.FORBIDDEN


class NotFound(Problem):
    """There is no such thing, or it is not yours."""

    code = Code.NOT_FOUND


class RateLimited(Problem):
    """Too many attempts. Wait, then try again."""

    code = Code.RATE_LIMITED

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s

    @property
    def retry_after_ms(self) -> int:
        """The wait in the unit of the graph."""
        return 1000 * self.retry_after_s


class IdempotencyKeyReused(Problem):
    """This idempotency key was already used with another input."""


class ResyncRequired(Problem):
    """The stream cannot be continued from there. Read the data again and subscribe without `after`."""

    code = Code.RESYNC_REQUIRED


class Unavailable(Problem):
    """A service that this needs does not answer. Try again shortly."""

    code = Code.MAINTENANCE


class Repeatable(Unavailable):
    """The database was changing while it was read. Try again shortly."""
