import pytest

from app.settings import Settings
from tests.transport.support import ALICE, ORIGIN, TOKEN, Witness, ask, build, client_for, errors

SESSION = f"__Host-moneta-session={TOKEN}"
BOTH = f"{SESSION}; __Host-moneta-refresh=spare"
FOREIGN = "https://evil.example"


async def test_a_bearer_token_says_who_calls() -> None:
    response = await ask(client_for(build()), "{ who }", authorization=f"bearer {TOKEN}")
    assert response.json()["data"] == {"who": str(ALICE)}


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer", "Basic YTpi", f"Token {TOKEN}", ""])
async def test_a_bad_authorization_is_never_taken_for_nobody(authorization: str) -> None:
    response = await ask(client_for(build()), "{ hello }", authorization=authorization, cookie=SESSION, origin=ORIGIN)
    assert response.status_code == 401
    assert errors(response)[0][0] == "UNAUTHENTICATED"
    assert response.headers["www-authenticate"] == 'Bearer realm="moneta", error="invalid_token"'


async def test_who_cannot_be_told_in_time_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.transport.callers.AUTHENTICATION_S", 0.05)
    response = await ask(client_for(build()), "{ who }", authorization="Bearer forever")
    assert response.status_code == 503
    assert errors(response)[0][0] == "MAINTENANCE"
    assert response.headers["retry-after"] == "1"


async def test_a_cookie_counts_from_our_own_page() -> None:
    witness = Witness()
    response = await ask(client_for(build(witness=witness)), "{ who }", cookie=BOTH, origin=ORIGIN)
    assert response.json()["data"] == {"who": str(ALICE)}
    (caller,) = witness.callers
    assert (caller.from_browser, caller.refresh_token) == (True, "spare")


async def test_a_cookie_that_ran_out_makes_an_anonymous_caller_and_stays() -> None:
    witness = Witness()
    cookie = "__Host-moneta-session=old; __Host-moneta-refresh=spare"
    response = await ask(client_for(build(witness=witness)), "{ who }", cookie=cookie, origin=ORIGIN)
    assert response.json()["data"] == {"who": None}
    assert "set-cookie" not in response.headers
    assert witness.callers[0].refresh_token == "spare"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": FOREIGN, "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {},
    ],
)
@pytest.mark.parametrize("cookie", [SESSION, "__Host-moneta-refresh=spare"])
async def test_cookies_from_foreign_pages_are_refused(headers: dict[str, str], cookie: str) -> None:
    witness = Witness()
    response = await ask(client_for(build(witness=witness)), "mutation { logout }", cookie=cookie, **headers)
    assert response.status_code == 403
    assert errors(response)[0][0] == "FORBIDDEN"
    assert witness.callers == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},
        {"origin": "https://app.example"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "http://127.0.0.1:9", "host": "127.0.0.1:9"},
    ],
)
async def test_cookies_from_our_pages_and_allowed_ones_are_taken(headers: dict[str, str]) -> None:
    app = build(Settings(public_url=ORIGIN, allowed_origins=("https://app.example/",)))
    response = await ask(client_for(app), "{ who }", cookie=SESSION, **headers)
    assert response.json()["data"] == {"who": str(ALICE)}


async def test_a_bearer_token_needs_no_origin() -> None:
    response = await ask(
        client_for(build()), "{ who }", authorization=f"Bearer {TOKEN}", cookie=SESSION, origin=FOREIGN
    )
    assert response.json()["data"] == {"who": str(ALICE)}


async def test_a_browser_gets_its_session_in_cookies() -> None:
    response = await ask(client_for(build()), "mutation { login }", origin=ORIGIN)
    assert response.headers.get_list("set-cookie") == [
        "__Host-moneta-session=new.access; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax",
        "__Host-moneta-refresh=new-refresh; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Strict",
    ]


async def test_whoever_is_no_browser_gets_no_cookies() -> None:
    for headers in ({}, {"origin": FOREIGN}):
        response = await ask(client_for(build()), "mutation { login }", **headers)
        assert response.json()["data"] == {"login": True}
        assert "set-cookie" not in response.headers


async def test_logging_out_clears_both_cookies() -> None:
    response = await ask(client_for(build()), "mutation { logout }", origin=ORIGIN, cookie=BOTH)
    assert response.headers.get_list("set-cookie") == [
        "__Host-moneta-session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
        "__Host-moneta-refresh=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict",
    ]


async def test_allowed_origins_may_read_and_others_may_not() -> None:
    client = client_for(build(Settings(public_url=ORIGIN, allowed_origins=("https://app.example",))))
    allowed = await ask(client, "{ hello }", origin="https://app.example")
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert allowed.headers["access-control-allow-credentials"] == "true"
    refused = await ask(client, "{ hello }", origin="https://app.example", authorization="Bearer wrong")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://app.example")
    foreign = await ask(client, "{ hello }", origin=FOREIGN)
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "Origin"


async def test_a_preflight_is_answered_for_allowed_origins() -> None:
    client = client_for(build(Settings(public_url=ORIGIN, allowed_origins=("https://app.example",))))
    allowed = await client.options("/graphql", headers={"origin": "https://app.example"})
    assert allowed.status_code == 204
    assert "content-type" in allowed.headers["access-control-allow-headers"]
    foreign = await client.options("/graphql", headers={"origin": FOREIGN})
    assert foreign.status_code == 204
    assert not [name for name in foreign.headers if name.startswith("access-control")]
