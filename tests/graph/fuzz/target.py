"""The whole application in this process, on a world of its own, and what it may not answer."""

import dataclasses
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import (
    ArgumentNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    visit,
)
from starlette.types import ASGIApp

from app.domains.accounts.model import Client, Viewer
from app.engine.execution.failures import describe
from app.engine.streams.model import EndReason, Transport
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.main import Application, build_runtime
from app.transport.application import create_app
from app.transport.callers import TENANT_HEADER
from app.transport.runtime import AppRuntime, Caller
from app.transport.sockets import SocketEndpoint
from tests.engine.support import NOBODY, listening
from tests.factories import CLIENT
from tests.graph.fuzz.calls import Call
from tests.graph.transcripts import HERE
from tests.graph.world import TENANT, World

LIMITS = {"query_alias_limit": 1000, "query_depth_limit": 40, "query_token_limit": 100_000, "query_cost_limit": 10**9}
"""What is refused before execution does not test the resolver behind it."""
# As clients know it: Strawberry's own types do not say that an input takes exactly one field.
SDL = build_schema((HERE.parents[1] / "schema.graphql").read_text())
BROKEN = {"INTERNAL", "MAINTENANCE"}


@dataclass
class Target:
    """Asks, and keeps what was answered wrongly."""

    runtime: AppRuntime
    application: Application
    client: httpx.AsyncClient
    app: ASGIApp
    sockets: SocketEndpoint
    members: frozenset[str]
    """Who names the tenant of the world."""
    failures: list[str] = field(default_factory=list)
    executed: set[str] = field(default_factory=set)
    """Arguments and input fields that were given in what was executed, as `Query.token(by:)` or `TokenBy.symbol`."""
    codes: Counter[str] = field(default_factory=Counter)
    _noted: set[tuple[str, str]] = field(default_factory=set)

    async def ask(self, call: Call, name: str) -> dict[str, Any]:
        """Sends one call over HTTP as this person, and judges the answer."""
        if call.document.startswith("mutation"):
            # Attempts are counted in Redis: every call is the first.
            await self.application.redis.flushdb()
        content = json.dumps({"query": call.document, "variables": call.variables})
        headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
        if name != "anonymous":
            headers["authorization"] = f"Bearer {name}"
        if name in self.members:
            headers[TENANT_HEADER] = TENANT
        with listening() as log:
            response = await self.client.post("/graphql", content=content, headers=headers)
        body: dict[str, Any] = json.loads(response.content)
        self._judge(call, name, [error["extensions"]["code"] for error in body.get("errors", [])], log, response)
        if "data" in body:
            self._note(call)
        return body

    async def subscribe(self, call: Call, name: str) -> dict[str, Any]:
        """Opens a subscription, and closes it at once."""
        engine = self.runtime.engine
        with listening() as log:
            prepared = engine.prepare(call.document, None, call.variables, introspection_allowed=True)
            if isinstance(prepared, list):
                self.codes["refused"] += 1
                return {"errors": describe(prepared, "fuzz", executed=False)}
            viewer = await self.runtime.authenticate(name, CLIENT)
            tenancy = None if viewer is None else await self.runtime.tenancy_of(viewer, TENANT)
            caller = Caller(viewer, CLIENT, "fuzz", from_browser=False, tenancy=tenancy)
            opened = await self.runtime.subscriptions.open(
                prepared, self.runtime.new_context(caller), Deaf(), Transport.SSE, NOBODY
            )
        errors = opened if isinstance(opened, list) else []
        if not isinstance(opened, list):
            opened.close(EndReason.COMPLETED)
        self._judge(call, name, [error["extensions"]["code"] for error in errors], log, None)
        self._note(call)
        return {"errors": errors}

    def _note(self, call: Call) -> None:
        # The values of one leaf differ only in what other checks look at.
        if (call.coordinate, call.document) not in self._noted:
            self._noted.add((call.coordinate, call.document))
            self.executed |= given_in(SDL, call.document, call.variables)

    def _judge(  # each is of another type
        self, call: Call, name: str, codes: list[str], log: list[Any], response: httpx.Response | None
    ) -> None:
        self.codes.update(codes or ["answered"])
        status = 200 if response is None else response.status_code
        if status >= 500 or BROKEN & set(codes):
            sent = ascii(call.variables)
            causes = {repr(entry.get("exc_info") or entry.get("error") or entry["event"]) for entry in log}
            self.failures.append(f"{call.coordinate} as {name}: {status} {codes} {sent[:300]} {sorted(causes)}")


class Deaf:
    """Takes events and forgets them."""

    def deliver(self, deliveries: object) -> bool:
        return True

    def finish(self, errors: object) -> None:
        return None


@asynccontextmanager
async def open_target(application: Application, world: World) -> AsyncIterator[Target]:
    """The application; people are known by their name as a bearer token, whatever becomes of their sessions."""
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    settings = application.settings.model_copy(update=LIMITS)
    application = dataclasses.replace(application, settings=settings)

    async def authenticate(token: str, client: Client) -> Viewer | None:
        return world.viewers.get(token)

    runtime = dataclasses.replace(
        build_runtime(application, hub, ProcessRpc(application.redis)), authenticate=authenticate
    )
    sockets = SocketEndpoint(runtime)
    app = create_app(runtime, sockets=sockets)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    await hub.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="https://moneta.test") as client:
            yield Target(runtime, application, client, app, sockets, frozenset(world.tenancies))
    finally:
        runtime.subscriptions.stop()
        await hub.stop()


def given_in(schema: GraphQLSchema, document: str, variables: dict[str, Any]) -> set[str]:
    """The arguments and input fields that an operation gives."""
    recorder = _Recorder(TypeInfo(schema), variables)
    visit(parse(document), TypeInfoVisitor(recorder.types, recorder))
    return recorder.found


def all_arguments(schema: GraphQLSchema) -> set[str]:
    """Every argument of every field, and every input field."""
    found = set()
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLInputObjectType):
            found |= {f"{kind.name}.{name}" for name in kind.fields}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, each in kind.fields.items():
                found |= {f"{kind.name}.{name}({argument}:)" for argument in each.args}
    return found


class _Recorder(Visitor):
    def __init__(self, types: TypeInfo, variables: dict[str, Any]) -> None:
        super().__init__()
        self.types = types
        self.found: set[str] = set()
        self._variables = variables

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        parent = self.types.get_parent_type()
        definition = self.types.get_field_def()
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and definition is not None:
            name = next(name for name, each in parent.fields.items() if each is definition)
            self.found.add(f"{parent.name}.{name}({node.name.value}:)")
        if isinstance(node.value, VariableNode):
            self._look(self._variables.get(node.value.name.value), self.types.get_input_type())

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        kind = get_named_type(self.types.get_parent_input_type())
        if kind is not None:
            self.found.add(f"{kind.name}.{node.name.value}")

    def _look(self, value: Any, kind: GraphQLInputType | None) -> None:
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList) and isinstance(value, list):
            for each in value:
                self._look(each, inner.of_type)
        if isinstance(inner, GraphQLInputObjectType) and isinstance(value, dict):
            for name, below in value.items():
                self.found.add(f"{inner.name}.{name}")
                self._look(below, inner.fields[name].type)
