"""The text of a search for news, in a form that Postgres can always parse.

`websearch_to_tsquery` is meant to accept any text, but many lone dashes overflow its stack. So a search is split into
words, phrases and exclusions, and joined again.
"""

import re

_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_EDGES = re.compile(r"^\W+|\W+$")


def searchable(text: str) -> str:
    """Returns the search with its words, `"phrases"`, `or` and `-exclusions` only; empty if it has no words."""
    parts = []
    for part in _PART.finditer(text):
        if part["phrase"] is not None:
            words = " ".join(filter(None, (_EDGES.sub("", word) for word in part["phrase"].split())))
            found = f'"{words}"' if words else ""
        else:
            found = _EDGES.sub("", part["word"])
        if found:
            parts.append(part["minus"] + found)
    return " ".join(parts)
