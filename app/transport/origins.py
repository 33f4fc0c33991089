"""Which pages may call: cookies are sent by browsers whoever asks, so it is asked who does."""

from collections.abc import Mapping
from typing import Final

from app.settings import Settings

_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, last-event-id, x-request-id",
    "access-control-max-age": "86400",
}


class Origins:
    """The origins whose pages may use a visitor's cookies and read our answers. Never a wildcard."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset({settings.origin, *(each.rstrip("/") for each in settings.allowed_origins)})

    def is_ours(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser says that one of these pages calls. Without a browser's word: False.

        A page that this very host served is ours under whatever name the host is reached.
        """
        origin = headers.get("origin")
        if origin is not None:
            return self.may_read(origin, headers)
        return headers.get("sec-fetch-site") in {"same-origin", "none"}

    def may_read(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether pages of this origin may read what we answer."""
        return origin in self._allowed or origin.partition("://")[2] == headers.get("host", "").lower() != ""

    def cors(self, headers: Mapping[str, str], *, preflight: bool = False) -> dict[str, str]:
        """What to tell the browser about the page that calls."""
        answer = {"vary": "Origin"}
        origin = headers.get("origin")
        if origin is None or not self.may_read(origin, headers):
            return answer
        answer["access-control-allow-origin"] = origin
        answer["access-control-allow-credentials"] = "true"
        answer["access-control-expose-headers"] = "x-request-id, retry-after"
        return answer | _PREFLIGHT if preflight else answer
