"""Expected failures as data: each mutation returns a union of its payload and its problems."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.union import StrawberryUnion

from app.engine.declarations.durations import Milliseconds
from app.kit import errors

T = TypeVar("T", bound=type)


@strawberry.interface
class Problem:
    """An expected failure. Nothing has changed."""

    message: str = strawberry.field(description="What went wrong, in English, for people to read.")


_FAILURE: Final = "__failure__"
"""Where a problem type keeps the exception that it describes."""


def problem_type(exception: type[errors.Problem]) -> Callable[[T], T]:
    """Declares the Strawberry type that describes an expected failure; its fields are the exception's attributes."""

    def declare(cls: T) -> T:
        declared = strawberry.type(cls)
        setattr(declared, _FAILURE, exception)
        return declared

    return declare


def mutation(
    payload: type, *problems: type, metadata: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A mutation field. The failures of its problem types are returned as members of its union, others as errors.

    The union is named after the payload: TransferPayload is a member of TransferResult.
    """
    name = payload.__name__.removesuffix("Payload") + "Result"
    kinds = {getattr(problem, _FAILURE): problem for problem in problems}
    union = StrawberryUnion(
        name=name,
        type_annotations=tuple(StrawberryAnnotation(member) for member in (payload, *kinds.values())),
        description=f"What `{name[0].lower()}{name[1:].removesuffix('Result')}` returns.",
    )

    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def resolve(*args: Any, **kwargs: Any) -> Any:
            try:
                return await resolver(*args, **kwargs)
            except tuple(kinds) as problem:
                return _describe(problem, kinds)

        return strawberry.mutation(resolver=resolve, graphql_type=union, metadata=metadata)

    return declare


def _describe(problem: errors.Problem, kinds: Mapping[type[errors.Problem], type]) -> Any:
    # graphql-core treats an exception that a resolver returns as one that it raised, hence the copy.
    kind = next(kinds[base] for base in type(problem).__mro__ if base in kinds)
    return kind(**{field.name: getattr(problem, field.name) for field in dataclasses.fields(kind)})


@problem_type(errors.InvalidInput)
class InvalidInput(Problem):
    """An input field has a value that cannot be accepted."""

    field: str = strawberry.field(description="The input field, as named in the schema.")


@problem_type(errors.NotFound)
class NotFound(Problem):
    """There is no such thing, or it is not yours."""


@problem_type(errors.RateLimited)
class RateLimited(Problem):
    """Too many attempts."""

    retry_after_ms: Milliseconds = strawberry.field(description="The time to wait, in milliseconds.")


@problem_type(errors.IdempotencyKeyReused)
class IdempotencyKeyReused(Problem):
    """This idempotency key was used before with another input."""
