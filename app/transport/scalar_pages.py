"""`/docs/scalars`: the form of each scalar of the graph, to which the schema refers with `@specifiedBy`."""

from html import escape
from typing import Final

from graphql import GraphQLScalarType
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.transport.runtime import AppRuntime

PATH: Final = "/docs/scalars"
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Scalars of Moneta</title><main><h1>Scalars of Moneta</h1>{sections}</main></html>"
)
_SECTION: Final = '<section id="{name}"><h2>{name}</h2><p>{text}</p></section>'


class ScalarPage:
    """A section for each scalar that is specified here, under its name."""

    def __init__(self, runtime: AppRuntime) -> None:
        scalars = [kind for kind in runtime.engine.schema.type_map.values() if isinstance(kind, GraphQLScalarType)]
        self._html = _PAGE.format(
            sections="".join(
                _SECTION.format(name=each.name, text=escape(each.description or ""))
                for each in sorted(scalars, key=lambda each: each.name)
                if (each.specified_by_url or "").startswith(f"{PATH}#")
            )
        )

    async def show(self, _: Request) -> Response:
        """The page."""
        return HTMLResponse(self._html, headers={"content-security-policy": "default-src 'none'"})
