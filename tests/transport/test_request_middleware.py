import re

import pytest

from app.kit.mail import StoredMessage
from app.settings import Settings
from tests.engine.support import listening
from tests.transport.support import ALICE, ORIGIN, TOKEN, Witness, ask, build, client_for, errors


async def test_every_reply_carries_a_request_id() -> None:
    client = client_for(build())
    given = await ask(client, "{ hello }", x_request_id="caller-chosen.1")
    assert given.headers["x-request-id"] == "caller-chosen.1"
    for offered in ("short", "x" * 65, "has space!", 'quote"quote'):
        made = await client.get("/nowhere", headers={"x-request-id": offered})
        assert re.fullmatch(r"[0-9a-f]{16}", made.headers["x-request-id"])


async def test_one_line_is_logged_for_a_request_without_secrets() -> None:
    with listening() as logs:
        await ask(
            client_for(build()),
            "query Mine { who }",
            authorization=f"Bearer {TOKEN}",
            cookie="__Host-moneta-session=cookie-secret",
            x_request_id="request-7",
        )
    (line,) = logs
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation": "Mine",
        "type": "query",
        "statements": 0,
        "user_id": str(ALICE),
        "request_id": "request-7",
    }


@pytest.mark.plan_fails
async def test_failures_are_logged_under_the_id_that_the_client_got() -> None:
    with listening() as logs:
        await ask(client_for(build()), "{ boom }", x_request_id="request-8")
    assert [(line["event"], line["log_level"], line["request_id"]) for line in logs] == [
        ("engine.plan_failed", "warning", "request-8"),
        ("resolver_failed", "error", "request-8"),
        ("request", "info", "request-8"),
    ]


async def test_security_headers_are_everywhere() -> None:
    client = client_for(build())
    for path in ("/graphql", "/nowhere", "/health/live", "/ide", "/metrics"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


@pytest.mark.parametrize("path", ["/nowhere", "/graphql//", "/ide/", "/ide/assets/none.js", "/ide/assets/../x"])
async def test_an_unknown_path_is_a_404_in_json(path: str) -> None:
    response = await client_for(build()).get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert errors(response)[0][0] == "NOT_FOUND"


async def test_a_wrong_method_is_a_405_in_json() -> None:
    response = await client_for(build()).post("/health/live")
    assert (response.status_code, errors(response)[0][0]) == (405, "BAD_USER_INPUT")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.9", "203.0.113.7", "10.0.0.9"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.1", "203.0.113.7"),
        ("10.0.0.1", "not an address", None),
    ],
)
async def test_the_word_of_a_proxy_counts_if_we_trust_it(peer: str, forwarded: str, expected: str | None) -> None:
    witness = Witness()
    app = build(Settings(public_url=ORIGIN, trusted_proxies="10.0.0.1"), witness)
    await ask(client_for(app, client=(peer, 1)), "{ hello }", x_forwarded_for=forwarded, user_agent="agent/1")
    assert witness.callers[0].client.ip == expected
    assert witness.callers[0].client.user_agent == "agent/1"


async def test_no_proxy_is_trusted_unless_it_is_named() -> None:
    witness = Witness()
    app = build(Settings(public_url=ORIGIN), witness)
    await ask(client_for(app, client=("127.0.0.1", 1)), "{ hello }", x_forwarded_for="203.0.113.7")
    assert witness.callers[0].client.ip == "127.0.0.1"


class BrokenMailbox:
    """Fails as nobody expects."""

    async def recent(self, limit: int = 50) -> list[StoredMessage]:
        raise RuntimeError("a secret detail")


async def test_what_breaks_outside_of_graphql_is_masked_too() -> None:
    with listening() as logs:
        response = await client_for(build(dev_mailbox=BrokenMailbox())).get(
            "/dev/mail", headers={"x-request-id": "request-9"}
        )
    assert response.status_code == 500
    assert response.json() == {
        "errors": [{"message": "Internal error.", "extensions": {"code": "INTERNAL", "requestId": "request-9"}}]
    }
    assert [(line["event"], line["request_id"]) for line in logs] == [
        ("request_failed", "request-9"),
        ("request", "request-9"),
    ]
