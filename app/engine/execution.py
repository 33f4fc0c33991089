"""From a document to responses: what every transport calls.

`prepare` checks everything that can be checked before execution; `execute` answers a query or a mutation once. A
subscription is opened by `open_stream` and answered once for each event by `answer_event`; `engine/streams` shares
that among equal subscribers. Nothing here knows HTTP or sockets.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import Any, Final, Protocol, Self
from uuid import UUID

import msgspec
import strawberry
from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution import optimized_is_awaitable

from app.engine.audience import Reach
from app.engine.breadth import Levels, Selection, plan
from app.engine.cursors import Cursors
from app.engine.documents import Documents, Operation
from app.engine.failures import TimedOut, describe, forget_frames, is_repeatable, raise_unavailable, refuse
from app.engine.limits import Limits
from app.engine.limits.text import check_variables
from app.engine.streams.declaring import Opened
from app.engine.streams.sharing import Shape
from app.kit.errors import Problem
from app.kit.loading import Audience, Reads
from app.kit.moments import Moments
from app.kit.work import Work, working

SMALL_BYTES: Final = 4096
"""A request up to this size is checked on the event loop: a thread would cost more."""

SMALL_DOCUMENT_CHARS: Final = 1000
"""The same of a document that was not seen before; each takes milliseconds."""

MAX_REPEATS: Final = 3


class RequestContext(Protocol):
    """What the engine needs of the context that resolvers get."""

    @property
    def reads(self) -> Reads:
        """The loads of this operation or event; the engine closes them."""
        ...

    @property
    def cursors(self) -> Cursors:
        """Makes and reads the cursors of lists."""
        ...

    @property
    def request_id(self) -> str:
        """Said to the client beside a masked error."""
        ...

    @property
    def viewer_id(self) -> UUID | None:
        """Who calls; null for an anonymous caller."""
        ...

    @property
    def party(self) -> Hashable:
        """Who queues for the database; None for what is done for everybody."""
        ...

    async def read_anew(self) -> None:
        """Ends the loads, with the connection that they may hold; whatever is read from here on is read again."""
        ...

    def audience_key(self, audience: Audience) -> Hashable:
        """Equal for callers who are one audience: they may share what is executed for it."""
        ...

    def for_event(self, audience: Audience) -> "RequestContext":
        """Fresh loads on behalf of an audience that the caller belongs to: nobody's for a public one."""
        ...


class NotOpened(Exception):
    """A stream may not be followed; `errors` say why, in the form that a client sees."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("not opened")
        self.errors = errors


class Course(Enum):
    """How a query, or an event of a subscription, is answered."""

    BREADTH_FIRST = "breadth_first"
    """Level by level, as planned: the fast way."""
    FELL_BACK = "fell_back"
    """As planned until something unusual happened, and then again by graphql-core."""
    UNPLANNED = "unplanned"
    """By graphql-core, since something unusual is asked for."""


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """An operation that passed every check and may be executed once."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: VariableValues
    cost: int
    reach: Reach
    plans: list[Selection | None] | None = None
    """Where the operation's plan is kept once it is made; None where it depends on variables."""
    shape: Shape | None = None
    """Of a subscription to a declared stream."""

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
        """The response as it is encoded: no `errors` without an error, no `data` without an execution."""
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
        """The response to a request that is not executed: what `prepare` gave in place of an operation."""
        return cls(None, describe(errors, request_id, executed=False), {}, executed=False)

    @property
    def codes(self) -> list[str]:
        """`extensions.code` of each error."""
        return [error["extensions"]["code"] for error in self.errors]


class Engine:
    """Executes operations on one schema."""

    def __init__(self, schema: strawberry.Schema, limits: Limits, *, show_statements: bool = False) -> None:
        """`show_statements` adds `extensions.statements`, for development."""
        self.limits = limits
        self._schema: GraphQLSchema = schema._schema
        self._documents = Documents(self._schema, limits)
        self._show_statements = show_statements
        self.courses = Counter[Course]()
        """How queries and events were answered."""
        # One: however many large requests come, the event loop shares its time with one of them.
        self._checking = ThreadPoolExecutor(1, thread_name_prefix="checking")

    @property
    def schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def prepare(
        self,
        query: str,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        *,
        introspection_allowed: bool,
    ) -> Prepared | list[GraphQLError]:
        """Parses, validates, coerces and weighs. Gives the operation, or every reason to refuse it.

        Callers who may not introspect get no suggestions in errors either.
        """
        hide_suggestions = not introspection_allowed
        document = self._documents.get(query, hide_suggestions=hide_suggestions)
        if isinstance(document, list):
            return document
        if document.introspection is not None and not introspection_allowed:
            return [document.introspection]
        operation = _choose(document.operations, operation_name)
        if isinstance(operation, GraphQLError):
            return [operation]
        if refusal := check_variables(variables or {}):
            return [refusal]
        values = get_variable_values(
            self._schema,
            operation.node.variable_definitions or (),
            variables or {},
            max_errors=20,
            hide_suggestions=hide_suggestions,
        )
        if isinstance(values, list):
            return values
        cost = operation.cost(values.coerced, self.limits)
        if isinstance(cost, GraphQLError):
            return [cost]
        plans = operation.plans if not operation.node.variable_definitions else None
        return Prepared(operation.node, operation.fragments, values, cost, operation.reach, plans, operation.shape)

    async def prepare_fairly(
        self,
        query: str,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        *,
        introspection_allowed: bool,
        size_bytes: int,
    ) -> Prepared | list[GraphQLError]:
        """What `prepare` gives; a request of this size is checked in a thread where the others would wait for it."""
        large = size_bytes > SMALL_BYTES + len(query) or (
            len(query) > SMALL_DOCUMENT_CHARS and self._documents.find(query) is None
        )
        check = partial(self.prepare, query, operation_name, variables, introspection_allowed=introspection_allowed)
        return await asyncio.get_running_loop().run_in_executor(self._checking, check) if large else check()

    async def execute(self, prepared: Prepared, context: RequestContext) -> Response:
        """Answers a query or a mutation, and closes the context's loads."""
        return await self._run(prepared, context, None)

    async def open_stream(self, prepared: Prepared, context: RequestContext) -> Opened:
        """Asks a declared subscription's field, as the caller, which stream to follow; closes the context's loads.

        Raises NotOpened with the reasons; TimedOut or Unavailable: ask again.
        """
        with working(Work(context.party)):
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    with _let_go(self._executor(prepared, context, None)) as executor:
                        opened: Any = create_source_event_stream(executor)
                        if optimized_is_awaitable(opened):
                            opened = await opened
            except TimeoutError as error:
                raise TimedOut from error
            finally:
                await _close(context)
        if isinstance(opened, ExecutionResult):
            errors = opened.errors or []
            raise_unavailable(errors)
            raise NotOpened(describe(errors, context.request_id, executed=True))
        assert isinstance(opened, Opened)
        return opened

    async def answer_event(self, prepared: Prepared, context: RequestContext, payload: object) -> Response:
        """Answers one event of a subscription, and closes the context's loads. Raises Unavailable: ask again."""
        return await self._run(prepared, context, payload)

    async def _run(self, prepared: Prepared, context: RequestContext, root: object) -> Response:
        with working(Work(context.party)) as work:
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    result = await self._repeated(prepared, context, root)
            except TimeoutError:
                result = ExecutionResult(None, [refuse(TimedOut(), prepared.operation)])
            finally:
                await _close(context)
        if prepared.kind is OperationType.SUBSCRIPTION:
            # An event is not lost because a server is down: it is answered later.
            raise_unavailable(result.errors or [])
        errors = describe(result.errors or [], context.request_id, executed=True)
        forget_frames(result.errors or [])
        return Response(result.data, errors, self._extensions(prepared, work), True, work.statements)

    async def _repeated(self, prepared: Prepared, context: RequestContext, root: object) -> ExecutionResult:
        """The outcome, for which a query or an event is answered again where that is called for.

        That is where others had to make something first, which is not waited for with a connection held, and where a
        migration came between. What a mutation writes is repeated by itself.
        """
        is_mutation = prepared.kind is OperationType.MUTATION
        if context.viewer_id is not None and prepared.reach.is_scoped:
            context.reads.moments = Moments.MANY if is_mutation and prepared.reach.outside else Moments.ONE
        result = await self._answer(prepared, context, root)
        for _ in range(0 if is_mutation else MAX_REPEATS):
            if not result.errors:
                break
            await context.read_anew()
            if not await context.reads.make_due() and not is_repeatable(result.errors):
                break
            forget_frames(result.errors)
            result = await self._answer(prepared, context, root)
        return result

    async def _answer(self, prepared: Prepared, context: RequestContext, root: object) -> ExecutionResult:
        executor = self._executor(prepared, context, root)
        # A mutation's fields take turns: they are no level.
        if prepared.kind is not OperationType.MUTATION and (selection := self._plan(prepared, executor)) is not None:
            # Whatever fails is answered by graphql-core, from the loads already made, with errors to the letter.
            try:
                with _let_go(executor):
                    data = await Levels(executor, context).answer(selection, root)
            except Exception as error:
                forget_frames([error])
                self.courses[Course.FELL_BACK] += 1
            else:
                self.courses[Course.BREADTH_FIRST] += 1
                return ExecutionResult(data, None)
            executor = self._executor(prepared, context, root)
        elif prepared.kind is not OperationType.MUTATION:
            self.courses[Course.UNPLANNED] += 1
        with _let_go(executor):
            outcome: Any = executor.execute_operation()
            result: ExecutionResult = await outcome if optimized_is_awaitable(outcome) else outcome
            return result

    def _plan(self, prepared: Prepared, executor: "Executor[Any]") -> Selection | None:
        if prepared.plans is None:
            return plan(executor)
        if not prepared.plans:
            prepared.plans.append(plan(executor))
        return prepared.plans[0]

    def _executor(self, prepared: Prepared, context: RequestContext, root: object) -> "Executor[Any]":
        # One for each event: a copy would share its cache of subfields, which grows with every event.
        return Executor(
            schema=self._schema,
            fragment_definitions=prepared.fragments,
            fragments={name: FragmentDetails(node, None) for name, node in prepared.fragments.items()},
            root_value=root,
            context_value=context,
            operation=prepared.operation,
            variable_values=prepared.variables,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it returns a bool, not a TypeGuard
        )

    def _extensions(self, prepared: Prepared, work: Work) -> dict[str, Any]:
        # `used` is what was asked for: pages that turn out shorter than `first` are not given back.
        cost = {"requested": prepared.cost, "used": prepared.cost, "remaining": self.limits.cost - prepared.cost}
        return {"cost": cost, "statements": work.statements} if self._show_statements else {"cost": cost}


def _choose(operations: Sequence[Operation], name: str | None) -> Operation | GraphQLError:
    if name is None:
        if len(operations) == 1:
            return operations[0]
        return GraphQLError("The document has several operations: say which in `operationName`.")
    for operation in operations:
        if operation.name == name:
            return operation
    return GraphQLError("The document has no operation of the name in `operationName`.")


@contextlib.contextmanager
def _let_go(executor: "Executor[Any]") -> Iterator["Executor[Any]"]:
    """Ends the cycle that an executor is: it holds methods of its own, and with itself it holds all that was read."""
    try:
        yield executor
    finally:
        del executor.async_helpers


async def _close(context: RequestContext) -> None:
    # What was read is read: a snapshot that cannot be ended any more takes nothing from the response.
    with contextlib.suppress(Problem):
        await context.reads.aclose()
