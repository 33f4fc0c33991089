"""Text that users enter."""

import unicodedata


def is_storable(text: str, allowed: str = "") -> bool:
    """Whether a text is free of control characters and lone surrogates, some of which no database takes."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") and character not in allowed for character in text)
