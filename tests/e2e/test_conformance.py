"""What only Node can judge: the public HTTP audit, Relay's compiler, our examples, the page in a browser."""

import html
import itertools
import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from app.domains.accounts.rules.demo_credentials import PASSWORD
from tests.e2e.conftest import NODE_NEEDED, ROOT, WEB, Moneta, node
from tests.waiting import HANG_S

DIST = WEB / "dist"
VISIT_BYTES = 1_400_000
"""Of a page's scripts and styles; what it asks of the graph, and its fonts, come to it, up to 1.5 MB."""


def test_graphql_over_http_audit_has_no_error_and_no_warning(moneta: Moneta) -> None:
    print(node("conformance/audit.mjs", f"{moneta.url}/graphql"))


def test_relay_compiler_accepts_the_schema() -> None:
    node("conformance/relay.mjs", str(ROOT / "schema.graphql"))


def test_examples_are_valid() -> None:
    node("conformance/examples.mjs", str(ROOT / "schema.graphql"))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("03-wallet.graphql", "# Wallet: ", "# ", '03-wallet.graphql: the first line must be "# Group: Title"'),
        ("03-wallet.graphql", "#\n", "\n", "03-wallet.graphql: has no instructions"),
        ("03-wallet.graphql", "query MyWallet", "query", "03-wallet.graphql: must hold exactly one operation"),
        ("03-wallet.graphql", "MyWallet", "Welcome", "two examples are called Welcome"),
        ("03-wallet.graphql", "`viewer`", "`viewr`", "instructions: nothing is called viewr"),
        ("03-wallet.graphql", "balance\n", "blance\n", 'Cannot query field "blance"'),
        ("03-wallet.graphql", "`viewer`", "viewer" * 70, "more than 420"),
        ("04-transfer.json", "{{recipient}}", "{{recipent}}", "variables: {{recipent}}"),
        ("04-transfer.json", '"amount"', '"amuont"', 'Field "amuont" is not defined'),
    ],
)
def test_an_example_that_breaks_a_rule_is_found(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    examples = shutil.copytree(WEB / "examples", tmp_path / "examples")
    text = (examples / file).read_text()
    assert old in text
    (examples / file).write_text(text.replace(old, new, 1))
    with pytest.raises(AssertionError, match=re.escape(said)):
        node("conformance/examples.mjs", str(ROOT / "schema.graphql"), str(examples))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("browser", id="a path through the IDE"),
        pytest.param("follow", id="the examples as they say"),
        pytest.param("accounts", id="registration and a forgotten password"),
        pytest.param("access", id="axe, two widths, light and dark, the keyboard"),
    ],
)
def test_the_pages_work_in_a_browser(moneta: Moneta, tmp_path: Path, script: str) -> None:
    print(node(f"conformance/{script}.mjs", moneta.url, "--screenshots", str(tmp_path)))


def test_the_calls_of_the_first_page_work(moneta: Moneta) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is needed")
    request = urllib.request.Request(moneta.url, headers={"accept": "text/html"})
    with urllib.request.urlopen(request, timeout=HANG_S) as response:
        page = response.read().decode()
    calls = [html.unescape(each) for each in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]
    first, second, subscription = ["sh", "-c", calls[0]], ["sh", "-c", calls[1]], ["sh", "-c", f"exec {calls[2]}"]
    assert json.loads(subprocess.check_output(first, timeout=HANG_S))["data"]["chain"]["height"] > 0
    viewer = json.loads(subprocess.check_output(second, timeout=HANG_S))["data"]["viewer"]
    assert viewer["user"]["email"] == "alice@example.com"
    with subprocess.Popen(subscription, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        (ticks,) = itertools.islice((line for line in running.stdout if line.startswith(b"data: {")), 1)
        running.kill()
    assert json.loads(ticks.removeprefix(b"data: "))["data"]["priceTicks"]["ticks"][0]["symbol"] == "BTC"


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
