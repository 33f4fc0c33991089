"""The reference for users states the defaults and bounds that there are."""

from decimal import Decimal

from app.domains.market.analysis.rules.patterns import NAMES
from app.domains.trading.strategies.model import BOUNDS, Config
from app.domains.trading.strategies.rules.pattern_recognition import CONTINUATIONS
from tests.domains.trading.strategies.configs import KINDS
from tests.sources import ROOT

TEXT = (ROOT / "docs" / "strategies.md").read_text()


def camel(name: str) -> str:
    first, *others = name.split("_")
    return "".join((first, *map(str.capitalize, others)))


def tag(kind: type[Config]) -> str:
    return str(kind.__struct_config__.tag)


def test_its_table_has_every_setting_with_its_default_and_bounds() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| ")]
    stated = [
        (strategy, name.strip("`"), None if default == "none" else Decimal(default), Decimal(least), Decimal(most))
        for strategy, name, default, least, most, _ in rows[1:]
    ]
    expected = [
        (tag(kind), camel(name), getattr(kind(), name), bounds.least, bounds.most)
        for kind in KINDS
        for name, bounds in BOUNDS[kind].items()
    ]
    assert stated == expected


def test_it_describes_every_strategy_and_names_its_settings() -> None:
    sections = {part.partition("\n")[0].lower(): part for part in TEXT.split("\n## ")[1:]}
    for kind in KINDS:
        section = sections[tag(kind).replace("_", " ")]
        for word in ("**BUY**", "**SELL**", "**Confidence**", "**Source**", "**Fits**", "**Fails**"):
            assert word in section, (kind, word)


def test_it_lists_the_continuations() -> None:
    listed = " ".join(TEXT.split("**Continuations** are ")[1].split(".")[0].split()).lower()
    assert all(NAMES[each].lower() in listed for each in CONTINUATIONS)
    assert len(CONTINUATIONS) == listed.replace(", and ", ", ").count(", ") + 1
