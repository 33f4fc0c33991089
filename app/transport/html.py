"""The frame of the pages that Python renders: one style, and a policy that allows nothing but what a page names."""

import base64
import hashlib
from typing import Final
from urllib.parse import quote

from starlette.responses import HTMLResponse

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1d2436;--faint:#5a6275;--paper:#fff;--raised:#f4f5f8;--line:#d0d4de;--gold:#8a5d0c;
--on-gold:#fff;--alarm:#b3261e;--calm:#1a6b47}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--faint:#a7b0c3;--paper:#171d2b;--raised:#212a3b;--line:#3c4660;
--gold:#d9a441;--on-gold:#241a05;--alarm:#ff9b93;--calm:#6fd3a5}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:50rem;margin:0 auto;padding:2.5rem 1.25rem 4rem;overflow-wrap:anywhere}
h1{margin:0 0 .5rem;font-size:1.8rem;line-height:1.25}
h2{margin:2.5rem 0 .75rem;font-size:1.15rem}
h3{margin:1.25rem 0 .4rem;font-size:1rem;font-weight:500}
p{margin:.5rem 0}
a{color:var(--gold);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--gold);outline-offset:2px}
small,.faint{color:var(--faint)}
code,pre{font:.875rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:0;padding:.85rem 1rem;border:1px solid var(--line);border-radius:8px;background:var(--raised);
white-space:pre-wrap;overflow-wrap:anywhere}
button{padding:.5rem 1rem;border:1px solid var(--gold);border-radius:6px;background:var(--gold);color:var(--on-gold);
font:inherit;cursor:pointer}
button:disabled{opacity:.5;cursor:default}
input{display:block;width:100%;max-width:24rem;margin:.3rem 0 1rem;padding:.5rem .7rem;border:1px solid var(--line);
border-radius:6px;background:transparent;color:inherit;font:inherit}
article{padding:.75rem 0;border-top:1px solid var(--line)}
article h2{margin:0;font-size:1rem}
article pre{margin-top:.5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.45rem 1.5rem;margin:0}
dt,dd{margin:0;overflow-wrap:anywhere}
.brand{display:inline-flex;align-items:center;gap:.6rem;margin-bottom:1.5rem;color:inherit;font-weight:500;
text-decoration:none}
.brand svg{display:block;width:1.6rem;height:1.6rem}
nav details{margin:.35rem 0}nav details a{margin-right:.6rem}summary{cursor:pointer}
dd p{margin:0}dd ul{margin:.3rem 0;padding-left:1.1rem}
.members{grid-template-columns:1fr;gap:0}.members>dd{margin:0 0 .75rem 1rem}
article h3{margin:0;font-weight:600}
.status{display:inline-block;margin:.75rem 0 0;padding:.3rem .85rem;border:1px solid;border-radius:1rem}
.ready{color:var(--calm)}
.unready{color:var(--alarm)}
.call{position:relative}
.call button{position:absolute;top:-2.4rem;right:0;padding:.15rem .7rem;border-color:var(--line);background:transparent;
color:inherit;font-size:.875rem}
@media(max-width:34rem){main{padding-top:1.5rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.75rem}}
"""


LOGO: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="#d9a441"/>'
    '<circle cx="16" cy="16" r="11.5" fill="none" stroke="#7a5310" stroke-width="1.5"/>'
    '<path d="M10 21.5V11l6 7 6-7v10.5" fill="none" stroke="#4a3208" stroke-width="2.6" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
_BRAND: Final = f'<a class="brand" href="/"><span aria-hidden="true">{LOGO}</span>Moneta</a>\n'
_ICON: Final = f"data:image/svg+xml,{quote(LOGO)}"


def hash_of(text: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY: Final = (
    f"default-src 'none'; style-src {hash_of(_STYLE)}; {{allowed}}base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def page(title: str, body: str, *, head: str = "", allowed: str = "", status: int = 200) -> HTMLResponse:
    """A page. `head` and `body` are HTML; `allowed` are directives of the policy, each with a semicolon and a space."""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{_ICON}">
<style>{_STYLE}</style>
{head}</head>
<body>
<main>
{_BRAND}{body}
</main>
</body>
</html>
"""
    policy = _POLICY.format(allowed=f"img-src data:; {allowed}")
    return HTMLResponse(html, status, {"content-security-policy": policy, "cache-control": "no-store"})
