import csv
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from app.domains.market.news.model import NEUTRAL_BOUND
from app.domains.market.news.rules.sentiment import LEXICON, explains, lexicon_terms, score, score_article, strength

HEADLINES = Path(__file__).parents[1] / "data" / "headlines.csv"
# What was measured when the lexicon was written, as of 21 November 2026, with stock VADER beside it.
MEASURED = {"tuning": (87, 55, 90), "held_out": (54, 38, 62), "fresh": (41, 30, 48), "reviewed": (36, 18, 39)}


@cache
def headlines() -> list[dict[str, str]]:
    with HEADLINES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def verdict(value: float) -> str:
    if value >= NEUTRAL_BOUND:
        return "positive"
    return "negative" if value <= -NEUTRAL_BOUND else "neutral"


@pytest.mark.parametrize("part", MEASURED)
def test_accuracy_is_what_is_stated(part: str) -> None:
    rows = [row for row in headlines() if row["part"] == part]
    stock = SentimentIntensityAnalyzer()
    ours = sum(verdict(score(row["headline"])) == row["label"] for row in rows)
    theirs = sum(verdict(stock.polarity_scores(row["headline"])["compound"]) == row["label"] for row in rows)
    print(f"\n{part}: ours {ours / len(rows):.0%}, stock VADER {theirs / len(rows):.0%} of {len(rows)}")
    floor, of_stock, count = MEASURED[part]
    assert len(rows) == count
    assert ours >= floor
    assert theirs == of_stock


def test_the_labelled_headlines_are_many_balanced_and_distinct() -> None:
    rows = headlines()
    assert len({row["headline"] for row in rows}) == len(rows) == 239
    assert sorted(Counter(row["label"] for row in rows).values()) == [73, 83, 83]


def test_the_wrong_way_round_is_rare() -> None:
    """To take bad news for good is worse than to see no news."""
    opposite = {"positive": "negative", "negative": "positive"}
    wrong = [row for row in headlines() if verdict(score(row["headline"])) == opposite.get(row["label"])]
    assert len(wrong) <= 0.03 * len(headlines())


def test_stock_vader_is_deaf_where_ours_hears() -> None:
    assert SentimentIntensityAnalyzer().polarity_scores("Bitcoin surges")["compound"] == 0.0
    assert score("Bitcoin surges") > 0.4


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Token hits all-time high", "Token hits all-time low"),
        ("Outflows slow at bitcoin funds", "Outflows surge at bitcoin funds"),
        ("Ether up 12%", "Ether down 12%"),
        ("SOL +4.5%", "SOL -4.5%"),
        ("Regulator drops lawsuit against exchange", "Regulator files lawsuit against exchange"),
        ("Stablecoin regains its peg", "Stablecoin loses its peg"),
        ("Bitcoin surges", "Bitcoin does not surge"),
        ("ATH", "rug pull"),
    ],
)
def test_phrases_and_figures_say_which_way(better: str, worse: str) -> None:
    assert score(better) >= NEUTRAL_BOUND
    assert score(worse) <= -NEUTRAL_BOUND


@pytest.mark.parametrize("text", ["a RUG PULL!", '"rug pull"', "(rug-pull)", "Rug pull's victims", "rug\npull"])
def test_a_phrase_is_found_however_it_is_written(text: str) -> None:
    assert score(text) < -0.3


def test_a_phrase_does_not_reach_across_punctuation() -> None:
    assert score("It set a record, high fees aside") != score("It set a record high fees aside")


@pytest.mark.parametrize(
    "text", ["", " \n", "\x00", "$FUN", "Grayscale Trust shares", "\U0001f4a9" * 3000, "a" * 100_000]
)
def test_what_says_nothing_is_neutral(text: str) -> None:
    assert -0.5 <= score(text) <= 0.5
    assert score("") == 0.0 == score("$FUN") == score("Grayscale Trust shares")


def test_an_explanation_is_no_news() -> None:
    assert score("What is a rug pull?") == 0.0 == score("Rug pulls, explained")
    assert explains("How to spot a scam")
    assert not explains("What a rug pull cost its victims")


def test_the_body_tempers_the_headline_and_does_not_drown_it() -> None:
    title = "Bitcoin surges"
    body = "Analysts expect a crash. Hackers stole funds.\n" * 500
    assert score_article(title, None) == score_article(title, "Nothing to see.") == score(title)
    assert -1 < score_article(title, body) < score(title)
    assert score_article("Quiet day", body) < 0


@pytest.mark.parametrize("part", ["\U0001f600", "\U0001f680 ", "good but bad ", "not ", "a. ", "up 1.1", "!"])
def test_hostile_text_takes_no_longer_than_other(part: str) -> None:
    score("Warm up.")
    other = "The market rose today as analysts expect good news. " * 10_000
    assert calls(lambda: score_article(part * 50, part * 20_000)) <= calls(lambda: score_article(other[:50], other))


def calls(work: Callable[[], object]) -> int:
    """How many functions the work calls: as many on any machine."""
    count = 0

    def profile(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_emoji_say_something() -> None:
    assert score("Bitcoin \U0001f600") > NEUTRAL_BOUND


def test_strength_does_not_cancel_out() -> None:
    assert score("Exchange hacked, all funds recovered in full") > score("Exchange hacked")
    assert strength("Exchange hacked, all funds recovered in full") >= strength("Exchange hacked") > 0.3
    assert strength("Meeting on Tuesday") == 0.0


@given(st.text(max_size=300))
def test_any_text_has_a_score_within_bounds(text: str) -> None:
    assert -1 <= score(text) <= 1
    assert -1 <= score_article(text, text) <= 1
    assert 0 <= strength(text) <= 1


def test_every_term_is_listed_once_with_a_valence_that_vader_knows() -> None:
    lines = [line for line in LEXICON.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    terms = lexicon_terms()
    assert len(terms) == len(lines) > 1000
    assert all(term == term.lower().strip() and -4 <= valence <= 4 for term, valence in terms.items())
