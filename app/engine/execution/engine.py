"""The engine: all transports prepare and execute operations with it.

`prepare` makes all checks that are possible before execution. `execute` executes a query or a mutation. A subscription
is opened by `open_stream`, and each of its events is executed by `answer_event`; `engine/streams` shares these
executions between equal subscribers. Nothing here depends on HTTP or sockets.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from functools import cached_property, partial
from typing import Any, Final, TypeVar, cast

import strawberry
import structlog
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import get_variable_values
from strawberry.execution import optimized_is_awaitable

from app.engine.declarations.limits import Limits
from app.engine.declarations.subscriptions import Opened
from app.engine.execution.breadth_first import Levels, Selection, is_expected, plan
from app.engine.execution.checks import Checks
from app.engine.execution.documents import Documents
from app.engine.execution.failures import (
    TimedOut,
    describe,
    forget_frames,
    is_repeatable,
    names_of,
    raise_unavailable,
    refuse,
)
from app.engine.execution.limits.text import check_variables
from app.engine.execution.operations import ExecutionPath, NotOpened, Prepared, RequestContext, Response
from app.kit.errors import Problem
from app.kit.snapshots import ResultPending, SnapshotMode
from app.kit.work import Work, working

T = TypeVar("T")

log = structlog.get_logger(__name__)

SMALL_BYTES: Final = 4096
"""A request up to this size is checked on the event loop: a thread would cost more."""

SMALL_DOCUMENT_CHARS: Final = 1000
"""The same for a document that is not cached. Parsing and validating it takes milliseconds."""

MAX_REPEATS: Final = 3
"""The maximum number of repeats of a request because of concurrent migrations."""


class Engine:
    """Executes operations on one schema."""

    def __init__(self, schema: strawberry.Schema, limits: Limits, *, show_statements: bool = False) -> None:
        """`show_statements` adds `extensions.statements`, for development."""
        self.limits = limits
        self._schema: GraphQLSchema = schema._schema
        self._print = schema.as_str
        self._documents = Documents(self._schema, limits)
        self._show_statements = show_statements
        self.paths = Counter[ExecutionPath]()
        """How queries and events were executed."""
        self.checks = Checks(limits.timeout_s)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema of graphql-core."""
        return self._schema

    @cached_property
    def sdl(self) -> str:
        """The schema in its own language. Printing it takes a while the first time."""
        return self._print() + "\n"

    def prepare(
        self,
        query: str,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        *,
        introspection_allowed: bool,
    ) -> Prepared | list[GraphQLError]:
        """Parses and validates a document, coerces its variables and computes its cost.

        Returns the operation, or all errors. If introspection is not allowed, errors contain no suggestions.
        """
        hide_suggestions = not introspection_allowed
        document = self._documents.get(query, hide_suggestions=hide_suggestions)
        if isinstance(document, list):
            return document
        if document.introspection is not None and not introspection_allowed:
            return [document.introspection]
        operation = document.operation(operation_name)
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
            forget_frames(values)
            return values
        cost = operation.cost(values.coerced, self.limits)
        if isinstance(cost, GraphQLError):
            return [cost]
        plans = operation.plans if not operation.node.variable_definitions else None
        return Prepared(
            operation=operation.node,
            fragments=operation.fragments,
            variables=values,
            cost=cost,
            reach=operation.reach,
            plans=plans,
            key=operation.key,
            is_introspection=operation.is_introspection,
            stays_open=operation.stays_open,
            document=document.digest,
        )

    async def prepare_fairly(
        self,
        query: str,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        *,
        introspection_allowed: bool,
        size_bytes: int,
        party: Callable[[], Hashable],
        wait: Callable[[Awaitable[Any]], Awaitable[Any]] | None = None,
    ) -> Prepared | list[GraphQLError]:
        """Calls `prepare`; for a request that takes long, in a thread, when it is the party's turn."""
        check = partial(self.prepare, query, operation_name, variables, introspection_allowed=introspection_allowed)
        takes_long = size_bytes > SMALL_BYTES + len(query) or (
            len(query) > SMALL_DOCUMENT_CHARS and self._documents.find(query) is None
        )
        if not takes_long:
            return check()
        checking = self.checks.run(party(), check)
        try:
            return await (checking if wait is None else wait(checking))
        except Problem as problem:
            return [refuse(problem)]

    async def execute(self, prepared: Prepared, context: RequestContext) -> Response:
        """Executes a query or a mutation, and closes the context's loads."""
        return await self._run(prepared, context, None)

    async def open_stream(self, prepared: Prepared, context: RequestContext) -> Opened:
        """Calls the resolver of a declared subscription as the caller, and closes the context's loads.

        Returns the stream to follow. Raises NotOpened with the errors; TimedOut or Unavailable if it may be retried.
        """
        with working(Work(context.party)):
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    opened = await self._repeated(context, partial(self._open, prepared, context))
            except TimeoutError as error:
                raise TimedOut from error
            finally:
                await _close(context)
        if isinstance(opened, ExecutionResult):
            errors = opened.errors or []
            raise_unavailable(errors)
            raise NotOpened(describe(errors, context.request_id, executed=True))
        return opened

    async def _open(self, prepared: Prepared, context: RequestContext) -> Opened | ExecutionResult:
        with _let_go(self._executor(prepared, context, None)) as executor:
            opened: Any = create_source_event_stream(executor)
            if optimized_is_awaitable(opened):
                opened = await opened
        assert isinstance(opened, Opened | ExecutionResult)
        return opened

    async def answer_event(self, prepared: Prepared, context: RequestContext, payload: object) -> Response:
        """Executes one event of a subscription, and closes the context's loads. Raises Unavailable: retry it."""
        return await self._run(prepared, context, payload)

    async def _run(self, prepared: Prepared, context: RequestContext, root: object) -> Response:
        with working(Work(context.party)) as work:
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    result = await self._outcome(prepared, context, root)
            except TimeoutError:
                result = ExecutionResult(None, [refuse(TimedOut(), prepared.operation)])
            finally:
                await _close(context)
        if prepared.kind is OperationType.SUBSCRIPTION:
            # An event is not lost while a server does not answer: it is executed later.
            raise_unavailable(result.errors or [])
        errors = describe(result.errors or [], context.request_id, executed=True)
        forget_frames(result.errors or [])
        return Response(result.data, errors, self._extensions(prepared, work), True, work.statements)

    async def _outcome(self, prepared: Prepared, context: RequestContext, root: object) -> ExecutionResult:
        is_mutation = prepared.kind is OperationType.MUTATION
        context.reads.is_repeated = not is_mutation
        # Also for an anonymous caller, since a mutation may log the caller in.
        if prepared.reach.is_scoped:
            context.reads.snapshot_mode = (
                SnapshotMode.PER_STATEMENT if is_mutation and prepared.reach.external else SnapshotMode.SINGLE
            )
        if prepared.is_introspection:
            return await self._introspect(prepared, context)
        answer = partial(self._answer, prepared, context, root)
        # The transactions of a mutation are repeated on their own.
        return await answer() if is_mutation else await self._repeated(context, answer)

    async def _introspect(self, prepared: Prepared, context: RequestContext) -> ExecutionResult:
        """Reads the schema in a thread, in turns: written out it is long, and the resolvers need no event loop."""

        def read() -> ExecutionResult:
            with _let_go(self._executor(prepared, context, None)) as executor:
                return cast(ExecutionResult, executor.execute_operation())

        self.paths[ExecutionPath.UNPLANNED] += 1
        try:
            return await self.checks.run(context.party, read)
        except Problem as problem:
            return ExecutionResult(None, [refuse(problem, prepared.operation)])

    async def _repeated(
        self, context: RequestContext, attempt: Callable[[], Awaitable[T | ExecutionResult]]
    ) -> T | ExecutionResult:
        """Repeats `attempt` after external results were made, and after a concurrent migration.

        External results are not waited for while a connection is held. All that are pending at once are made in one
        round, so there are at most as many rounds as the document has levels. Rounds and repeats have separate limits.
        """
        rounds = repeats = 0
        while True:
            outcome = await attempt()
            if not isinstance(outcome, ExecutionResult) or not outcome.errors:
                return outcome
            await context.read_anew()
            if await context.reads.make_pending():
                rounds += 1
            elif is_repeatable(outcome.errors):
                repeats += 1
            else:
                return outcome
            if rounds > self.limits.depth or repeats > MAX_REPEATS:
                return outcome
            forget_frames(outcome.errors)

    async def _answer(self, prepared: Prepared, context: RequestContext, root: object) -> ExecutionResult:
        executor = self._executor(prepared, context, root)
        # The fields of a mutation are executed one after another, not as a level.
        if prepared.kind is not OperationType.MUTATION and (selection := self._plan(prepared, executor)) is not None:
            # On any failure graphql-core executes the query, from the loads already made, with exact errors.
            try:
                with _let_go(executor):
                    data = await Levels(executor, context).answer(selection, root)
            except ResultPending as due:
                forget_frames([due])
                return ExecutionResult(None, [refuse(due, prepared.operation)])
            except Exception as error:
                self._fall_back(prepared, error)
                forget_frames([error])
            else:
                self.paths[ExecutionPath.BREADTH_FIRST] += 1
                return ExecutionResult(data, None)
            executor = self._executor(prepared, context, root)
        elif prepared.kind is not OperationType.MUTATION:
            self.paths[ExecutionPath.UNPLANNED] += 1
        with _let_go(executor):
            outcome: Any = executor.execute_operation()
            result: ExecutionResult = await outcome if optimized_is_awaitable(outcome) else outcome
            return result

    def _fall_back(self, prepared: Prepared, error: Exception) -> None:
        entry = log.bind(document=prepared.document, operation=prepared.name, errors=names_of(error))
        if is_expected(error):
            self.paths[ExecutionPath.FELL_BACK] += 1
            entry.info("engine.fell_back")
        else:
            self.paths[ExecutionPath.FAILED] += 1
            # A resolver fails again in graphql-core: its error is logged there, once, with the traceback.
            entry.warning("engine.plan_failed")

    def _plan(self, prepared: Prepared, executor: "Executor[Any]") -> Selection | None:
        if prepared.plans is None:
            return plan(executor)
        if not prepared.plans:
            prepared.plans.append(plan(executor))
        return prepared.plans[0]

    def _executor(self, prepared: Prepared, context: RequestContext, root: object) -> "Executor[Any]":
        # A new one for each event: a copy would share its cache of subfields, which grows with every event.
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
        # `used` equals `requested`: a page shorter than `first` reduces nothing.
        cost = {"requested": prepared.cost, "used": prepared.cost, "remaining": self.limits.cost - prepared.cost}
        return {"cost": cost, "statements": work.statements} if self._show_statements else {"cost": cost}


@contextlib.contextmanager
def _let_go(executor: "Executor[Any]") -> Iterator["Executor[Any]"]:
    """Removes the executor's cycle: it refers to its own methods, and would keep alive all that was read."""
    try:
        yield executor
    finally:
        del executor.async_helpers


async def _close(context: RequestContext) -> None:
    # The response is complete: a snapshot that cannot be ended does not change it.
    with contextlib.suppress(Problem):
        await context.reads.aclose()
