"""Sources of data, and their state."""

from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

MAX_SOURCES = 200
"""The maximum number of sources that are shown."""


class SourceKind(StrEnum):
    """The kind of data of a source."""

    PRICES = "prices"
    TOKENS = "tokens"
    SOCIAL = "social"
    DERIVATIVES = "derivatives"
    DEFI = "defi"
    NEWS = "news"


class MarketSource(msgspec.Struct, frozen=True):
    """A provider and one kind of its data, or a news feed."""

    source: str
    """The name of the provider, or the URL of the feed."""
    kind: SourceKind
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str | None
    accepted: int
    ignored: dict[str, int]
    """The number of rejected values, by reason."""

    @property
    def name(self) -> str:
        """The public name. Of a URL it is only the host, because the rest can contain a key."""
        try:
            return urlsplit(self.source).hostname or self.source
        except ValueError:
            return "?"


class Reason(StrEnum):
    """Why a value of a provider was rejected."""

    NOT_A_NUMBER = "not_a_number"
    """A string, a list, NaN, Infinity or anything else that is not a finite number."""
    NEGATIVE = "negative"
    ZERO = "zero"
    ABSURD = "absurd"
    """Too large to be possible, or out of proportion to related values."""
    JUMP = "jump"
    """Too far from the last price. It is accepted once it has been confirmed."""
    STALE = "stale"
    FUTURE = "future"
    INCOMPLETE = "incomplete"
    """A required value that is null or missing."""
    MALFORMED = "malformed"
    """Of an unexpected structure or format."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    """Requested, but not in the answer."""
