import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.news.rules.impact import Category, category, impact


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Bridge exploit drains $100M", Category.THEFT),
        ("SEC sues exchange after hack", Category.THEFT),
        ("Lender files for bankruptcy", Category.INSOLVENCY),
        ("USDC depegs", Category.INSOLVENCY),
        ("Court rules on ETF", Category.REGULATION),
        ("Spot ETF sees inflows", Category.FUND),
        ("Fed holds rates", Category.MONETARY),
        ("Binance to delist four tokens", Category.LISTING),
        ("Countdown to the halving", Category.NETWORK),
        ("Bank partners with Ripple", Category.ADOPTION),
        ("Secondary markets in sector funds", Category.OTHER),
    ],
)
def test_a_headline_counts_as_its_heaviest_part(title: str, kind: Category) -> None:
    assert category(title) == kind


def test_impact_grows_with_words_breadth_and_category() -> None:
    assert impact("Hackers steal $1 billion in exchange hack", None, ["BTC", "ETH"]) > 85
    assert impact("Bitcoin surges", None, ["BTC"]) > impact("Bitcoin trades", None, ["BTC"])
    assert (
        impact("Token surges", None, ["BTC"]) > impact("Token surges", None, ["XLM"]) > impact("Token surges", None, [])
    )
    assert impact("Exchange hacked", None, []) > impact("Exchange opens", None, [])


def test_the_body_counts_for_less() -> None:
    alone, with_body = impact("Statement", None, []), impact("Statement", "Hackers stole funds.", [])
    assert alone < with_body < impact("Hackers stole funds.", None, [])


def test_an_explanation_has_no_impact() -> None:
    assert impact("What is a rug pull?", "Hackers stole funds.", ["BTC"]) == 0


@given(st.text(max_size=200), st.none() | st.text(max_size=200), st.lists(st.sampled_from(["BTC", "ETH", "XLM"])))
def test_impact_stays_within_its_bounds(title: str, body: str | None, symbols: list[str]) -> None:
    assert 0 <= impact(title, body, symbols) <= 100
