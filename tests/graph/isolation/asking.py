"""Asking the whole graph with an ID or a key of something, wherever it takes one."""

import json
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from app.engine.execution.failures import describe
from app.engine.streams.model import EndReason, Transport
from app.main import HOUSES
from app.transport.runtime import AppRuntime, Caller
from tests.conftest import Execute
from tests.engine.support import NOBODY
from tests.factories import CLIENT
from tests.graph.fuzz.calls import Call
from tests.graph.fuzz.target import SDL, Deaf
from tests.graph.isolation.estates import Asker

HELD = "tenancy"
"""The house of tenants; those that know it have rows of tenants."""
OF_TENANTS = tuple(
    each
    for each in HOUSES
    if each.domain is not None and HELD in {each.domain.name, *(known.name for known in each.domain.knows)}
)
NODES = tuple(sorted(node.__name__ for house in OF_TENANTS for node in house.nodes))
"""The types of what belongs to tenants."""


@dataclass
class Walk:
    """Makes calls, and keeps what they cost."""

    execute: Execute
    runtime: AppRuntime
    asked: int = field(default=0)

    async def answer(self, call: Call, asker: Asker, secret: str) -> tuple[str, int]:
        """What is answered, as text in which `secret` is like any other, and the number of statements."""
        self.asked += 1
        if call.document.startswith("subscription"):
            errors = await self._opened(call, asker)
            return json.dumps(errors).replace(secret, "..."), 0
        response = await self.execute(call.document, call.variables, asker.viewer, tenancy=asker.tenancy)
        text = json.dumps([response.data if response.executed else None, response.errors], default=str)
        return text.replace(secret, "..."), response.statements

    async def _opened(self, call: Call, asker: Asker) -> Any:
        prepared = self.runtime.engine.prepare(call.document, None, call.variables, introspection_allowed=True)
        if isinstance(prepared, list):
            return describe(prepared, "isolation", executed=False)
        caller = Caller(asker.viewer, CLIENT, "isolation", from_browser=False, tenancy=asker.tenancy)
        context = self.runtime.new_context(caller)
        opened = await self.runtime.subscriptions.open(prepared, context, Deaf(), Transport.SSE, NOBODY)
        if isinstance(opened, list):
            return opened
        opened.close(EndReason.COMPLETED)
        return "opened"


def named_fields() -> set[str]:
    """The root fields that houses with rows of tenants add, as `Mutation.updateProject`."""
    found = set()
    for house in OF_TENANTS:
        for root in ("query", "mutation", "subscription"):
            for part in getattr(house, root):
                for each in part.__strawberry_definition__.fields:
                    name = each.graphql_name or "".join(
                        word.capitalize() if place else word for place, word in enumerate(each.python_name.split("_"))
                    )
                    found.add(f"{root.capitalize()}.{name}")
    return found


def lookups_of(types: tuple[str, ...]) -> set[str]:
    """What these types are looked up by beside IDs, as `ProjectBy.key`."""
    found = set()
    for kind in SDL.type_map.values():
        if not isinstance(kind, GraphQLObjectType):
            continue
        for each in kind.fields.values():
            by = get_named_type(each.args["by"].type) if "by" in each.args else None
            if isinstance(by, GraphQLInputObjectType) and get_named_type(each.type).name in types:
                keys = {name: get_named_type(key.type).name for name, key in by.fields.items()}
                found |= {f"{by.name}.{name}" for name, kind_of_key in keys.items() if kind_of_key != "ID"}
    return found
