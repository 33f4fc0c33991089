"""The sentiment of a text for holders of the tokens that it mentions: VADER, with the terms of this field.

The lexicon of VADER does not know this field: "Bitcoin surges" is neutral to it, and "Grayscale Trust" is positive. Our
lexicon has some 1,500 terms. VADER scores single words, so phrases become one word before, and so do figures with a
direction ("up 12%"). A burden is good news when it falls: "outflows slow".
"""

import re
import string
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from app.domains.market.news.model import NEUTRAL_BOUND

LEXICON = Path(__file__).parents[2] / "data" / "crypto_lexicon.txt"
MAX_CHARS = 20_000
"""The number of characters of a text that are scored."""
MAX_SENTENCE_CHARS = 1_000
MAX_EMOJI = 20
"""The number of words and of emoji of a sentence that are scored. VADER takes time with the square of their number, and
an emoji is several words to it; the input is untrusted."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])|\n+")
_CASHTAG = re.compile(r"\$[A-Za-z]\w*")
_AMOUNT = r"\s+(?:by\s+|about\s+|nearly\s+|over\s+|more\s+than\s+)?\d[\d.,]*\s?(?:%|per\s?cent\b|bps\b)"
_FIGURES = (
    (re.compile(rf"\b(?:up|higher){_AMOUNT}", re.IGNORECASE), " up_figure "),
    (re.compile(rf"\b(?:down|lower){_AMOUNT}", re.IGNORECASE), " down_figure "),
    (re.compile(r"(?<!\S)\+\d[\d.,]*\s?%"), " up_figure "),
    (re.compile(r"(?<!\S)[-\u2212]\d[\d.,]*\s?%"), " down_figure "),
)
# Explainers are not news, however negative their subject is.
_EXPLAINS = re.compile(
    r"\s*(?:what (?:is|are)|who is|how (?:to|do|does)|why do|explainer|explained|guide)\b"
    r"|\s*(?:an?|the) (?:[\w'-]+ )?guide\b|.*\bexplained\W*$",
    re.IGNORECASE,
)
_BURDENS = re.compile(
    r"(?:loss|outag|withdrawal|fe|cost|theft|hack|scam|exploit|outflow|liquidation|fear|layoff|delisting|default)e?s"
    r"|fraud|inflation|selling|unemployment|bankruptcies"
)
_EASING = re.compile(
    r"f(?:alls?|ell)|drop(?:s|ped)?|(?:slow|cool|slump)(?:s|ed)?|(?:declin|eas|subsid|halv|plung)e[sd]?|shr(?:inks?|ank)"
)
_RISING = re.compile(
    r"rises?|rose|jump(?:s|ed)?|gr(?:ows?|ew)|(?:climb|soar|mount)(?:s|ed)?|(?:surg|doubl|tripl|accelerat)e[sd]?"
)
_CASES = re.compile(r"(?:law)?suits?|cases?|charges|appeal|probe|investigation|claims|complaint")
_RELEASES = re.compile(r"(?:dismiss|toss)(?:es|ed)|dismiss|drops|dropped|end(?:s|ed)|close[sd]|withdraws")
_REACH = 4
"""The object of a verb is among this many words after it."""
_EASED, _WORSENED, _RELEASED = "burden_eases", "burden_worsens", "case_dropped"
_OWN_WORDS = {_EASED: 1.8, _WORSENED: -1.8, _RELEASED: 2.2}
_SILENT = "these"
"""A word without sentiment."""


class _Scorer(NamedTuple):
    analyzer: Any
    lengths: dict[str, tuple[int, ...]]
    """The lengths of the phrases that begin with a word, the longest first."""
    phrases: frozenset[tuple[str, ...]]


def score(text: str) -> float:
    """Returns the sentiment of a headline or a sentence: -1 (negative) to 1 (positive), 0 for neutral."""
    if explains(text):
        return 0.0
    scorer = _scorer()
    beginning = _with_few_emoji(scorer, text[:MAX_SENTENCE_CHARS])
    compound: float = scorer.analyzer.polarity_scores(_prepared(scorer, beginning))["compound"]
    return compound


def explains(text: str) -> bool:
    """Whether a text explains how something works, and is not news."""
    return _EXPLAINS.match(text) is not None


def score_article(title: str, body: str | None) -> float:
    """Returns the score of the headline, moderated by the mean of the sentences of the body that have one: -1 to 1.

    A long text as a whole would always be at one end of the scale.
    """
    head = score(title)
    scores = [score(sentence) for sentence in _SENTENCE.split((body or "")[:MAX_CHARS]) if sentence.strip()]
    decisive = [value for value in scores if abs(value) >= NEUTRAL_BOUND]
    if not decisive:
        return head
    return 0.7 * head + 0.3 * sum(decisive) / len(decisive)


def strength(text: str) -> float:
    """Returns how strongly worded a text is: 0 to 1. Unlike in a score, the directions do not cancel out."""
    scorer = _scorer()
    lexicon: dict[str, float] = scorer.analyzer.lexicon
    words = (_bare(word) for word in _prepared(scorer, text[:MAX_CHARS]).split())
    valences = sorted((abs(lexicon.get(word, 0.0)) for word in words), reverse=True)
    return min(1.0, sum(valences[:3]) / 8.0)


@cache
def lexicon_terms() -> dict[str, float]:
    """Our terms with their valences, -4 to 4."""
    lines = LEXICON.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {term: float(valence) for term, valence in pairs}


@cache
def _scorer() -> _Scorer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer, terms = SentimentIntensityAnalyzer(), lexicon_terms()
    phrases = frozenset(tuple(term.split()) for term in terms if " " in term)
    lengths: dict[str, set[int]] = {}
    for phrase in phrases:
        lengths.setdefault(phrase[0], set()).add(len(phrase))
    analyzer.lexicon.update({term.replace(" ", "_"): valence for term, valence in terms.items()})
    analyzer.lexicon.update(_OWN_WORDS)
    return _Scorer(analyzer, {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}, phrases)


def _with_few_emoji(scorer: _Scorer, text: str) -> str:
    emoji = scorer.analyzer.emojis
    places = [place for place, character in enumerate(text) if character in emoji]
    if len(places) <= MAX_EMOJI:
        return text
    rest = text[places[MAX_EMOJI] :]
    return text[: places[MAX_EMOJI]] + "".join(" " if character in emoji else character for character in rest)


def _prepared(scorer: _Scorer, text: str) -> str:
    """Returns the text in the form that VADER scores."""
    text = _CASHTAG.sub(" ", text.replace("\u2019", "'"))
    for pattern, word in _FIGURES:
        text = pattern.sub(word, text)
    words, place = text.split(), 0
    prepared: list[str] = []
    while place < len(words):
        length = _phrase_length(scorer, words, place)
        prepared.append("_".join(words[place : place + length]))
        place += length
    return " ".join(_with_burdens(prepared))


def _phrase_length(scorer: _Scorer, words: list[str], place: int) -> int:
    """Returns how many words from `place` on are one term. A phrase does not extend across punctuation."""
    first = words[place].lstrip(string.punctuation).lower()
    for length in scorer.lengths.get(first, ()):
        middle = [word.lower() for word in words[place + 1 : place + length - 1]]
        if len(words) < place + length:
            continue
        last = words[place + length - 1].rstrip(string.punctuation).removesuffix("'s").lower()
        if (first, *middle, last) in scorer.phrases:
            return length
    return 1


def _with_burdens(words: list[str]) -> list[str]:
    """Scores a burden that eases or grows, or a case that is dropped, as a whole instead of its two words."""
    result = list(words)
    for place, word in enumerate(words[:-1]):
        bare, follower = _bare(word), _bare(words[place + 1])
        if _BURDENS.fullmatch(bare) and word[-1] not in string.punctuation:
            if _EASING.fullmatch(follower):
                result[place : place + 2] = _SILENT, _EASED
            elif _RISING.fullmatch(follower):
                result[place : place + 2] = _SILENT, _WORSENED
        elif _RELEASES.fullmatch(bare):
            near = range(place + 1, min(place + 1 + _REACH, len(words)))
            case = next((other for other in near if _CASES.fullmatch(_bare(words[other]))), None)
            if case is not None:
                result[place], result[case] = _RELEASED, _SILENT
    return result


def _bare(word: str) -> str:
    return word.strip(string.punctuation).lower()
