"""`/verify?token=` and `/reset-password?token=`: the pages that the links in our mails open.

Opening a link changes nothing, because mail scanners open links too: each page asks for a click, and a script of ours
then sends the mutation like any other client. The pages are the same for all users; only the script reads the token.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.transport.html import page


def _page(title: str, form: str, without_script: str) -> HTMLResponse:
    body = f"""<h1>{title}</h1>
{form}
<p id="outcome" role="status"></p>
<noscript><p>{without_script}</p></noscript>"""
    script = '<script src="/links.js" defer></script>\n'
    return page(f"{title} · Moneta", body, head=script, allowed="script-src 'self'; connect-src 'self'; ")


_VERIFY: Final = (
    "Verify your e-mail address",
    '<form id="verifyEmail"><button>Verify</button></form>',
    "Without JavaScript, enter the code from the same mail in the app instead.",
)
_RESET: Final = (
    "Choose a new password",
    '<form id="resetPassword"><label>New password, at least 10 characters <input type="password" name="newPassword"'
    ' autocomplete="new-password" minlength="10" required autofocus></label>'
    "<button>Set password</button></form>",
    "This page needs JavaScript.",
)
_SCRIPT: Final = """const operations = {
  verifyEmail: {
    query: `mutation VerifyByLink($token: String!) {
      result: verifyEmail(input: { token: $token }) { __typename ... on Problem { message } }
    }`,
    done: "Your e-mail address is verified. You can close this page.",
  },
  resetPassword: {
    query: `mutation ResetByLink($token: String!, $newPassword: String!) {
      result: resetPassword(input: { token: $token, newPassword: $newPassword }) {
        __typename
        ... on Problem { message }
      }
    }`,
    done: "Your password is set, and every session was ended. Log in with the new one.",
  },
};
const form = document.querySelector("form");
const button = form.querySelector("button");
const outcome = document.getElementById("outcome");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  outcome.textContent = "";
  const { query, done } = operations[form.id];
  const token = new URLSearchParams(location.search).get("token") ?? "";
  const variables = { ...Object.fromEntries(new FormData(form)), token };
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    const refusal = errors?.[0]?.message ?? data?.result?.message;
    outcome.textContent = refusal ?? done;
    if (refusal === undefined) form.hidden = true;
  } catch {
    outcome.textContent = "There was no answer. Try again.";
  }
  button.disabled = false;
});
"""


async def verify_page(_: Request) -> Response:
    """The page that asks for a click."""
    return _page(*_VERIFY)


async def reset_page(_: Request) -> Response:
    """The page that asks for a new password."""
    return _page(*_RESET)


async def script(_: Request) -> Response:
    """What the click does on either page."""
    return Response(_SCRIPT, media_type="text/javascript", headers={"cache-control": "no-cache"})
