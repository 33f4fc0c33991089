"""That nothing is asked before a key is claimed is a matter of form: see kit/idempotency."""

import ast
from pathlib import Path

import pytest

DOMAINS = Path(__file__).parents[2] / "app" / "domains"
ONCE = {"once", "once_prepared"}
CALLERS = [
    pytest.param(function, id=f"{path.stem}.{function.name}")
    for path in sorted(DOMAINS.rglob("*.py"))
    for function in ast.walk(ast.parse(path.read_text()))
    if isinstance(function, ast.AsyncFunctionDef)
    and any(isinstance(node, ast.Call) and ast.unparse(node.func) in ONCE for node in ast.walk(function))
]


def test_there_are_as_many_as_mutations_with_a_key() -> None:
    assert len(CALLERS) == 8


@pytest.mark.parametrize("function", CALLERS)
def test_whoever_writes_under_a_key_waits_for_nothing_before(function: ast.AsyncFunctionDef) -> None:
    *before, last = function.body
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Await)
    assert isinstance(last.value.value, ast.Call)
    assert ast.unparse(last.value.value.func) in ONCE
    for statement in before:
        if not isinstance(statement, ast.AsyncFunctionDef):
            forbidden = (ast.Await, ast.Raise, ast.If, ast.Return, ast.AsyncWith)
            assert not any(isinstance(node, forbidden) for node in ast.walk(statement)), ast.unparse(statement)
