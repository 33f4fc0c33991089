"""Names and words that were replaced do not come back: OLD_NAMES, OLD_FILES and OLD_WORDS."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.sources import name_of, sources, tracked, tree_of

OLD_NAMES = {
    "AlertMatcher": {"Passing"},
    "AnalysisDeps": {"Desk"},
    "AlertBacklog": {"Flood"},
    "AlertDispatcher": {"Firings"},
    "Binding": {"Way", "OfParent"},
    "ConnectionKey": {"Place"},
    "Crossing": {"Passage"},
    "DevMailbox": {"Outbox"},
    "EventHistory": {"Past"},
    "GroupKey": {"Common"},
    "IndicatorAlerts": {"Measuring"},
    "ListenerOwner": {"Home"},
    "MailQueue": {"Post"},
    "NewsAlerts": {"Headlines"},
    "PaymentAlerts": {"Whales"},
    "PlanFallback": {"LeftToGraphQL"},
    "PriceAlerts": {"Crossings"},
    "QuoteValidator": {"Beliefs", "Claim", "Unbelievable", "doubt"},
    "SentimentAlerts": {"Sentiments"},
    "SingleFlight": {"Flights"},
    "SocketServer": {"Hall"},
    "StreamHeads": {"Tops"},
    "StreamRuntime": {"Machinery"},
    "admit": {"knock"},
    "publish": {"tell", "tells", "told"},
}
"""The names that were replaced, by what replaced them."""
OLD_FILES = {
    "alerting",
    "believing",
    "bridges",
    "courses",
    "declaring",
    "elsewhere",
    "finding",
    "loading",
    "peers",
    "pricing",
    "pulling",
    "settling",
    "sharing",
    "ticking",
    "upkeep",
    "watching",
}
OLD_WORDS = {
    "believed",
    "believing",
    "course",
    "courses",
    "knock",
    "passage",
    "passages",
    "told",
    "untold",
    "upkeep",
    "whoever",
}
"""What the replaced names were made of, and what reads as a dialect: no word of a name, a comment or a guide."""
MAY_SAY = {
    # The name under which the state of the matcher is stored.
    "app/domains/market/alerts/services/matcher.py": {"passages"},
}
WRITTEN = ("app", "tests", "bench", "docs", "web/src", "*.md")
NOT_READ = {"CHANGELOG.md", "tests/test_names.py"}
"""The changelog names what was renamed, and this file the old words."""


def identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(name) | ast.arg(name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name


def test_replaced_names_do_not_come_back() -> None:
    old = set().union(*OLD_NAMES.values())
    found = {
        name_of(path): names
        for path in sources("app", "tests", "bench")
        if (names := {*identifiers(tree_of(path))} & old | {path.stem.removeprefix("test_")} & OLD_FILES)
    }
    assert found == {}


def old_words(text: str) -> set[str]:
    """The parts of identifiers are words too: those between underscores, and those that begin with a capital."""
    return OLD_WORDS & {part.lower() for word in re.findall(r"[A-Za-z]+", text) for part in (word, *_humps(word))}


def _humps(word: str) -> list[str]:
    return re.findall(r"[A-Z]?[a-z]+", word)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a course", {"course"}),
        ("COURSE", {"course"}),
        ("of_two_one_is_told", {"told"}),
        ("_is_Told2", {"told"}),
        ("moneta_courses_total{", {"courses"}),
        ("fragment ...WhoeverTold", {"told", "whoever"}),
        ("of course", {"course"}),
        ("recourse, foretold", set()),
    ],
)
def test_an_old_word_is_found(text: str, found: set[str]) -> None:
    assert old_words(text) == found


def test_old_words_do_not_come_back() -> None:
    found = dict[str, set[str]]()
    read = 0
    for path in tracked(*WRITTEN):
        if (name := name_of(path)) in NOT_READ:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        read += 1
        if words := old_words(text + " " + name) - MAY_SAY.get(name, set()):
            found[name] = words
    assert read > 900
    assert found == {}
