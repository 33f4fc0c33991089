"""What a text means for whoever holds the coins it speaks of: VADER, with the words of this field.

Stock VADER knows no price and no crime of this field: "Bitcoin surges" is nothing to it, "Grayscale Trust" is praise.
Our lexicon says what some 1,500 terms mean here. VADER weighs single words, so phrases become one word before it sees
them, and so do figures with a direction ("up 12%"). What is bad is good news when it falls: "outflows slow".
"""

import re
import string
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LEXICON = Path(__file__).parents[2] / "data" / "crypto_lexicon.txt"
MAX_CHARS = 20_000
"""A text is judged by its beginning."""
MAX_SENTENCE_CHARS = 1_000
MAX_EMOJI = 20
"""A sentence is judged by its beginning, and by so many emoji, each of which is some words to VADER: VADER takes the
square of their number, and strangers write news."""
NEUTRAL_BOUND = 0.05
"""VADER's own: a text is positive from here on, negative from the negative of it, neutral between."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])|\n+")
_CASHTAG = re.compile(r"\$[A-Za-z]\w*")
_AMOUNT = r"\s+(?:by\s+|about\s+|nearly\s+|over\s+|more\s+than\s+)?\d[\d.,]*\s?(?:%|per\s?cent\b|bps\b)"
_FIGURES = (
    (re.compile(rf"\b(?:up|higher){_AMOUNT}", re.IGNORECASE), " up_figure "),
    (re.compile(rf"\b(?:down|lower){_AMOUNT}", re.IGNORECASE), " down_figure "),
    (re.compile(r"(?<!\S)\+\d[\d.,]*\s?%"), " up_figure "),
    (re.compile(r"(?<!\S)[-\u2212]\d[\d.,]*\s?%"), " down_figure "),
)
# What tells how something works tells no news, however bad the thing is.
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
"""A case is among so many words after what is done to it."""
_EASED, _WORSENED, _RELEASED = "burden_eases", "burden_worsens", "case_dropped"
_OWN_WORDS = {_EASED: 1.8, _WORSENED: -1.8, _RELEASED: 2.2}
_SILENT = "these"
"""Stands where a word must say nothing."""


class _Judge(NamedTuple):
    analyzer: Any
    lengths: dict[str, tuple[int, ...]]
    """How many words the phrases have that begin with a word, the longest first."""
    phrases: frozenset[tuple[str, ...]]


def score(text: str) -> float:
    """-1 (ruin) to 1 (triumph), 0 for a text that says neither. For a headline or a sentence."""
    if explains(text):
        return 0.0
    judge = _judge()
    beginning = _with_few_emoji(judge, text[:MAX_SENTENCE_CHARS])
    compound: float = judge.analyzer.polarity_scores(_prepared(judge, beginning))["compound"]
    return compound


def explains(text: str) -> bool:
    """Whether a text tells how something works, and so tells no news."""
    return _EXPLAINS.match(text) is not None


def score_article(title: str, body: str | None) -> float:
    """The headline's score, tempered by the mean of the body's telling sentences: -1 to 1.

    A long text as a whole would always be at one end of the scale.
    """
    head = score(title)
    scores = [score(sentence) for sentence in _SENTENCE.split((body or "")[:MAX_CHARS]) if sentence.strip()]
    telling = [value for value in scores if abs(value) >= NEUTRAL_BOUND]
    if not telling:
        return head
    return 0.7 * head + 0.3 * sum(telling) / len(telling)


def strength(text: str) -> float:
    """How strongly worded a text is, whichever way: 0 to 1. It does not cancel out as a score does."""
    judge = _judge()
    lexicon: dict[str, float] = judge.analyzer.lexicon
    words = (_bare(word) for word in _prepared(judge, text[:MAX_CHARS]).split())
    valences = sorted((abs(lexicon.get(word, 0.0)) for word in words), reverse=True)
    return min(1.0, sum(valences[:3]) / 8.0)


@cache
def lexicon_terms() -> dict[str, float]:
    """Our terms and their valences, -4 to 4."""
    lines = LEXICON.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {term: float(valence) for term, valence in pairs}


@cache
def _judge() -> _Judge:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer, terms = SentimentIntensityAnalyzer(), lexicon_terms()
    phrases = frozenset(tuple(term.split()) for term in terms if " " in term)
    lengths: dict[str, set[int]] = {}
    for phrase in phrases:
        lengths.setdefault(phrase[0], set()).add(len(phrase))
    analyzer.lexicon.update({term.replace(" ", "_"): valence for term, valence in terms.items()})
    analyzer.lexicon.update(_OWN_WORDS)
    return _Judge(analyzer, {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}, phrases)


def _with_few_emoji(judge: _Judge, text: str) -> str:
    emoji = judge.analyzer.emojis
    places = [place for place, character in enumerate(text) if character in emoji]
    if len(places) <= MAX_EMOJI:
        return text
    rest = text[places[MAX_EMOJI] :]
    return text[: places[MAX_EMOJI]] + "".join(" " if character in emoji else character for character in rest)


def _prepared(judge: _Judge, text: str) -> str:
    """The text as VADER can weigh it."""
    text = _CASHTAG.sub(" ", text.replace("\u2019", "'"))
    for pattern, word in _FIGURES:
        text = pattern.sub(word, text)
    words, place = text.split(), 0
    prepared: list[str] = []
    while place < len(words):
        length = _phrase_length(judge, words, place)
        prepared.append("_".join(words[place : place + length]))
        place += length
    return " ".join(_with_burdens(prepared))


def _phrase_length(judge: _Judge, words: list[str], place: int) -> int:
    """How many words from `place` on are one term. A phrase does not reach across punctuation."""
    first = words[place].lstrip(string.punctuation).lower()
    for length in judge.lengths.get(first, ()):
        middle = [word.lower() for word in words[place + 1 : place + length - 1]]
        if len(words) < place + length:
            continue
        last = words[place + length - 1].rstrip(string.punctuation).removesuffix("'s").lower()
        if (first, *middle, last) in judge.phrases:
            return length
    return 1


def _with_burdens(words: list[str]) -> list[str]:
    """Where a burden eases or grows, or a case is dropped, that is what counts, not the two words."""
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
