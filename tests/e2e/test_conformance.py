"""What only Node can judge: the public HTTP audit, Relay's compiler, our examples, the page in a browser."""

from pathlib import Path

from tests.e2e.conftest import ROOT, Moneta, node


def test_graphql_over_http_audit_has_no_error_and_no_warning(moneta: Moneta) -> None:
    print(node("conformance/audit.mjs", f"{moneta.url}/graphql"))


def test_relay_compiler_accepts_the_schema() -> None:
    node("conformance/relay.mjs", str(ROOT / "schema.graphql"))


def test_examples_are_valid() -> None:
    node("conformance/examples.mjs", str(ROOT / "schema.graphql"))


def test_the_page_works_in_a_browser(moneta: Moneta, tmp_path: Path) -> None:
    node("conformance/browser.mjs", moneta.url, "--screenshot", str(tmp_path / "ide.png"))


def test_the_helpers_for_sockets_pass_their_own_tests() -> None:
    node("--test", "tests/")
