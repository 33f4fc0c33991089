"""`/`: what this server is, whether it is ready, and where everything is: a page for browsers, otherwise JSON."""

import json
import shlex
from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.engine.execution.encoding import encode
from app.transport.health import Health
from app.transport.html import hash_of, page
from app.transport.messages import GRAPHQL_JSON, HTML, JSON, accepted, quality_of
from app.transport.origins import Origins
from app.transport.runtime import AppRuntime, DemoLogin

_WHAT: Final = "One GraphQL graph over a crypto platform, with live subscriptions"
_ADDRESSES: Final[Mapping[str, str]] = {
    "/ide": "GraphiQL, with examples to run and a list of the events of subscriptions",
    "/graphql": "The graph: POST and GET, WebSockets (graphql-transport-ws), server-sent events, multipart",
    "/docs": "The reference: every type and field with its description",
    "/schema.graphql": "The schema in its own language",
    "/health/ready": "Whether requests can be served; <code>/health/live</code>: whether the process runs",
    "/metrics": "Metrics for Prometheus",
}
_TICKS: Final = 'subscription { priceTicks(symbols: ["BTC"]) { at ticks { symbol priceUsd } } }'
_LACKING: Final = {
    "database": "the database does not answer in time",
    "cache": "Redis does not answer in time",
    "apis": "a source of prices does not answer in time",
}

# Without it, or where a browser allows no copying, the calls can be selected as any text.
_COPY: Final = """
for (const call of navigator.clipboard ? document.querySelectorAll(".call") : []) {
  const button = document.createElement("button");
  const name = call.previousElementSibling.textContent;
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${name}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(call.querySelector("code").textContent);
    button.textContent = "Copied";
    button.removeAttribute("aria-label");
  });
  call.prepend(button);
}
"""


class FrontPage:
    """`/`."""

    def __init__(self, runtime: AppRuntime, health: Health) -> None:
        self._settings = runtime.settings
        self._health = health
        self._origins = Origins(runtime.settings)
        self._offers_demo = not runtime.settings.production
        self._logins = runtime.demo_logins if self._offers_demo else ()
        self._codes = runtime.demo_access_codes if self._offers_demo else ()
        self._has_mailbox = runtime.dev_mailbox is not None and self._offers_demo

    async def show(self, request: Request) -> Response:
        """The page, or the same as `{name, description, status, checks, addresses}`."""
        checks = await self._health.checks()
        origin = self._settings.origin
        if not _wants_html(request):
            body = {
                "name": "Moneta",
                "description": _WHAT,
                "status": "ready" if all(checks.values()) else "not ready",
                "checks": {name: "healthy" if holds else "unhealthy" for name, holds in checks.items()},
                "addresses": {path: origin + path for path in self._addresses()},
            }
            return Response(encode(body), headers={"cache-control": "no-store", "vary": "Accept"}, media_type=JSON)
        # Under another name, which anybody can point at us, a page of somebody else's could read the log-ins.
        is_local = self._origins.is_under_our_name(request.headers)
        body_html = "\n".join(
            [
                f"<h1>{_WHAT}</h1>",
                _status(checks),
                _table("Addresses", {_link(path): what for path, what in self._addresses().items()}),
                self._demo() if is_local and self._logins else "",
                _calls(origin, self._logins[0] if is_local and self._logins else None),
                f"<script>{_COPY}</script>",
            ]
        )
        shown = page("Moneta", body_html, allowed=f"script-src {hash_of(_COPY)}; ")
        shown.headers["vary"] = "Accept"
        return shown

    def _addresses(self) -> Mapping[str, str]:
        mailbox = {"/dev/mail": "The mail that this server would have sent"} if self._has_mailbox else {}
        return {**_ADDRESSES, **mailbox}

    def _demo(self) -> str:
        rows = {
            f"<code>{escape(login.email)}</code>": f"<code>{escape(login.password)}</code>" for login in self._logins
        }
        table = _table("Demo log-ins", rows)
        if not self._codes:
            return table
        return f"{table}\n<p>To register, use the access code <code>{escape(self._codes[0])}</code>.</p>"


def _wants_html(request: Request) -> bool:
    ranges = accepted(request.headers.get("accept"))
    return HTML in ranges and quality_of(HTML, ranges) >= max(ranges.get(JSON, 0.0), ranges.get(GRAPHQL_JSON, 0.0))


def _status(checks: Mapping[str, bool]) -> str:
    lacking = [_LACKING[name] for name, holds in checks.items() if not holds]
    if not lacking:
        return '<p class="status ready" role="status">Ready</p>'
    return f'<p class="status unready" role="status">Not ready: {"; ".join(lacking)}</p>'


def _link(path: str) -> str:
    return f'<a href="{path}">{path}</a>'


def _table(title: str, rows: Mapping[str, str]) -> str:
    shown = "\n".join(f"<dt>{term}</dt><dd>{what}</dd>" for term, what in rows.items())
    return f"<h2>{title}</h2>\n<dl>\n{shown}\n</dl>"


def _calls(origin: str, login: DemoLogin | None) -> str:
    """Commands for a shell. Without a demo, the log-in is for the reader to fill in."""
    email, password = (login.email, login.password) if login else ("you@example.com", "your password")
    given = f"email: {_text(email)}, password: {_text(password)}"
    log_in = f"mutation {{ login(input: {{{given}}}) {{ ... on LoginPayload {{ accessToken }} }} }}"
    send = f"curl -s {origin}/graphql -H 'content-type: application/json'"
    calls = {
        "A query": f"{send} \\\n  -d {_body('{ chain { height circulatingCoins } }')}",
        "A query, logged in": (
            f"token=$({send} \\\n  -d {_body(log_in)} \\\n"
            f'  | sed \'s/.*"accessToken":"\\([^"]*\\)".*/\\1/\')\n'
            f'{send} -H "authorization: Bearer $token" \\\n'
            f"  -d {_body('{ viewer { user { email } wallet { walletId balance } } }')}"
        ),
        "A subscription, as server-sent events": (f"{send} -N -H 'accept: text/event-stream' \\\n  -d {_body(_TICKS)}"),
    }
    shown = "\n".join(
        f'<h3>{title}</h3>\n<div class="call"><pre><code>{escape(call, quote=False)}</code></pre></div>'
        for title, call in calls.items()
    )
    return f"<h2>Three calls to copy</h2>\n{shown}"


def _text(text: str) -> str:
    """As a string in GraphQL."""
    return json.dumps(text, ensure_ascii=False)


def _body(query: str) -> str:
    """The body of a request, as one argument in a shell."""
    return shlex.quote(json.dumps({"query": query}, ensure_ascii=False))
