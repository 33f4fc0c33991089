import pytest

from app.settings import Settings
from app.transport.credentials import SCHEME
from app.transport.runtime import Refusal
from tests.transport.support import ALICE, ORIGIN, TOKEN, Witness, ask, build, client_for, errors

SESSION = f"__Host-moneta-session={TOKEN}"
BOTH = f"{SESSION}; __Host-moneta-refresh=spare"
FOREIGN = "https://evil.example"


async def test_a_bearer_token_says_who_calls() -> None:
    response = await ask(client_for(build()), "{ who }", authorization=f"bearer {TOKEN}")
    assert response.json()["data"] == {"who": str(ALICE)}


WRONG = (
    200,
    {"who": None},
    'Bearer realm="moneta", error="invalid_token", error_description="\'wrong\' is not valid."',
)


@pytest.mark.parametrize("authorization", ["Bearer wrong", "bearer  wrong ", "wrong"])
async def test_a_bearer_token_that_is_not_good_makes_nobody_whatever_cookies_say(authorization: str) -> None:
    witness = Witness()
    response = await ask(
        client_for(build(witness=witness)), "{ who }", authorization=authorization, cookie=BOTH, origin=ORIGIN
    )
    assert (response.status_code, response.json()["data"], response.headers["www-authenticate"]) == WRONG
    (caller,) = witness.callers
    assert (caller.viewer, caller.refresh_token) == (None, None)
    assert caller.refusal == Refusal("'wrong' is not valid.", is_deliberate=True)


@pytest.mark.parametrize("authorization", ["", " ", "Bearer", "bearer ", "Bearer  "])
async def test_an_authorization_without_a_token_is_none(authorization: str) -> None:
    witness = Witness()
    client = client_for(build(witness=witness))
    anonymous = await ask(client, "{ who }", authorization=authorization)
    assert (anonymous.status_code, anonymous.json()["data"]) == (200, {"who": None})
    assert "www-authenticate" not in anonymous.headers
    assert witness.callers[0].refusal is None
    known = await ask(client, "{ who }", authorization=authorization, cookie=SESSION, origin=ORIGIN)
    assert known.json()["data"] == {"who": str(ALICE)}


@pytest.mark.parametrize("authorization", ["Basic YTpi", f"Token {TOKEN}", f"Bearer: {TOKEN}", f"JWT {TOKEN}"])
async def test_what_is_meant_for_somebody_else_says_nothing_of_the_caller(authorization: str) -> None:
    witness = Witness()
    client = client_for(build(witness=witness))
    anonymous = await ask(client, "{ who }", authorization=authorization)
    assert (anonymous.status_code, anonymous.json()["data"]) == (200, {"who": None})
    assert witness.callers[0].refusal == Refusal(SCHEME, is_deliberate=False)
    known = await ask(client, "{ who }", authorization=authorization, cookie=SESSION, origin=ORIGIN)
    assert known.json()["data"] == {"who": str(ALICE)}
    assert witness.callers[1].refusal is None


async def test_whoever_holds_an_old_token_may_log_in() -> None:
    for authorization in ("", "Bearer wrong", "Basic YTpi"):
        response = await ask(client_for(build()), "mutation { login }", authorization=authorization)
        assert (response.status_code, response.json()["data"]) == (200, {"login": True})


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
    assert "www-authenticate" not in response.headers
    assert witness.callers[0].refresh_token == "spare"
    assert witness.callers[0].refusal == Refusal("'old' is not valid.", is_deliberate=False)


NOT_OURS: list[dict[str, str]] = [
    {},
    {"origin": FOREIGN},
    {"origin": "null"},
    {"origin": "https://testserver"},
    {"origin": "http://testserver:8000"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://TESTSERVER"},
    {"origin": FOREIGN, "sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    # Whoever owns a name may let it lead to us, and serve a page under it before.
    {"origin": "http://rebound.example", "host": "rebound.example"},
    {"origin": "http://127.0.0.1:9", "host": "127.0.0.1:9"},
    {"host": "rebound.example", "sec_fetch_site": "same-origin"},
]


@pytest.mark.parametrize("headers", NOT_OURS)
@pytest.mark.parametrize("cookie", [SESSION, "__Host-moneta-refresh=spare"])
async def test_cookies_from_foreign_pages_are_refused(headers: dict[str, str], cookie: str) -> None:
    witness = Witness()
    client = client_for(build(witness=witness))
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"cookie": cookie}
    for response in (
        await ask(client, "mutation { logout }", cookie=cookie, **headers),
        await client.get("/graphql?query={who}", headers=named),
    ):
        assert response.status_code == 403
        assert errors(response) == [
            ("FORBIDDEN", "Cookies count only from our own pages. Other callers send a bearer token.")
        ]
    assert witness.callers == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},
        {"origin": "https://app.example"},
        {"origin": ORIGIN, "host": "an-inner-name:8000"},
        {"sec_fetch_site": "same-origin"},
    ],
)
async def test_cookies_from_our_pages_and_allowed_ones_are_taken(headers: dict[str, str]) -> None:
    client = client_for(build(Settings(public_url=ORIGIN, allowed_origins=("https://app.example/",))))
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"cookie": SESSION}
    for response in (
        await ask(client, "{ who }", cookie=SESSION, **headers),
        await client.get("/graphql?query={who}", headers=named),
    ):
        assert response.json()["data"] == {"who": str(ALICE)}


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "192.0.2.7"])
async def test_in_development_loopback_is_ours_under_each_of_its_names(name: str) -> None:
    client = client_for(build(Settings(host="192.0.2.7", port=8123)))
    ours = await ask(client, "{ who }", cookie=SESSION, origin=f"http://{name}:8123")
    assert ours.json()["data"] == {"who": str(ALICE)}
    for other in (f"http://{name}:8124", f"https://{name}:8123", f"http://{name}"):
        assert (await ask(client, "{ who }", cookie=SESSION, origin=other)).status_code == 403


async def test_an_origin_that_was_set_is_the_only_one() -> None:
    production = {"environment": "production", "secret_key": "x" * 32, "key_encryption_keys": "k:" + "a" * 44}
    for settings in (Settings(public_url=ORIGIN, port=80), Settings(host="testserver", port=80, **production)):  # type: ignore[arg-type]
        client = client_for(build(settings))
        assert (await ask(client, "{ who }", cookie=SESSION, origin=ORIGIN)).status_code == 200
        assert (await ask(client, "{ who }", cookie=SESSION, origin="http://localhost")).status_code == 403


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
