"""What only Node can judge: the public HTTP audit, Relay's compiler, our examples, the page in a browser."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Moneta

WEB = ROOT / "web"
SKIPPED = 77


def node(script: str, *arguments: str) -> str:
    """Runs one of web/conformance; returns its output. Without Node the test is reported as skipped."""
    if shutil.which("node") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("Node 20+ and web/node_modules are needed: run `make web`")
    ended = subprocess.run(
        ["node", f"conformance/{script}", *arguments],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=dict(os.environ),
    )
    if ended.returncode == SKIPPED:
        pytest.skip(ended.stdout.strip())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_graphql_over_http_audit_has_no_error_and_no_warning(moneta: Moneta) -> None:
    print(node("audit.mjs", f"{moneta.url}/graphql"))


def test_relay_compiler_accepts_the_schema() -> None:
    node("relay.mjs", str(ROOT / "schema.graphql"))


def test_examples_are_valid() -> None:
    node("examples.mjs", str(ROOT / "schema.graphql"))


def test_the_page_works_in_a_browser(moneta: Moneta, tmp_path: Path) -> None:
    node("browser.mjs", moneta.url, "--screenshot", str(tmp_path / "ide.png"))
