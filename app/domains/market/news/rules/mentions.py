"""The tokens that a text mentions.

A symbol counts as `$BTC` in any case and as BTC in capitals; a name counts in any case, and the longest one wins:
Bitcoin Cash is not Bitcoin. Symbols and names that are also ordinary words (ONE, GAS, LINK, Avalanche) count only where
the text leaves no doubt: `$ONE`, `(ONE)`, `ONE/USDT`, `ONE token`, and for a name `Avalanche network` or
`Avalanche (AVAX)`.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

from app.domains.market.news.model import MAX_SYMBOLS

ORDINARY_WORDS = Path(__file__).parents[2] / "data" / "ordinary_words.txt"
MAX_CHARS = 20_000
"""The number of characters that are searched."""

_WORD = re.compile(r"\$?[^\W_]+(?:[.'\u2019][^\W_]+)*")
_NAME_WORD = re.compile(r"[^\W_]+(?:[.'\u2019][^\W_]+)*")
# Other names of tokens.
_ALIASES = {
    "ETH": ("Ether",),
    "XRP": ("Ripple",),
    "BNB": ("Binance Coin", "BNB Chain"),
    "LDO": ("Lido",),
    "ATOM": ("Cosmos",),
    "NEAR": ("Near",),
    "TON": ("The Open Network",),
    "SHIB": ("Shiba",),
    "DOGE": ("Doge",),
    "AXS": ("Axie",),
    "CRV": ("Curve",),
}
# Symbols and names with another meaning in English or in this field.
# Words that follow the symbol or name of a token, and hardly any other word.
_CONTEXT = re.compile(
    r"tokens?|coins?|prices?|holders?|network|protocol|blockchain|mainnet|testnet|foundation|labs|ecosystem|validators"
    r"|staking|dao|chain|traders|bulls|bears|whales"
)
_QUOTED_IN = re.compile(r"USD[TC]?|BTC|ETH|EUR")
# After a capitalised name, these mean a token: "Stellar gains 7%". In lower case, as in a sentence.
_MOVES = re.compile(
    r"(?:surge|soar|jump|climb|gain|rise|leap|spike|rebound|drop|fall|slide|slump|tumble|sink|plunge|dip|slip|trade"
    r"|partner|integrate|upgrade|add|list)s|rallies|crashes|hits|launches"
)


class _Name(NamedTuple):
    words: tuple[str, ...]
    symbol: str
    is_ordinary: bool


class Mentions:
    """Finds tokens in texts. It is built once for all texts."""

    def __init__(self, symbols: frozenset[str], names: dict[str, list[_Name]]) -> None:
        self._symbols = symbols
        self._names = names

    @classmethod
    def of(cls, tokens: Iterable[tuple[str, str]]) -> Self:
        """Builds it for tokens, given by symbol and name."""
        names: dict[str, list[_Name]] = {}
        symbols = []
        for symbol, name in tokens:
            symbols.append(symbol)
            # A name that equals the symbol (XRP, EOS) is found as a symbol.
            for known in {name, *_ALIASES.get(symbol, ())} - {symbol}:
                words = tuple(word.lower() for word in _NAME_WORD.findall(known))
                if words:
                    names.setdefault(words[0], []).append(_Name(words, symbol, _is_ordinary(" ".join(words))))
        for found in names.values():
            found.sort(key=lambda name: (-len(name.words), name.symbol))
        return cls(frozenset(symbols), names)

    def find(self, text: str) -> list[str]:
        """Returns the symbols of the tokens that the text mentions, in the order of the first mention, at most 20."""
        words = _Words(text[:MAX_CHARS])
        found: dict[str, None] = {}
        place = 0
        while place < len(words.bare) and len(found) < MAX_SYMBOLS:
            symbol, length = self._at(words, place)
            if symbol is not None:
                found[symbol] = None
            place += length
        return list(found)

    def _at(self, words: "_Words", place: int) -> tuple[str | None, int]:
        """Returns the token that begins at a word, if there is one, and its number of words."""
        word = words.bare[place]
        if word.startswith("$"):
            symbol = word[1:].upper()
            return (symbol if symbol in self._symbols else None), 1
        for name in self._names.get(word.lower(), ()):
            length = len(name.words)
            if words.spell(place, name.words) and (
                not name.is_ordinary or (word[0].isupper() and words.names_a_token(place, length, name.symbol))
            ):
                return name.symbol, length
        if word in self._symbols and (not _is_ordinary(word.lower()) or words.quotes_a_token(place)):
            return word, 1
        return None, 1


class _Words:
    """The words of a text, and the characters around them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = list(_WORD.finditer(text))
        self.bare = [_bare(word[0]) for word in self._found]

    def spell(self, place: int, name: tuple[str, ...]) -> bool:
        """Whether the words from `place` on are this name. A name does not extend across a full stop."""
        end = place + len(name)
        if tuple(word.lower() for word in self.bare[place:end]) != name:
            return False
        return all(self._gap(at) == "-" or self._gap(at).isspace() for at in range(place, end - 1))

    def names_a_token(self, place: int, length: int, symbol: str) -> bool:
        """Whether a name that is also a word means the token: followed by a term of the field, a move, its symbol."""
        follower = self._follower(place + length - 1)
        return bool(_CONTEXT.fullmatch(follower) or _MOVES.fullmatch(follower) or follower.lstrip("$") == symbol)

    def quotes_a_token(self, place: int) -> bool:
        """Whether a symbol that is also a word means the token: `(ONE)`, `ONE/USDT`, `ONE token`."""
        start, end = self._found[place].span()
        if self._text[start - 1 : start] == "(" and self._text[end : end + 1] == ")":
            return True
        follower = self._follower(place)
        if self._text[end : end + 1] in ("/", "-"):
            return bool(_QUOTED_IN.fullmatch(follower))
        return bool(_CONTEXT.fullmatch(follower))

    def _follower(self, place: int) -> str:
        return self.bare[place + 1] if place + 1 < len(self.bare) else ""

    def _gap(self, place: int) -> str:
        return self._text[self._found[place].end() : self._found[place + 1].start()]


@cache
def _ordinary_words() -> frozenset[str]:
    lines = ORDINARY_WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _is_ordinary(text: str) -> bool:
    # Two letters are always an abbreviation of something.
    return len(text) <= 2 or text in _ordinary_words()


def _bare(word: str) -> str:
    return word[:-2] if word.endswith(("'s", "\u2019s")) else word
