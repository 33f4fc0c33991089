"""Operations, the contexts they are executed in, and responses."""

from collections.abc import Hashable, Sequence
from enum import Enum
from typing import Any, Protocol, Self
from uuid import UUID

import msgspec
from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from app.engine.declarations.cursors import Cursors
from app.engine.execution.breadth_first import Selection
from app.engine.execution.failures import describe
from app.engine.execution.reach import Reach
from app.engine.execution.subscription_key import SubscriptionKey
from app.kit.loaders import Audience
from app.kit.reads import Reads


class RequestContext(Protocol):
    """What the engine needs of the context of resolvers."""

    @property
    def reads(self) -> Reads:
        """The loads of this operation or event. The engine closes them."""
        ...

    @property
    def cursors(self) -> Cursors:
        """Makes and reads the cursors of lists."""
        ...

    @property
    def request_id(self) -> str:
        """The ID that a masked error contains."""
        ...

    @property
    def viewer_id(self) -> UUID | None:
        """The user; null for an anonymous caller."""
        ...

    @property
    def party(self) -> Hashable:
        """Who queues for the database; None for work that is not done for one caller."""
        ...

    async def read_anew(self) -> None:
        """Ends the loads, with the connection that they may hold. Later loads read again."""
        ...

    def audience_key(self, audience: Audience) -> Hashable:
        """Equal for callers who belong to one audience and may share executions."""
        ...

    def for_event(self, audience: Audience) -> "RequestContext":
        """The context of an event for this audience of the caller; an anonymous caller's for the public one."""
        ...


class NotOpened(Exception):
    """The caller may not follow the stream. `errors` are in the form that a client sees."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("not opened")
        self.errors = errors


class ExecutionPath(Enum):
    """How a query, or an event of a subscription, is executed."""

    BREADTH_FIRST = "breadth_first"
    """Level by level, as planned."""
    FELL_BACK = "fell_back"
    """As planned until an unusual case or an expected failure, and then again by graphql-core."""
    FAILED = "failed"
    """As planned until an unexpected failure, and then again by graphql-core."""
    UNPLANNED = "unplanned"
    """By graphql-core alone, since the operation cannot be planned."""


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """An operation that passed every check and may be executed once."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: VariableValues
    cost: int
    reach: Reach
    plans: list[Selection | None] | None = None
    """Stores the operation's plan once it is made; None if the plan depends on variables."""
    key: SubscriptionKey | None = None
    """The key of a subscription to a declared stream."""
    is_introspection: bool = False
    """Whether it reads the schema and nothing else."""
    stays_open: bool = False
    """Whether it is executed for everybody, also during maintenance."""
    document: str = ""
    """The SHA-256 of the document, in hexadecimal, for the log."""

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation

    @property
    def name(self) -> str | None:
        """The operation's name in the document; null for an anonymous one."""
        return self.operation.name.value if self.operation.name else None


class Response(msgspec.Struct, frozen=True):
    """A GraphQL response. Errors are in the form a client sees."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    extensions: dict[str, Any]
    executed: bool
    """False: the request was refused before execution; `data` is then absent."""
    statements: int = 0
    """SQL statements that ran for it."""

    def body(self) -> dict[str, Any]:
        """The response to encode. It has no `errors` if there are none, and no `data` if it was not executed."""
        body: dict[str, Any] = {}
        if self.errors:
            body["errors"] = self.errors
        if self.executed:
            body["data"] = self.data
        if self.extensions:
            body["extensions"] = self.extensions
        return body

    @classmethod
    def refused(cls, errors: Sequence[GraphQLError], request_id: str) -> Self:
        """The response to a request that is not executed, with the errors that `prepare` returned."""
        return cls(None, describe(errors, request_id, executed=False), {}, executed=False)

    @property
    def codes(self) -> list[str]:
        """`extensions.code` of each error."""
        return [error["extensions"]["code"] for error in self.errors]
