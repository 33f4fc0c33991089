"""Expected failures as data: each mutation returns a union of its payload and its problems."""

import dataclasses
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

import strawberry
from graphql import GraphQLField
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import get_object_definition
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry.types.union import StrawberryUnion

from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.descriptions import described
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.metadata import metadata_of
from app.kit import errors

T = TypeVar("T", bound=type)

MAX_PATH: Final = 6
"""How many names and positions a path has."""

_FAILURE: Final = "__failure__"
"""Where a problem type keeps the exception that it describes."""
_PROBLEMS: Final = "problems"
"""Where the metadata of a mutation keeps its problem types, by the exceptions that they describe."""

Kinds = Mapping[type[errors.Problem], type]


@strawberry.enum
class ProblemCode(Enum):
    """The type of a problem, for programs: one code for each type. More may be added."""


def _code(root: "Problem") -> str:
    return code_of(type(root))


@strawberry.interface
class Problem:
    """An expected failure. Nothing has changed."""

    message: str = strawberry.field(description="What went wrong, in English, for people to read.")
    code: ProblemCode = from_parent(_code, graphql_type=ProblemCode, description="The type of the problem.")
    path: list[str] | None = strawberry.field(
        metadata=holds(MAX_PATH),
        description="The input field that the problem is about, from the argument down, as named in the schema, such as"
        f' `["input", "articles", "0", "url"]`; positions in lists count from 0. At most {MAX_PATH} items. Null if the'
        " problem is not about one field.",
    )


def code_of(problem: type) -> str:
    """The code of a problem type: InsufficientFunds has INSUFFICIENT_FUNDS."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", problem.__name__).upper()


def problem_type(exception: type[errors.Problem]) -> Callable[[T], T]:
    """Declares the Strawberry type that describes an expected failure; its fields are the exception's attributes."""

    def declare(cls: T) -> T:
        declared = strawberry.type(cls)
        setattr(declared, _FAILURE, exception)
        return declared

    return declare


def kinds_of(problems: Iterable[type]) -> Kinds:
    """These problem types, by the exceptions that they describe."""
    return {getattr(problem, _FAILURE): problem for problem in problems}


def mutation(
    payload: type, *problems: type, metadata: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A mutation field. The failures of its problem types are returned as members of its union, others as errors.

    The union is named after the payload: TransferPayload is a member of TransferResult.
    """
    name = payload.__name__.removesuffix("Payload") + "Result"
    kinds = kinds_of(problems)
    union = StrawberryUnion(
        name=name,
        type_annotations=tuple(StrawberryAnnotation(member) for member in (payload, *kinds.values())),
        description=f"What `{name[0].lower()}{name[1:].removesuffix('Result')}` returns.",
    )

    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        return strawberry.mutation(
            resolver=resolver, graphql_type=union, metadata={**(metadata or {}), _PROBLEMS: kinds}
        )

    return declare


def problems_of(field: GraphQLField) -> Kinds:
    """The problem types of a mutation, by the exceptions that they describe."""
    kinds: Kinds = metadata_of(field).get(_PROBLEMS, {})
    return kinds


def declare_codes(mutations: Iterable[type]) -> None:
    """Gives ProblemCode a value for each problem type that these classes of mutations name, in alphabetical order."""
    codes = {code_of(problem): described(problem) for problem in _problems_in(mutations)}
    definition: StrawberryEnumDefinition = vars(ProblemCode)["__strawberry_definition__"]
    definition.values = [EnumValue(name=code, value=code, description=codes[code]) for code in sorted(codes)]


def _problems_in(mutations: Iterable[type]) -> Iterator[type]:
    for part in mutations:
        for field in get_object_definition(part, strict=True).fields:
            yield from field.metadata.get(_PROBLEMS, {}).values()


def description_of(problem: errors.Problem, kinds: Kinds, type_name: Callable[[type], str]) -> Any:
    """A failure as data, of the nearest of these types. `type_name` names a kind of objects in the graph."""
    # graphql-core treats an exception that a resolver returns as one that it raised, hence the copy.
    kind = next(kinds[base] for base in type(problem).__mro__ if base in kinds)
    converted: dict[str, Any] = {"path": None if problem.path is None else list(problem.path)}
    if isinstance(problem, errors.NotFound):
        converted["type_name"] = type_name(problem.kind)
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    return kind(**{name: converted[name] if name in converted else getattr(problem, name) for name in names})


@strawberry.type
class InvalidField:
    """An input field whose value cannot be accepted."""

    path: list[str] = strawberry.field(
        metadata=holds(MAX_PATH),
        description=f"The field, from the argument down, as in `Problem.path`. At most {MAX_PATH} items.",
    )
    message: str = strawberry.field(description="What is wrong with the value, as a sentence.")


@problem_type(errors.InvalidInput)
class InvalidInput(Problem):
    """One or more input fields have values that cannot be accepted. `message` and `path` are those of the first."""

    fields: list[InvalidField] = strawberry.field(
        metadata=holds(errors.MAX_INVALID_FIELDS),
        description=f"All fields that are wrong; of more than {errors.MAX_INVALID_FIELDS}, the first.",
    )


@problem_type(errors.NotFound)
class NotFound(Problem):
    """There is no object with this ID, or it is not the viewer's."""

    type_name: str = strawberry.field(description="The name of the type that the object would have, such as `Alert`.")


@problem_type(errors.RateLimited)
class RateLimited(Problem):
    """Too many attempts."""

    retry_after_ms: Milliseconds = strawberry.field(description="The time to wait, in milliseconds.")


@problem_type(errors.IdempotencyKeyReused)
class IdempotencyKeyReused(Problem):
    """This idempotency key was used before with another input."""


@problem_type(errors.ResultDeleted)
class ResultDeleted(Problem):
    """This idempotency key was used before, and what was created with it has been deleted since."""
