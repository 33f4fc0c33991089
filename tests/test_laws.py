"""The laws of ARCHITECTURE.md that import-linter cannot state."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import ROOT, name_of, sources, tracked, tree_of

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 70
MAX_SQL_CHARS = 120
MIRRORED = ("dev", "domains", "engine", "kit", "schema", "transport")
"""The packages of app whose tests lie in folders of the same names."""
# What a rule may not reach: I/O, tasks, clocks and chance.
IMPURE = {
    "aiohttp",
    "asyncio",
    "asyncpg",
    "httpx",
    "multiprocessing",
    "os",
    "random",
    "redis",
    "secrets",
    "socket",
    "ssl",
    "structlog",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
    "uuid",
}
PURE_KIT = {
    "app.kit.crypto.passwords",
    "app.kit.errors",
    "app.kit.json_values",
    "app.kit.mail",
    "app.kit.names",
    "app.kit.text",
}
"""What rules use of kit: errors, the record of a message, and functions of text and of bytes."""
CLOCKS = {"now", "today", "utcnow", "uuid1", "uuid4", "default_rng"}
READS_DATA = {
    "app/domains/market/news/rules/mentions.py",
    "app/domains/market/news/rules/sentiment.py",
    "app/domains/market/tokens/rules/listing.py",
}
"""Rules that read a file of the package: their data, which changes with a release only."""
TRANSPORT_KNOWS = {
    "app.domains.accounts.model",
    "app.domains.tenancy.tenants.model",
    "app.domains.tenancy.api_keys.model",
}
"""The records of authentication: who is logged in, their tokens, the stream of ended sessions; who acts in a tenant,
and how often a key has called.
"""


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a tree imports, and the names that it imports from them, which may be modules."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(str(module), names, 0):
                yield from (f"{module}.{each.name}" for each in names)


def within(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def is_rule(path: Path) -> bool:
    return "rules" in {path.stem, *path.relative_to(ROOT).parts}


def impurities(tree: ast.AST, *, reads_data: bool) -> list[str]:
    found = [name for name in imported(tree) if within(name, IMPURE - {"uuid"})]
    found += [name for name in imported(tree) if within(name, {"uuid"}) and name != "uuid.UUID"]
    found += [name for name in imported(tree) if within(name, {"app.kit"}) and not within(name, PURE_KIT)]
    if not reads_data:
        found += [name for name in imported(tree) if within(name, {"pathlib", "importlib.resources"})]
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(attr=called)) if called in CLOCKS:
                # A seeded generator is passed its seed.
                if called != "default_rng" or not node.args:
                    found.append(f"{called}()")
            case ast.Call(ast.Name("open")):
                found.append("open()")
            case ast.AsyncFunctionDef(name=name):
                found.append(f"async {name}")
    return found


def test_rules_are_pure() -> None:
    rules = [path for path in sources("app/domains", "app/engine") if is_rule(path)]
    assert len(rules) > 40
    found = {name_of(path): impurities(tree_of(path), reads_data=name_of(path) in READS_DATA) for path in rules}
    assert {path: impure for path, impure in found.items() if impure} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import asyncio",
        "from random import choice",
        "from uuid import uuid4",
        "from pathlib import Path",
        "from app.kit.db import Database",
        "from app.kit import db",
        "at = datetime.now(UTC)",
        "noise = np.random.default_rng()",
        "text = open('x')",
        "async def rule(): ...",
    ],
)
def test_an_impure_rule_is_found(code: str) -> None:
    assert impurities(ast.parse(code), reads_data=False)


def test_the_schema_reaches_no_rules() -> None:
    reached = {
        name_of(path): found
        for path in sources("app/schema")
        if (found := [name for name in imported(tree_of(path)) if re.match(r"app\.domains\.(\w+\.)*rules\b", name)])
    }
    assert reached == {}


def test_transport_knows_no_house() -> None:
    known = {
        name_of(path): found
        for path in sources("app/transport")
        if (
            found := [
                name
                for name in imported(tree_of(path))
                if within(name, {"app.domains", "app.schema"}) and not within(name, TRANSPORT_KNOWS)
            ]
        )
    }
    assert known == {}


def test_files_are_short() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in sources("app", "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = {
        f"{name_of(path)}:{node.name}": lines
        for path in sources("app", "tests", "bench")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_tests_mirror_the_packages_of_app() -> None:
    folders = {path.parent for part in MIRRORED for path in (ROOT / "tests" / part).rglob("test_*.py")}
    strays = [name_of(each) for each in folders if not (ROOT / "app" / each.relative_to(ROOT / "tests")).is_dir()]
    assert len(folders) > 30
    assert strays == []


def test_lines_of_sql_are_short() -> None:
    statements = tracked("app/*.sql")
    assert len(statements) > 30
    long = [
        f"{name_of(path)}:{number}"
        for path in statements
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_SQL_CHARS
    ]
    assert long == []
