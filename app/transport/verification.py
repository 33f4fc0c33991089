"""`/verify?token=`: where the link in a verification mail leads.

Opening a link changes nothing, because mail scanners open links too: the page asks for a click, and a script of ours
then sends the mutation like any other client. The page is the same for everybody; only the script reads the token.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <meta name="color-scheme" content="light dark" />
  <title>Verify your e-mail address · Moneta</title>
  <script src="/verify.js" defer></script>
  <h1>Verify your e-mail address</h1>
  <p><button type="button" id="verify">Verify</button></p>
  <p id="outcome" role="status"></p>
  <noscript><p>Without JavaScript, enter the code from the same mail in the app instead.</p></noscript>
</html>
"""
_SCRIPT: Final = """const query = `mutation VerifyByLink($token: String!) {
  verifyEmail(input: { token: $token }) { __typename ... on Problem { message } }
}`;
const button = document.getElementById("verify");
const outcome = document.getElementById("outcome");
button.addEventListener("click", async () => {
  button.disabled = true;
  const token = new URLSearchParams(location.search).get("token") ?? "";
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query, variables: { token } }),
    });
    const { data, errors } = await response.json();
    const refusal = errors?.[0]?.message ?? data?.verifyEmail?.message;
    outcome.textContent = refusal ?? "Your e-mail address is verified. You can close this page.";
    button.disabled = refusal === undefined;
  } catch {
    outcome.textContent = "There was no answer. Try again.";
    button.disabled = false;
  }
});
"""


async def verify_page(_: Request) -> Response:
    """The page that asks for a click."""
    return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY, "cache-control": "no-store"})


async def verify_script(_: Request) -> Response:
    """What the click does."""
    return Response(_SCRIPT, media_type="text/javascript", headers={"cache-control": "no-cache"})
