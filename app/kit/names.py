"""Names that look like somebody else's. Pure."""

import re
import unicodedata
from typing import Final

_WORDS: Final = re.compile(r"[\W_]+")
_LOOKS: Final = (
    ("0134578$@|!", "oleastbsall"),
    ("i\u0131", "ll"),
    # Cyrillic, Greek.
    (
        "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0455\u0501",
        "abekmhopctyxlsd",
    ),
    ("\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03bc", "abelkvoptuxm"),
)
"""Letters, digits and signs, and the small letters that they look like."""
_ALIKE: Final = str.maketrans("".join(each for each, _ in _LOOKS), "".join(each for _, each in _LOOKS))
_RESERVED_NAMES: Final = (
    "Moneta", "support", "admin", "administrator", "moderator", "system", "staff", "helpdesk", "customer service",
)  # fmt: skip
_BESIDE: Final = ("team", "official", "the", "help", "desk", "service", "customer", "of", "real", "account")
"""Words that make somebody else of nobody."""


def is_impersonating(text: str, tenant: str | None = None) -> bool:
    """Whether a name looks like that of Moneta, of who helps or decides, or of the tenant: also in other letters, with
    digits for letters, or with words beside it that change nothing.
    """
    words = _words(text)
    whole = "".join(words)
    theirs = _words(tenant or "")
    if whole in _RESERVED or (theirs and whole == "".join(theirs)):
        return True
    claims = bool({*words} & _RESERVED) or (theirs and {*theirs} <= {*words})
    return bool(claims and {*words} <= _RESERVED | _FILLING | {*theirs})


def _words(text: str) -> list[str]:
    """The words, so that words that look alike are equal."""
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", text).casefold() if unicodedata.category(each) != "Mn"
    )
    plain = plain.replace("\u200c", "").replace("\u200d", "").translate(_ALIKE).replace("rn", "m").replace("vv", "w")
    return [each for each in _WORDS.split(plain) if each]


_RESERVED: Final = frozenset("".join(_words(each)) for each in _RESERVED_NAMES)
_FILLING: Final = frozenset("".join(_words(each)) for each in _BESIDE)
