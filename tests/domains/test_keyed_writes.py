"""That nothing is awaited before a key is claimed is checked in the source: see kit/idempotency."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

DOMAINS = Path(__file__).parents[2] / "app" / "domains"
ONCE = {"once", "once_known", "once_prepared", "pay_once", "self._once"}


def functions() -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    """Every function that writes under a key, with the one that calls it, outermost first."""
    for path in sorted(DOMAINS.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.AsyncFunctionDef) and any(map(_is_once, ast.walk(function))):
                yield f"{path.parent.name}.{path.stem}.{function.name}", function


def _is_once(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ONCE


def _is_keyed(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"KeyedRequest", "KeyedRequest.of", "keyed_request"}


CALLERS = [pytest.param(function, id=name) for name, function in functions()]
MAKERS = [function for _, function in functions() if any(map(_is_keyed, ast.walk(function)))]


def test_there_are_as_many_as_mutations_with_a_key() -> None:
    # The four of portfolios have one in common, and so have the three of orders.
    assert len(MAKERS) == 24


@pytest.mark.parametrize("function", CALLERS)
def test_a_keyed_write_waits_for_nothing_before(function: ast.AsyncFunctionDef) -> None:
    """Up to the write, or to the function within that makes it, nothing is awaited and nothing may refuse."""
    for statement in function.body:
        if isinstance(statement, ast.AsyncFunctionDef):
            continue
        if any(map(_is_once, ast.walk(statement))) or "database.write" in ast.unparse(statement):
            return
        forbidden = (ast.Await, ast.Raise, ast.If, ast.Return, ast.AsyncWith)
        assert not any(isinstance(node, forbidden) for node in ast.walk(statement)), ast.unparse(statement)
    raise AssertionError("nothing is written")
