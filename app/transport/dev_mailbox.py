"""`/dev/mail`: the developer's mailbox, which shows mail that is not sent."""

import re
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.engine.execution.encoding import encode
from app.kit.mail import StoredMessage
from app.transport.html import page
from app.transport.messages import JSON
from app.transport.runtime import DevMailbox

_LINK: Final = re.compile(r"https?://[^\s<>\"']+")


class DevMailboxPage:
    """The newest messages, as a page or as JSON."""

    def __init__(self, mailbox: DevMailbox) -> None:
        self._mailbox = mailbox

    async def show(self, request: Request) -> Response:
        """A page, or with `?format=json` a list of `{sentAt, to, subject, text}`; newest first."""
        entries = await self._mailbox.recent()
        if request.query_params.get("format") == "json":
            plain = [_plain(entry) for entry in entries]
            return Response(encode(plain), headers={"cache-control": "no-store"}, media_type=JSON)
        return page("Mail · Moneta", _body(entries))


def _plain(entry: StoredMessage) -> dict[str, object]:
    message = entry.message
    return {"sentAt": entry.sent_at, "to": message.to, "subject": message.subject, "text": message.text}


def _body(entries: list[StoredMessage]) -> str:
    shown = "".join(map(_article, entries)) or "<p>No mail yet. Register, and it appears here; reload to see it.</p>"
    return (
        "<h1>Mail</h1>\n<p>Nothing leaves this machine: without MONETA_SMTP_URL every message ends here.</p>\n" + shown
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
