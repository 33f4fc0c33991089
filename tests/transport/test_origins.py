"""Which pages may call, and the headers that say so to a browser."""

import pytest
from pydantic import ValidationError

from app.settings import Settings
from tests.transport.support import ORIGIN, Witness, ask, build, client_for
from tests.transport.test_pages import PRODUCTION

APP = "https://app.example"
ELSEWHERE = "http://localhost:3000"
CORS = "access-control-"
# What Apollo Client, urql, Relay, graphql-sse and their companions for tracing send.
SENT = (
    *("accept", "authorization", "cache-control", "content-type", "last-event-id", "x-request-id"),
    *("apollo-require-preflight", "apollographql-client-name", "apollographql-client-version"),
    *("x-apollo-operation-name", "graphql-require-preflight", "x-graphql-event-stream-token"),
    *("baggage", "traceparent", "tracestate", "sentry-trace"),
)


def cors_headers(headers: object) -> dict[str, str]:
    return {name.removeprefix(CORS): value for name, value in dict(headers).items() if name.startswith(CORS)}  # type: ignore[call-overload]


def settings(**values: object) -> Settings:
    return Settings(**{"public_url": ORIGIN, "allowed_origins": (APP,)} | values)  # type: ignore[arg-type]


def in_production(**values: object) -> Settings:
    return Settings(**PRODUCTION.model_dump(exclude_none=True) | {"allowed_origins": (APP,)} | values)


@pytest.mark.parametrize("origin", [ORIGIN, APP])
async def test_pages_that_may_use_cookies_may_read_with_them(origin: str) -> None:
    response = await ask(client_for(build(in_production())), "{ hello }", origin=origin)
    assert cors_headers(response.headers) == {
        "allow-origin": origin,
        "allow-credentials": "true",
        "expose-headers": "ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
    }
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [ELSEWHERE, "https://evil.example", "null", "capacitor://localhost"])
async def test_in_development_any_page_may_call_without_cookies(origin: str) -> None:
    witness = Witness()
    response = await ask(client_for(build(settings(), witness)), "{ hello }", origin=origin)
    assert cors_headers(response.headers) == {
        "allow-origin": "*",
        "expose-headers": "ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
    }
    assert response.headers["vary"] == "Origin"
    assert witness.callers[0].from_browser is False


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "*"}])
async def test_in_production_others_learn_nothing(headers: dict[str, str]) -> None:
    client = client_for(build(in_production()))
    for response in (await ask(client, "{ hello }", **headers), await client.options("/graphql", headers=headers)):
        assert cors_headers(response.headers) == {}
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("listed", "origin", "answer"),
    [
        ("*", ELSEWHERE, "*"),
        ("https://a.example, http://localhost:3000/", ELSEWHERE, ELSEWHERE),
        ('["http://LOCALHOST:3000"]', ELSEWHERE, ELSEWHERE),
        ("https://a.example:443", "https://a.example", "https://a.example"),
        ("https://a.example", ELSEWHERE, None),
        ("[]", ELSEWHERE, None),
    ],
)
async def test_a_setting_says_which_pages_may_call_without_cookies(
    listed: str, origin: str, answer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONETA_CORS_ORIGINS", listed)
    for chosen in (settings(), in_production()):
        response = await ask(client_for(build(chosen)), "{ hello }", origin=origin)
        assert cors_headers(response.headers).get("allow-origin") == answer
        assert "allow-credentials" not in cors_headers(response.headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONETA_ALLOWED_ORIGINS", "*"),
        ("MONETA_ALLOWED_ORIGINS", "https://a.example/path"),
        ("MONETA_ALLOWED_ORIGINS", "a.example"),
        ("MONETA_CORS_ORIGINS", "https://*.example"),
        ("MONETA_CORS_ORIGINS", "https://user@a.example"),
        ("MONETA_PUBLIC_URL", "*"),
        ("MONETA_PUBLIC_URL", "moneta.example"),
    ],
)
def test_what_no_browser_could_name_is_no_origin(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_an_origin_is_taken_as_a_browser_writes_it() -> None:
    assert Settings(public_url="HTTPS://Moneta.Example:443/").origin == "https://moneta.example"
    assert Settings(public_url="").origin == "http://127.0.0.1:8000"
    assert Settings(host="::1", port=80).own_origins[0] == "http://[::1]"


async def test_a_preflight_allows_what_known_clients_send_and_whatever_else_is_asked_for() -> None:
    client = client_for(build(settings()))
    asked = {"access-control-request-method": "POST", "access-control-request-headers": ", ".join((*SENT, "x-own"))}
    for origin, credentials in ((APP, "true"), (ELSEWHERE, None)):
        answer = await client.options("/graphql", headers={"origin": origin} | asked)
        assert answer.status_code == 204
        allowed = cors_headers(answer.headers)["allow-headers"].split(", ")
        assert {*SENT, "x-own"} <= {*allowed}
        assert cors_headers(answer.headers)["allow-methods"] == "GET, POST"
        assert cors_headers(answer.headers)["max-age"] == "86400"
        assert cors_headers(answer.headers).get("allow-credentials") == credentials
        assert "allow-private-network" not in cors_headers(answer.headers)
        unasked = await client.options("/graphql", headers={"origin": origin})
        assert {*SENT} <= {*cors_headers(unasked.headers)["allow-headers"].split(", ")}


async def test_a_preflight_repeats_nothing_but_names() -> None:
    asked = "x-a\tb, x y, \u00e9, x-good, " + ", ".join(f"x-{n}" for n in range(100))
    headers = {b"origin": ELSEWHERE.encode(), b"access-control-request-headers": asked.encode()}
    answer = await client_for(build(settings())).options("/graphql", headers=headers)
    allowed = cors_headers(answer.headers)["allow-headers"].split(", ")
    assert "x-good" in allowed
    assert len(allowed) < 80
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in allowed)


async def test_a_page_of_the_internet_may_call_a_server_at_home_where_any_may() -> None:
    asked = {"origin": "https://somewhere.example", "access-control-request-private-network": "true"}
    allowed = await client_for(build(settings())).options("/graphql", headers=asked)
    assert cors_headers(allowed.headers)["allow-private-network"] == "true"
    refused = await client_for(build(in_production())).options("/graphql", headers=asked)
    assert cors_headers(refused.headers) == {}


@pytest.mark.parametrize(
    ("method", "body", "headers", "status"),
    [
        ("POST", b"{", {}, 400),
        ("POST", b'{"query": "{ hello }"}', {"content-type": "text/plain"}, 415),
        ("POST", b'{"query": "{ hello }"}', {"accept": "image/png"}, 406),
        ("POST", b'{"query": "{ hello }"}', {"authorization": "Bearer unknowable"}, 503),
        ("POST", b'{"query": "{ hello }"}', {"cookie": "__Host-moneta-session=x"}, 403),
        ("POST", b" " * 300_000, {}, 413),
        ("PUT", b"", {}, 405),
    ],
)
async def test_a_refusal_can_be_read_as_well(method: str, body: bytes, headers: dict[str, str], status: int) -> None:
    named = {"content-type": "application/json", "origin": ELSEWHERE} | headers
    response = await client_for(build(settings())).request(method, "/graphql", content=body, headers=named)
    assert (response.status_code, cors_headers(response.headers)["allow-origin"]) == (status, "*")
    assert response.headers.get_list("vary") == ["Origin"]


async def test_what_breaks_can_be_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("app.transport.callers.Callers.identify", break_down)
    response = await ask(client_for(build(settings())), "{ hello }", origin=ELSEWHERE)
    assert (response.status_code, cors_headers(response.headers)["allow-origin"]) == (500, "*")


async def test_only_the_graph_is_for_other_pages() -> None:
    client = client_for(build(settings()))
    for path in ("/health/live", "/metrics", "/ide", "/ide/config.json", "/nowhere"):
        assert cors_headers((await client.get(path, headers={"origin": ELSEWHERE})).headers) == {}


async def test_a_slash_too_many_is_the_same_place() -> None:
    client = client_for(build(settings()))
    posted = await client.post("/graphql/", json={"query": "{ hello }"}, headers={"origin": ELSEWHERE})
    got = await client.get("/graphql/?query={hello}")
    assert [each.json()["data"] for each in (posted, got)] == [{"hello": "hello world"}] * 2
    assert cors_headers(posted.headers)["allow-origin"] == "*"
    assert (await client.options("/graphql/", headers={"origin": ELSEWHERE})).status_code == 204
