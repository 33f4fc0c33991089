"""Errors as clients see them: a message and a code, without internal details."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import structlog
from graphql import GraphQLError
from graphql.execution import values as argument_coercion

from app.kit.errors import Code, InvalidInput, Problem, Repeatable, RetryLater, Unavailable

log = structlog.get_logger(__name__)

MASKED = "Internal error."
_OBJECT: Final = re.compile(r"(, found)?: [{\[].*", re.DOTALL)
"""Where a message begins to quote an object or a list."""

MAX_MESSAGE_CHARS: Final = 1000


class TimedOut(Problem):
    """The operation took too long and was stopped. A mutation may have taken effect: repeat it with the same key."""

    code = Code.MAINTENANCE


def refuse(problem: Problem, node: Any = None) -> GraphQLError:
    """A request error: nothing is executed. `node` is its location in the document."""
    return GraphQLError(problem.message, nodes=node, original_error=problem)


def raise_unavailable(errors: Sequence[GraphQLError]) -> None:
    """Raises Unavailable if it caused one of these errors."""
    for error in errors:
        if isinstance(cause := _cause(error), Unavailable):
            raise cause


def is_repeatable(errors: Sequence[GraphQLError]) -> bool:
    """Whether repeating the reads may resolve one of these errors."""
    return any(isinstance(_cause(error), Repeatable) for error in errors)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The exceptions of a group, or the exception itself; each without the GraphQLErrors that wrap it."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from causes_of(each)
    elif isinstance(error, GraphQLError) and error.original_error is not None:
        yield from causes_of(error.original_error)
    else:
        yield error


def names_of(error: BaseException) -> list[str]:
    """The types of an exception's causes, with the code of each problem. A message could quote what a client sent."""
    return [
        f"{type(cause).__name__} {cause.code}" if isinstance(cause, Problem) else type(cause).__name__
        for cause in causes_of(error)
    ]


def forget_frames(errors: Sequence[BaseException]) -> None:
    """Removes the tracebacks of errors. Their frames refer to the errors, and keep alive all that was read."""
    todo: list[BaseException | None] = list(errors)
    seen: set[int] = set()
    while todo:
        error = todo.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = None
        todo += (error.__cause__, error.__context__)
        match error:
            case GraphQLError():
                todo.append(error.original_error)
            case BaseExceptionGroup():
                todo += error.exceptions


def describe(errors: Sequence[GraphQLError], request_id: str, *, executed: bool) -> list[dict[str, Any]]:
    """Errors in the form of the response. An unexpected error is logged with its traceback and masked.

    `executed`: the errors come from resolvers. Otherwise they are about the request, and their messages are not masked.
    """
    return [_describe(error, request_id, executed=executed) for error in errors]


def shortened(message: str) -> str:
    """A message of at most MAX_MESSAGE_CHARS characters."""
    return message if len(message) <= MAX_MESSAGE_CHARS else message[: MAX_MESSAGE_CHARS - 1] + "…"


def _describe(error: GraphQLError, request_id: str, *, executed: bool) -> dict[str, Any]:
    cause = _cause(error)
    if isinstance(cause, Problem):
        return _entry(error, cause.message, _extensions(cause))
    if not executed or _is_coercion(error):
        # The message quotes the client's input. An object may hold a password beside what is wrong.
        message = shortened(_OBJECT.sub("", error.message))
        return _entry(error, message, {"code": Code.BAD_USER_INPUT})
    log.error("resolver_failed", path=error.path, request_id=request_id, exc_info=cause or error)
    return _entry(error, MASKED, {"code": Code.INTERNAL, "requestId": request_id})


def _entry(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": message}
    if error.locations:
        entry["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path is not None:
        entry["path"] = list(error.path)
    entry["extensions"] = extensions
    return entry


def _extensions(problem: Problem) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": problem.code}
    if isinstance(problem, InvalidInput):
        extensions["fields"] = [{"path": list(path), "message": message} for path, message in problem.fields]
    if isinstance(problem, RetryLater):
        extensions["retryAfterMs"] = problem.retry_after_ms
    return extensions


def _cause(error: GraphQLError) -> BaseException | None:
    """The exception that a resolver raised, without the GraphQLErrors that wrap it."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _is_coercion(error: GraphQLError) -> bool:
    """Whether an argument could not be coerced: a null variable for `Int! = 20` passes validation."""
    innermost = error
    while isinstance(innermost.original_error, GraphQLError):
        innermost = innermost.original_error
    if innermost.original_error is not None:
        return False
    frame = innermost.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__") == argument_coercion.__name__:
            return True
        frame = frame.tb_next
    return False
