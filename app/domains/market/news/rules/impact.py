"""The impact of an article, in either direction: 0 to 100.

Half of it is the topic, a third how strongly the text is worded, the rest how widely it reaches. It is a heuristic, the
same for every article, and no prediction of prices.
"""

import re
from enum import StrEnum
from typing import Final

from app.domains.market.news.rules.sentiment import explains, strength

MAJORS: Final = frozenset({"BTC", "ETH"})
"""Tokens that move the whole market."""
_CATEGORY_SHARE, _STRENGTH_SHARE, _BREADTH_SHARE = 50, 30, 20
_BODY_CHARS = 2_000


class Category(StrEnum):
    """The topic of an article."""

    THEFT = "theft"
    INSOLVENCY = "insolvency"
    REGULATION = "regulation"
    FUND = "fund"
    MONETARY = "monetary"
    LISTING = "listing"
    NETWORK = "network"
    ADOPTION = "adoption"
    OTHER = "other"


_WEIGHTS: Final = {
    Category.THEFT: 1.0,
    Category.INSOLVENCY: 1.0,
    Category.REGULATION: 0.8,
    Category.FUND: 0.8,
    Category.MONETARY: 0.6,
    Category.LISTING: 0.6,
    Category.NETWORK: 0.5,
    Category.ADOPTION: 0.4,
    Category.OTHER: 0.1,
}


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


# By weight, the highest first: a headline with several topics has the first of them.
_PATTERNS: Final = (
    (
        Category.THEFT,
        _pattern(
            r"hack(?:s|ed|er|ers|ing)?|exploit(?:s|ed|er|ers)?|rug[- ]?pull(?:s|ed)?|stolen|steals?|stole|theft"
            r"|heist|drain(?:s|ed|er)?|phishing|ransomware|exit scam(?:s|med)?|private keys? (?:leak|compromise)\w*"
        ),
    ),
    (
        Category.INSOLVENCY,
        _pattern(
            r"insolven\w+|bankrupt\w*|chapter 11|bank run|(?:halts?|suspends?|pauses?|freezes?) (?:all )?withdrawals"
            r"|de-?peg(?:s|ged|ging)?|loses (?:its )?peg|defaults?|collapse[sd]?"
        ),
    ),
    (
        Category.REGULATION,
        _pattern(
            r"sec|cftc|doj|fca|mica|esma|regulat\w+|lawsuits?|su(?:es|ed|ing)|courts?|scorer|senat\w+|congress|bill|laws?"
            r"|bans?|banned|fine[sd]|sanction\w*|indict\w+|arrest\w*|licen[cs]e\w*|tax(?:es|ation)?|crackdown|probe[sd]?"
            r"|banning|penalt(?:y|ies)|charges"
        ),
    ),
    (Category.FUND, _pattern(r"etfs?|etps?|inflows?|outflows?|blackrock|fidelity|grayscale|institutional")),
    (
        Category.MONETARY,
        _pattern(r"fed|fomc|federal reserve|ecb|inflation|cpi|rate (?:cut|hike)s?|interest rates?|tariffs?"),
    ),
    (Category.LISTING, _pattern(r"(?:de)?list(?:s|ed|ing|ings)|(?:de)list")),
    (
        Category.NETWORK,
        _pattern(r"halving|hard fork|mainnet|upgrade[sd]?|outages?|reorg|51% attack|(?:token )?unlocks?|burns?"),
    ),
    (
        Category.ADOPTION,
        _pattern(
            r"partner\w*|integrat\w+|adopt\w*|treasury|reserve|accepts?|payments?|acquir\w+|acquisition|funding round"
        ),
    ),
)


def category(text: str) -> Category:
    """Returns the topic of a headline: of several, that with the most weight."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(text)), Category.OTHER)


def impact(title: str, body: str | None, symbols: list[str]) -> int:
    """Returns 0 to 100. The body has less weight than the headline, and only its beginning counts. Explainers get 0."""
    if explains(title):
        return 0
    words = strength(title)
    about = _WEIGHTS[category(title)]
    if body:
        words = max(words, 0.5 * strength(body[:_BODY_CHARS]))
        about = max(about, 0.5 * _WEIGHTS[category(body[:_BODY_CHARS])])
    if words == 0.0:
        # A neutral report has less impact, whatever its topic.
        about *= 0.6
    breadth = 0.0 if not symbols else min(1.0, 0.25 * len(symbols) + (0.5 if MAJORS & set(symbols) else 0.0))
    return round(_CATEGORY_SHARE * about + _STRENGTH_SHARE * words + _BREADTH_SHARE * breadth)
