"""`/docs/scalars`: the form of each scalar of the graph, to which the schema refers with `@specifiedBy`."""

from html import escape
from typing import Final

from graphql import GraphQLScalarType
from starlette.requests import Request
from starlette.responses import Response

from app.transport.html import page
from app.transport.runtime import AppRuntime

PATH: Final = "/docs/scalars"
_SECTION: Final = '<section id="{name}"><h2>{name}</h2><p>{text}</p></section>'


class ScalarPage:
    """A section for each scalar that is specified here, under its name."""

    def __init__(self, runtime: AppRuntime) -> None:
        scalars = [kind for kind in runtime.engine.schema.type_map.values() if isinstance(kind, GraphQLScalarType)]
        self._html = "<h1>Scalars</h1>" + "".join(
            _SECTION.format(name=each.name, text=escape(each.description or ""))
            for each in sorted(scalars, key=lambda each: each.name)
            if (each.specified_by_url or "").startswith(f"{PATH}#")
        )

    async def show(self, _: Request) -> Response:
        """The page."""
        return page("Scalars · Moneta", self._html)
