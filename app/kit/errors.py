"""Expected failures, as values that a client can read.

A domain declares each failure once, as a subclass whose docstring is its message. Services raise it; a mutation that
names it returns it as data; anywhere else it becomes an entry of `errors[]` with its code.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import TracebackType
from typing import ClassVar, Concatenate, Final, NamedTuple, ParamSpec, Self, TypeAlias, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

Path: TypeAlias = tuple[str, ...]
"""Where in an input something is: the names of its fields in Python, and the positions in its lists.

The graph converts it to the names in its schema, and adds the argument, before a client sees it.
"""

MAX_INVALID_FIELDS: Final = 50
"""How many invalid fields of one input are listed."""


class Code(StrEnum):
    """Stable machine-readable codes, published in the graph as `extensions.code`."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    RATE_LIMITED = "RATE_LIMITED"
    COST_EXCEEDED = "COST_EXCEEDED"
    RESYNC_REQUIRED = "RESYNC_REQUIRED"
    STREAM_CLOSED = "STREAM_CLOSED"
    MAINTENANCE = "MAINTENANCE"
    INTERNAL = "INTERNAL"


class Problem(Exception):
    """Something expected went wrong."""

    code: ClassVar[Code] = Code.BAD_USER_INPUT
    field: ClassVar[str | None] = None
    """The input field that it is always about."""
    concerns_id: ClassVar[bool] = False
    """Whether it is about the object that the input names by its ID."""

    def __init__(self, message: str | None = None, *, path: Path | None = None) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "")
        self.path = path if path is not None or self.field is None else (self.field,)
        """The input field that it is about; null if it is not about one."""
        super().__init__(self.message)

    def move(self, target: Callable[[Path], Path | None]) -> None:
        """Replaces each path by its target."""
        if self.path is not None:
            self.path = target(self.path)


class InvalidField(NamedTuple):
    """An input field whose value cannot be accepted, and why, as a sentence."""

    path: Path
    message: str


class InvalidInput(Problem):
    """One or more input fields have values that cannot be accepted."""

    def __init__(self, field: str | Path, message: str, *more: InvalidField) -> None:
        path = (field,) if isinstance(field, str) else field
        super().__init__(message, path=path)
        self.fields: tuple[InvalidField, ...] = (InvalidField(path, message), *more)[:MAX_INVALID_FIELDS]

    def move(self, target: Callable[[Path], Path | None]) -> None:
        """Replaces the path of each field. A field without a target keeps its message, and has an empty path."""
        self.fields = tuple(InvalidField(target(path) or (), message) for path, message in self.fields)
        self.path = self.fields[0].path or None


class Faults:
    """Collects what is wrong with an input. Its block ends with one InvalidInput for all fields that are wrong, each of
    which is named once, with what was found first.
    """

    def __init__(self) -> None:
        self._found: list[InvalidField] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, InvalidInput):
            self._found += error.fields
        elif error is not None:
            return
        self.end()

    def end(self) -> None:
        """Raises InvalidInput if anything is wrong."""
        if self._found:
            once: dict[Path, InvalidField] = {}
            for each in self._found:
                once.setdefault(each.path, each)
            first, *others = once.values()
            raise InvalidInput(first.path, first.message, *others) from None

    def __bool__(self) -> bool:
        """Whether anything is wrong so far."""
        return bool(self._found)

    def check(self, rule: Callable[Concatenate[T, P], T], value: T, *args: P.args, **kwargs: P.kwargs) -> T:
        """Returns what the rule makes of a value.

        If the rule refuses it, the value itself: nothing comes of it, because the block ends with an exception.
        """
        try:
            return rule(value, *args, **kwargs)
        except InvalidInput as refused:
            self._found += refused.fields
            return value

    @contextmanager
    def at(self, *path: str) -> Iterator[None]:
        """Collects what the block raises; the paths of its fields are below `path`. Use nothing that it binds before
        the outer block has ended.
        """
        try:
            yield
        except InvalidInput as refused:
            self._found += (InvalidField((*path, *field.path), field.message) for field in refused.fields)

    def add(self, field: str | Path, message: str) -> None:
        """Adds a field that is wrong."""
        self._found.append(InvalidField((field,) if isinstance(field, str) else field, message))


class Unauthenticated(Problem):
    """Log in first."""

    code = Code.UNAUTHENTICATED


class Forbidden(Problem):
    """You may not do this."""

    code = Code.FORBIDDEN


class NotFound(Problem):
    """There is no such thing, or it is not yours."""

    code = Code.NOT_FOUND
    concerns_id = True

    def __init__(
        self, kind: type, message: str | None = None, *, path: Path | None = None, id: str | None = None
    ) -> None:
        super().__init__(message, path=path)
        self.kind = kind
        """The class of its records, or its type in the graph."""
        self.id = id
        """The ID that was not found, as the client sent it; null where the input has only one."""


class RetryLater(Problem):
    """Wait, then try again."""

    def __init__(self, message: str | None, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def retry_after_ms(self) -> int:
        """The wait in the unit of the graph."""
        return 1000 * self.retry_after_s


class RateLimited(RetryLater):
    """Too many attempts. Wait, then try again."""

    code = Code.RATE_LIMITED

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after_s} s.", retry_after_s)


class UnderMaintenance(RetryLater):
    """Moneta is under maintenance. Try again later."""

    code = Code.MAINTENANCE


class IdempotencyKeyReused(Problem):
    """This idempotency key was already used with another input."""

    field = "idempotency_key"


class ResultDeleted(Problem):
    """What was created with this idempotency key has been deleted since."""

    field = "idempotency_key"


class ResyncRequired(Problem):
    """The stream cannot be continued from there. Read the data again and subscribe without `after`."""

    code = Code.RESYNC_REQUIRED


class Unavailable(Problem):
    """A service that this needs does not answer. Try again shortly."""

    code = Code.MAINTENANCE


class Repeatable(Unavailable):
    """The database was changing while it was read. Try again shortly."""
