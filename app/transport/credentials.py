"""Where clients put their tokens. A token in an unknown position is refused with a reason."""

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from app.kit.errors import Unauthenticated

SCHEME: Final = "Only tokens count here: `Authorization: Bearer ...`."
"""For a caller who sends a password, or credentials of another kind."""

PLACES: Final = (
    "Send the token as `authorization: Bearer ...`, `token`, `accessToken` or `authToken`, here or in `headers`."
)
"""For a caller who sends a token where none is read. It fits into a close frame."""

_TWO: Final = "The payload holds two tokens that differ."
_NO_TEXT: Final = "A token is text."
_KEYS: Final = frozenset({"authorization", "token", "accesstoken", "authtoken"})
_WRAPPINGS: Final = frozenset({"headers", "context"})
_LOOKS_SECRET: Final = re.compile(r"auth|token|bearer|jwt|api[-_]?key|secret|password|credential", re.IGNORECASE)


def token_of(authorization: str) -> str:
    """The token of an Authorization header, whose scheme may be left out; empty where there is none.

    Raises Unauthenticated for another scheme than Bearer.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if not token:
        return "" if scheme.lower() == "bearer" else scheme
    if scheme.lower() != "bearer":
        raise Unauthenticated(SCHEME)
    return token.strip()


def token_in(payload: Mapping[str, Any]) -> str | None:
    """The token that a client of some library has put into the payload of a message.

    Empty if the client sends the key without a token, as before its log-in; None if there is no such key. Raises
    Unauthenticated for a value that is not a token, and for what looks like a token under another key.
    """
    found: str | None = None
    todo = deque[tuple[Any, bool]]([(payload, True)])
    while todo:
        value, is_known_place = todo.popleft()
        if isinstance(value, list):
            todo.extend((each, False) for each in value)
        if not isinstance(value, dict):
            continue
        for key, held in value.items():
            name = re.sub(r"[-_]", "", key.lower())
            if is_known_place and name in _KEYS:
                found = _only(found, held)
                continue
            if held not in (None, "", {}, []) and _LOOKS_SECRET.search(key):
                raise Unauthenticated(PLACES)
            todo.append((held, is_known_place and name in _WRAPPINGS))
    return found


def _only(before: str | None, held: Any) -> str:
    if held is not None and not isinstance(held, str):
        raise Unauthenticated(_NO_TEXT)
    token = token_of(held or "")
    if before and token and before != token:
        raise Unauthenticated(_TWO)
    return before or token
