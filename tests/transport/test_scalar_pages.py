"""What the schema says is specified here is served here."""

from types import SimpleNamespace
from typing import Any

from graphql import GraphQLScalarType

from app.main import build_graph
from app.transport.scalar_pages import PATH, ScalarPage
from tests.transport.support import build, client_for


async def test_each_scalar_that_is_specified_here_has_a_section() -> None:
    schema = build_graph()._schema
    runtime: Any = SimpleNamespace(engine=SimpleNamespace(schema=schema))
    page = bytes((await ScalarPage(runtime).show(runtime)).body).decode()
    here = {
        each.name: (each.specified_by_url or "").removeprefix(f"{PATH}#")
        for each in schema.type_map.values()
        if isinstance(each, GraphQLScalarType) and (each.specified_by_url or "").startswith("/")
    }
    assert {"Decimal", "Milliseconds"} <= here.keys()
    assert {name: page.count(f'<section id="{anchor}"><h2>{name}</h2><p>') for name, anchor in here.items()} == (
        dict.fromkeys(here, 1)
    )
    assert page.count("<section") == len(here)


async def test_the_page_is_served_and_loads_nothing() -> None:
    response = await client_for(build()).get(PATH)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
