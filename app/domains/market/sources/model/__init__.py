"""Who supplies what, and how that goes."""

from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

MAX_SOURCES = 200
"""So many are shown."""


class SourceKind(StrEnum):
    """What a source gives."""

    PRICES = "prices"
    TOKENS = "tokens"
    SOCIAL = "social"
    DERIVATIVES = "derivatives"
    DEFI = "defi"
    NEWS = "news"


class MarketSource(msgspec.Struct, frozen=True):
    """A provider and one thing that it gives, or a feed of news."""

    source: str
    """The provider's name, or the feed's address."""
    kind: SourceKind
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str | None
    accepted: int
    ignored: dict[str, int]
    """How many values were not believed, by reason."""

    @property
    def name(self) -> str:
        """What may be shown to everybody: of an address only the host, for the rest may hold a key."""
        try:
            return urlsplit(self.source).hostname or self.source
        except ValueError:
            return "?"


class Reason(StrEnum):
    """Why a value that a provider gave is not believed."""

    NOT_A_NUMBER = "not_a_number"
    """A string, a list, NaN, Infinity: whatever is no number."""
    NEGATIVE = "negative"
    ZERO = "zero"
    ABSURD = "absurd"
    """Larger than anything can be, or far out of proportion to its neighbours."""
    JUMP = "jump"
    """Too far from the last price to be believed until it is said again."""
    STALE = "stale"
    FUTURE = "future"
    INCOMPLETE = "incomplete"
    """Null, or not there, where there must be something."""
    MALFORMED = "malformed"
    """Of another shape than was agreed."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    """Asked for, and not in the answer."""
