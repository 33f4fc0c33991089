"""What people type to search news, as Postgres can always read it.

`websearch_to_tsquery` is meant to take anything, but many lone dashes overflow its stack. So a search is taken apart
into words, phrases and what is excluded, and put together again.
"""

import re

_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_EDGES = re.compile(r"^\W+|\W+$")


def searchable(text: str) -> str:
    """The search with its words, `"phrases"`, `or` and `-exclusions`, and nothing else; empty if it has no words."""
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
