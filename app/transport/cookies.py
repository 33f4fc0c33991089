"""Session cookies, which no script can read, and a device cookie that outlives them.

`__Host-` binds them to this host and to Secure. Over plain http browsers accept that for localhost only, which is
where plain http is served.
"""

from typing import Final

from app.domains.accounts.model import DEVICE_TTL, SessionTokens
from app.settings import Settings

SESSION: Final = "__Host-moneta-session"
REFRESH: Final = "__Host-moneta-refresh"
DEVICE: Final = "__Host-moneta-device"


def set_session(tokens: SessionTokens, settings: Settings) -> list[str]:
    """Set-Cookie values that log a browser in."""
    device = tokens.device_token
    return [
        *([] if device is None else [_cookie(DEVICE, device, int(DEVICE_TTL.total_seconds()), "Strict")]),
        _cookie(SESSION, tokens.access_token, settings.access_token_ttl_s, "Lax"),
        # Strict: no link from another site can make the browser send it.
        _cookie(REFRESH, tokens.refresh_token, settings.refresh_token_ttl_s, "Strict"),
    ]


def clear_session() -> list[str]:
    """Set-Cookie values that log a browser out. The device cookie is kept."""
    return [_cookie(SESSION, "", 0, "Lax"), _cookie(REFRESH, "", 0, "Strict")]


def _cookie(name: str, value: str, max_age_s: int, same_site: str) -> str:
    return f"{name}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite={same_site}"
