"""The houses know only whom they say they know, and a further one is two folders and a line."""

import importlib
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import Any

import grimp
import pytest

from app import main
from app.adapters import PORTS
from app.domains.ledger.services import LedgerServices
from app.domains.market.services import CHAIN
from app.kit.house import House, build_houses, jobs_of
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.main import DOMAINS, Application
from app.schema.composition import GraphHouse, domains_of, nodes_of
from app.schema.root import build_schema
from app.transport.runtime import Caller
from tests.factories import CLIENT
from tests.statements import loaders_of_houses, modules_of_houses

DOMAIN = {
    "statements.py": """
import msgspec
from app.kit.sql import Query, Statements


class Greeting(msgspec.Struct, frozen=True):
    name: str
    text: str


class GreetingSql(Statements, file="greetings.sql"):
    greetings_by_names: Query[Greeting]
""",
    "greetings.sql": """
-- name: greetings_by_names
-- A greeting for each name.
SELECT k.name, 'Hello, ' || k.name || '!' AS text FROM unnest($1::text[]) AS k (name);
""".lstrip(),
    "loaders.py": """
from app.kit.loaders import Audience, one
from tiny_domain.statements import GreetingSql

greeting_by_name = one(GreetingSql.greetings_by_names, key="name", audience=Audience.PUBLIC)
""",
    "house.py": """
from dataclasses import dataclass
from app.domains.accounts.house import ACCOUNTS
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.services import LedgerServices
from app.domains.market.services import CHAIN
from app.kit.house import House, Wiring
from app.kit.jobs import Job
from tiny_domain import loaders


@dataclass(frozen=True)
class TinyServices:
    accounts: AccountsServices


warmed = []


async def _greet(payload):
    pass


TINY = House(
    name="tiny",
    build=lambda wiring: TinyServices(wiring.services[AccountsServices]),
    services=TinyServices,
    knows=(ACCOUNTS,),
    loaders=(loaders,),
    jobs=lambda services: [Job("tiny.greet", _greet)],
    warm_up=lambda: warmed.append("tiny"),
)
""",
}
SCHEMA = {
    "greetings.py": '''
from typing import Any
import strawberry
from app.engine.declarations.audience import computed_for
from app.engine.declarations.nodes import Node, node_type
from app.kit.loaders import Audience
from app.schema.context import Info
from tiny_domain import loaders


@node_type(by=loaders.greeting_by_name, parse=str)
class Greeting(Node):
    """A greeting."""

    text: str = strawberry.field(description="What is said.")


@strawberry.type
class GreetingQuery:
    """The queries of greetings."""

    @strawberry.field(graphql_type=Greeting | None, metadata=computed_for(Audience.PUBLIC))
    async def greeting(self, info: Info, name: str) -> Any:
        """A greeting by name."""
        return await info.context.reads.one(loaders.greeting_by_name, name)
''',
    "house.py": """
from app.schema.composition import GraphHouse
from tiny_domain.house import TINY as DOMAIN
from tiny_schema.greetings import Greeting, GreetingQuery

TINY = GraphHouse(domain=DOMAIN, query=(GreetingQuery,), nodes=(Greeting,))
""",
}


FOLDERS = {
    found: path.parent.name
    for path in sorted(Path(main.__file__).parent.glob("schema/*/house.py"))
    for found in vars(importlib.import_module(f"app.schema.{path.parent.name}.house")).values()
    if isinstance(found, GraphHouse)
}
"""The folder below `app/schema` of each house in the graph."""

ROOMS = ("jobs", "services", "loaders", "statements", "rules", "model")
"""What a noun consists of: each imports only those after it."""


def known_by(house: House[Any]) -> set[str]:
    """The names of the houses that a house knows, and of itself."""
    return {house.name}.union(*(known_by(each) for each in house.knows))


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    # A reference for the type checker alone is how the graph's types are lazy.
    return grimp.build_graph("app", exclude_type_checking_imports=True)


def houses_imported(imports: grimp.ImportGraph, package: str) -> set[str]:
    """The houses that a package imports, whichever of their two folders."""
    modules = {package, *imports.find_descendants(package)}
    imported = {each for module in modules for each in imports.find_modules_directly_imported_by(module)}
    return {
        name
        for name in {*FOLDERS.values(), *(house.name for house in DOMAINS)}
        for each in imported
        if f"{each}.".startswith((f"app.domains.{name}.", f"app.schema.{name}."))
    }


@pytest.mark.parametrize("house", DOMAINS, ids=lambda house: house.name)
def test_a_house_imports_only_those_that_it_knows(house: House[Any], imports: grimp.ImportGraph) -> None:
    found = houses_imported(imports, f"app.domains.{house.name}")
    assert house.name in found
    assert found <= known_by(house)


@pytest.mark.parametrize("house", FOLDERS, ids=FOLDERS.get)
def test_a_house_in_the_graph_imports_only_those_that_it_knows(house: GraphHouse, imports: grimp.ImportGraph) -> None:
    name = FOLDERS[house]
    known = set() if house.domain is None else known_by(house.domain)
    found = houses_imported(imports, f"app.schema.{name}")
    assert name in found
    assert found <= known | {name}


def test_every_module_of_loaders_is_named_by_a_house() -> None:
    named = [module for house in DOMAINS for module in house.loaders]
    assert len(named) == len(set(named))
    assert set(named) == set(modules_of_houses("loaders"))


def test_two_node_types_of_one_name_are_rejected() -> None:
    nodes = next(house.nodes for house in main.HOUSES if house.nodes)
    with pytest.raises(ValueError, match=nodes[0].__name__):
        nodes_of([*main.HOUSES, GraphHouse(domain=None, nodes=nodes[:1])])


async def test_the_order_of_the_houses_does_not_matter_to_ports(application: Application) -> None:
    later = sorted(DOMAINS, key=lambda house: house.services is LedgerServices)
    assert later[-1].services is LedgerServices
    wiring = build_houses(later[:-1], application.wiring.resources, PORTS)
    chain = wiring.port(CHAIN)
    with pytest.raises(LookupError, match="LedgerServices"):
        await chain.position()
    wiring.services.add(later[-1].build(wiring))
    assert await chain.position() == 0


def nouns_of(imports: grimp.ImportGraph, house: House[Any]) -> list[str]:
    """The packages of a house that have records of their own: its nouns, or itself where it has one."""
    package = f"app.domains.{house.name}"
    return sorted(
        module.removesuffix(".model")
        for module in imports.find_descendants(package)
        if module.endswith(".model") and "rules" not in module
    )


@pytest.mark.parametrize("house", DOMAINS, ids=lambda house: house.name)
def test_rooms_import_only_those_below_them(house: House[Any], imports: grimp.ImportGraph) -> None:
    nouns = nouns_of(imports, house)
    assert nouns
    for noun in nouns:
        rooms = [f"{noun}.{room}" for room in ROOMS if f"{noun}.{room}" in imports.modules]
        upward = imports.find_illegal_dependencies_for_layers(rooms)
        assert upward == set()


@pytest.mark.parametrize("house", DOMAINS, ids=lambda house: house.name)
def test_nouns_import_one_another_in_one_direction(house: House[Any], imports: grimp.ImportGraph) -> None:
    within = {
        noun: {
            other
            for other in nouns_of(imports, house)
            if other != noun and imports.direct_import_exists(importer=noun, imported=other, as_packages=True)
        }
        for noun in nouns_of(imports, house)
    }
    TopologicalSorter(within).prepare()  # Raises CycleError.
    above = {f"app.domains.{house.name}.house", f"app.domains.{house.name}.services"} & imports.modules
    assert [
        (noun, module)
        for noun in within
        for module in above
        if not module.startswith(noun)
        and imports.direct_import_exists(importer=noun, imported=module, as_packages=True)
    ] == []


def test_every_house_has_its_two_folders() -> None:
    folders = {path.parent.name for path in Path(main.__file__).parent.glob("domains/*/house.py")}
    assert folders == {house.name for house in DOMAINS}
    assert set(FOLDERS) == set(main.HOUSES)
    assert {house: house.domain.name for house in main.HOUSES if house.domain} == {
        house: name for house, name in FOLDERS.items() if house.domain
    }


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphHouse]:
    """A further house in two packages of its own."""
    for package, files in (("tiny_domain", DOMAIN), ("tiny_schema", SCHEMA)):
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").touch()
        for name, text in files.items():
            (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    module: ModuleType = importlib.import_module("tiny_schema.house")
    houses = (*main.HOUSES, module.TINY)
    monkeypatch.setattr(main, "HOUSES", houses)
    monkeypatch.setattr(main, "DOMAINS", domains_of(houses))
    yield module.TINY
    for name in [name for name in sys.modules if name.partition(".")[0] in {"tiny_domain", "tiny_schema"}]:
        del sys.modules[name]


def test_a_house_is_warmed_up(tiny: GraphHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiny.domain is not None
    monkeypatch.setattr(main, "DOMAINS", (tiny.domain,))
    main.warm_up_houses()
    assert sys.modules["tiny_domain.house"].warmed == ["tiny"]


async def test_a_further_house_is_served_by_its_declaration(tiny: GraphHouse, application: Application) -> None:
    resources = application.wiring.resources
    wiring = build_houses(main.DOMAINS, resources, PORTS)
    assert tiny.domain is not None
    assert wiring.services[tiny.domain.services].accounts is not None
    assert "tiny.greet" in {job.name for job in jobs_of(main.DOMAINS, wiring.services)}
    served = Application(
        application.settings,
        application.database,
        application.redis,
        application.clock,
        application.events,
        application.mailer,
        wiring,
    )
    assert "tiny_domain.greeting_by_name" in loaders_of_houses()
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = main.build_runtime(served, hub, ProcessRpc(application.redis))
    query = '{ greeting(name: "Ada") { id text } chain { height } }'
    prepared = runtime.engine.prepare(query, None, None, introspection_allowed=True)
    assert not isinstance(prepared, list)
    caller = Caller(viewer=None, client=CLIENT, request_id="test", from_browser=False)
    response = await runtime.engine.execute(prepared, runtime.new_context(caller))
    assert response.errors == []
    assert response.data is not None
    assert response.data["greeting"]["text"] == "Hello, Ada!"
    node = f'{{ node(id: "{response.data["greeting"]["id"]}") {{ ... on Greeting {{ text }} }} }}'
    prepared = runtime.engine.prepare(node, None, None, introspection_allowed=True)
    assert not isinstance(prepared, list)
    found = await runtime.engine.execute(prepared, runtime.new_context(caller))
    assert found.data == {"node": {"text": "Hello, Ada!"}}
    assert "greeting" not in build_schema(main.HOUSES[:-1]).as_str()
