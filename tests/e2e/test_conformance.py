"""What only Node can judge: the public HTTP audit, Relay's compiler, our examples, the page in a browser."""

import json
from pathlib import Path

import pytest

from app.domains.accounts.rules.demo_credentials import PASSWORD
from tests.e2e.conftest import NODE_NEEDED, ROOT, WEB, Moneta, node

DIST = WEB / "dist"
VISIT_BYTES = 1_400_000
"""Of a page's scripts and styles; what it asks of the graph, and its fonts, come to it, up to 1.5 MB."""


def test_graphql_over_http_audit_has_no_error_and_no_warning(moneta: Moneta) -> None:
    print(node("conformance/audit.mjs", f"{moneta.url}/graphql"))


def test_relay_compiler_accepts_the_schema() -> None:
    node("conformance/relay.mjs", str(ROOT / "schema.graphql"))


def test_examples_are_valid() -> None:
    node("conformance/examples.mjs", str(ROOT / "schema.graphql"))


def test_the_page_works_in_a_browser(moneta: Moneta, tmp_path: Path) -> None:
    node("conformance/browser.mjs", moneta.url, "--screenshot", str(tmp_path / "ide.png"))


@pytest.mark.parametrize("suffix", [".br", ".gz"])
def test_what_the_page_loads_was_compressed_and_is_small(suffix: str) -> None:
    if not (DIST / "visit.json").is_file():
        pytest.skip(NODE_NEEDED)
    names = json.loads((DIST / "visit.json").read_text())
    assert {Path(name).suffix for name in names} == {".js", ".css", ".svg"}
    sizes = {name: (DIST / "assets" / name).stat().st_size for name in names}
    sent = {name: (DIST / "assets" / f"{name}{suffix}").stat().st_size for name in names if sizes[name] >= 1024}
    total = sum((sizes | sent).values())
    print(f"{total:,} bytes of {sum(sizes.values()):,}")
    assert total < VISIT_BYTES


def test_tokens_and_pages_from_elsewhere_are_met_as_clients_bring_them(moneta: Moneta) -> None:
    print(node("conformance/credentials.mjs", moneta.url, "bob@example.com", PASSWORD))


def test_the_helpers_for_sockets_pass_their_own_tests() -> None:
    node("--test", "tests/")
