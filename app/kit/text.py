"""Text that users enter."""

import unicodedata
from typing import Final

from app.kit.errors import InvalidInput

MAX_SEARCH: Final = 200


def is_storable(text: str, allowed: str = "") -> bool:
    """Whether a text is free of control characters and lone surrogates, some of which no database takes."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") and character not in allowed for character in text)


def searchable(text: str | None, *, field: str = "search") -> str | None:
    """A text to search for, trimmed; None if nothing is left. Raises InvalidInput.

    Characters that no stored text has become spaces.
    """
    if text is None:
        return None
    if len(text) > MAX_SEARCH:
        raise InvalidInput(field, f"A search has at most {MAX_SEARCH} characters.")
    found = "".join(character if is_storable(character) else " " for character in text).strip()
    return found or None
