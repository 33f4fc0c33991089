"""`/dev/mail`: the developer's mailbox, which shows mail that is not sent."""

import base64
import hashlib
import re
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.engine.execution.encoding import encode
from app.kit.mail import StoredMessage
from app.transport.messages import JSON
from app.transport.runtime import DevMailbox

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem}article{border-top:1px solid #8886;padding:.5rem 0}h2{font-size:1rem;margin:.5rem 0 0}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}small{opacity:.7}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LINK: Final = re.compile(r"https?://[^\s<>\"']+")


class DevMailboxPage:
    """The newest messages, as a page or as JSON."""

    def __init__(self, mailbox: DevMailbox) -> None:
        self._mailbox = mailbox

    async def show(self, request: Request) -> Response:
        """A page, or with `?format=json` a list of `{sentAt, to, subject, text}`; newest first."""
        entries = await self._mailbox.recent()
        headers = {"cache-control": "no-store", "content-security-policy": _POLICY}
        if request.query_params.get("format") == "json":
            return Response(encode([_plain(entry) for entry in entries]), headers=headers, media_type=JSON)
        return HTMLResponse(_page(entries), headers=headers)


def _plain(entry: StoredMessage) -> dict[str, object]:
    message = entry.message
    return {"sentAt": entry.sent_at, "to": message.to, "subject": message.subject, "text": message.text}


def _page(entries: list[StoredMessage]) -> str:
    shown = "".join(map(_article, entries)) or "<p>No mail yet. Register, and it appears here; reload to see it.</p>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Mail · Moneta</title><style>{_STYLE}</style>"
        f"<h1>Mail</h1><p>Nothing leaves this machine: without MONETA_SMTP_URL every message ends here.</p>"
        f"{shown}</html>"
    )


def _article(entry: StoredMessage) -> str:
    message = entry.message
    return (
        f"<article><h2>{escape(message.subject)}</h2>"
        f"<small>to {escape(message.to)} · {entry.sent_at:%Y-%m-%d %H:%M:%S} UTC</small>"
        f"<pre>{_with_links(message.text)}</pre></article>"
    )


def _with_links(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        address = escape(link.group())
        pieces += [escape(text[end : link.start()]), f'<a href="{address}" rel="noreferrer">{address}</a>']
        end = link.end()
    return "".join([*pieces, escape(text[end:])])
