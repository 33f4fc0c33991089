"""Expected failures as data: each mutation returns a union of its payload and the problems it can meet."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.union import StrawberryUnion

from app.kit import errors

T = TypeVar("T", bound=type)


@strawberry.interface(name="Problem", description="Something expected went wrong; nothing has changed.")
class Problem:
    """What every problem says."""

    message: str = strawberry.field(description="For people, in English.")


_types: dict[type[errors.Problem], type] = {}


def problem_type(exception: type[errors.Problem], *, description: str | None = None) -> Callable[[T], T]:
    """Declares the Strawberry type that describes an expected failure; its fields are the exception's attributes."""

    def declare(cls: T) -> T:
        _types[exception] = strawberry.type(cls, description=description)
        return cast(T, _types[exception])

    return declare


def mutation(
    payload: type, *problems: type[errors.Problem], description: str | None = None
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A mutation field. The problems it names are returned as members of its union; any other failure is an error.

    The union is named after the payload: TransferPayload gives TransferResult.
    """
    name = payload.__name__.removesuffix("Payload") + "Result"
    members = (payload, *(_types[problem] for problem in problems))
    union = StrawberryUnion(
        name=name,
        type_annotations=tuple(StrawberryAnnotation(member) for member in members),
        description=f"What `{name[0].lower()}{name[1:].removesuffix('Result')}` gives.",
    )

    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def resolve(*args: Any, **kwargs: Any) -> Any:
            try:
                return await resolver(*args, **kwargs)
            except problems as problem:
                return _describe(problem)

        return strawberry.mutation(resolver=resolve, graphql_type=union, description=description)

    return declare


def _describe(problem: errors.Problem) -> Any:
    # graphql-core takes an exception that a resolver returns for one that it raised, hence the copy.
    kind = next(_types[base] for base in type(problem).__mro__ if base in _types)
    return kind(**{field.name: getattr(problem, field.name) for field in dataclasses.fields(kind)})


@problem_type(errors.InvalidInput, description="An input field has a value that cannot be accepted.")
class InvalidInput(Problem):
    """An input field has a value that cannot be accepted."""

    field: str = strawberry.field(description="The input field, as named in the schema.")


@problem_type(errors.NotFound, description="There is no such thing, or it is not yours.")
class NotFound(Problem):
    """There is no such thing, or it is not yours."""


@problem_type(errors.RateLimited, description="Too many attempts.")
class RateLimited(Problem):
    """Too many attempts."""

    retry_after_s: int = strawberry.field(description="Seconds to wait.")


@problem_type(errors.IdempotencyKeyReused, description="This idempotency key was used before with another input.")
class IdempotencyKeyReused(Problem):
    """This idempotency key was used before with another input."""
