"""The text of a search for tokens."""

from app.kit.errors import InvalidInput
from app.kit.text import is_storable

MAX_SEARCH_CHARS = 100


def search_of(text: str) -> str:
    """Returns the text in the form in which it is compared with names. Raises InvalidInput."""
    search = text.strip()
    if not 1 <= len(search) <= MAX_SEARCH_CHARS:
        raise InvalidInput(
            "search", f"A search has 1 to {MAX_SEARCH_CHARS} characters; leave it out to list every token."
        )
    if not is_storable(search):
        raise InvalidInput("search", "A search holds no control characters.")
    return search.lower()
