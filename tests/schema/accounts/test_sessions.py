"""Sessions, as clients see them."""

from datetime import timedelta
from typing import Any

import pytest

from app.engine.declarations.nodes import global_id
from tests.factories import CLIENT, PASSWORD, open_session, register, register_session
from tests.schema.accounts.conftest import LOGIN, Graph

REFRESH = """mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
    __typename
    ... on RefreshSessionPayload { viewer { user { email } } accessToken refreshToken }
    ... on InvalidInput { path }
    ... on Problem { message } } }"""


def _login(**more: Any) -> dict[str, Any]:
    return {"input": {"email": "alice@example.com", "password": PASSWORD, **more}}


async def test_a_program_gets_its_tokens_in_the_payload(graph: Graph) -> None:
    await register(graph.house, "alice@example.com")
    payload = (await graph.data(LOGIN, _login()))["login"]
    assert payload["viewer"] == {"user": {"email": "alice@example.com"}}
    assert payload["accessTokenExpiresAt"] == "2026-11-21T13:00:00Z"
    assert graph.context.new_session is None
    assert await graph.house.accounts.sessions.authenticate(payload["accessToken"], CLIENT) is not None
    renewed = (await graph.data(REFRESH, {"input": {"refreshToken": payload["refreshToken"]}}))["refreshSession"]
    assert renewed["viewer"] == {"user": {"email": "alice@example.com"}}
    assert await graph.house.accounts.sessions.authenticate(renewed["accessToken"], CLIENT) is not None


async def test_an_answer_with_tokens_reveals_a_secret(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    for browser in (False, True):
        await graph.data(LOGIN, _login(), browser=browser)
        assert graph.context.reveals_secret
        session = await open_session(graph.house, alice.user_id)
        tokens = {"input": {"refreshToken": session.tokens.refresh_token}}
        await graph.data(REFRESH, tokens, browser=browser)
        assert graph.context.reveals_secret
        await graph.data(LOGIN, _login(password="wrong-password"), browser=browser)
        assert not graph.context.reveals_secret


async def test_a_browser_gets_its_tokens_as_cookies_only(graph: Graph) -> None:
    await register(graph.house, "alice@example.com")
    payload = (await graph.data(LOGIN, _login(), browser=True))["login"]
    assert (payload["accessToken"], payload["refreshToken"]) == (None, None)
    tokens = graph.context.new_session
    assert tokens is not None
    renewed = await graph.data(REFRESH, {"input": {}}, browser=True, refresh_cookie=tokens.refresh_token)
    assert renewed["refreshSession"]["accessToken"] is None
    assert renewed["refreshSession"]["viewer"] == {"user": {"email": "alice@example.com"}}
    assert graph.context.new_session is not None
    assert graph.context.new_session.refresh_token != tokens.refresh_token
    stolen = await graph.data(REFRESH, {"input": {}}, browser=True, refresh_cookie=tokens.refresh_token)
    assert stolen["refreshSession"]["__typename"] == "SessionEnded"
    assert graph.context.session_ended
    assert graph.context.new_session is None


@pytest.mark.parametrize("delivery", ["COOKIE", "BEARER"])
async def test_a_page_may_choose_how_its_tokens_come(graph: Graph, delivery: str) -> None:
    await register(graph.house, "alice@example.com")
    payload = (await graph.data(LOGIN, _login(delivery=delivery), browser=True))["login"]
    assert (payload["accessToken"] is None) is (delivery == "COOKIE")
    assert (graph.context.new_session is not None) is (delivery == "COOKIE")


async def test_no_session_is_opened_or_renewed_whose_tokens_would_be_lost(graph: Graph) -> None:
    await register(graph.house, "alice@example.com")
    before = await graph.house.auth_log()
    refused = (await graph.data(LOGIN, _login(delivery="COOKIE")))["login"]
    assert (refused["__typename"], refused["path"]) == ("InvalidInput", ["input", "delivery"])
    assert await graph.house.auth_log() == before

    await graph.data(LOGIN, _login(), browser=True)
    tokens = graph.context.new_session
    assert tokens is not None
    for caller, delivery in (({"browser": False}, None), ({"browser": True}, "BEARER")):
        answer = await graph.data(
            REFRESH, {"input": {"delivery": delivery}}, refresh_cookie=tokens.refresh_token, **caller
        )
        assert (answer["refreshSession"]["__typename"], answer["refreshSession"]["path"]) == (
            "InvalidInput",
            ["input", "delivery"],
        )
    renewed = await graph.data(REFRESH, {"input": {}}, browser=True, refresh_cookie=tokens.refresh_token)
    assert renewed["refreshSession"]["__typename"] == "RefreshSessionPayload", "the cookie is still unspent"


async def test_a_wrong_password_and_too_many_are_data(graph: Graph) -> None:
    for _ in range(5):
        assert (await graph.data(LOGIN, _login()))["login"]["__typename"] == "BadCredentials"
    assert (await graph.data(LOGIN, _login()))["login"]["__typename"] == "RateLimited"
    assert graph.context.viewer is None


async def test_log_out_ends_the_session_and_the_viewer(graph: Graph) -> None:
    session = await register_session(graph.house)
    query = "mutation { logout { ... on LogoutPayload { isLoggedOut } } }"
    assert await graph.data(query, by=session.viewer) == {"logout": {"isLoggedOut": True}}
    assert graph.context.session_ended
    assert graph.context.viewer is None
    assert await graph.house.accounts.sessions.authenticate(session.tokens.access_token, CLIENT) is None


async def test_log_out_by_cookie_works_after_the_access_token_expired(graph: Graph) -> None:
    session = await register_session(graph.house)
    query = "mutation { logout { __typename } }"
    await graph.data(query, browser=True, refresh_cookie=session.tokens.refresh_token)
    assert graph.context.session_ended
    assert await graph.house.owner.fetchval("SELECT count(*) FROM sessions") == 0


async def test_sessions_are_revoked_one_by_one_or_all(graph: Graph) -> None:
    session = await register_session(graph.house)
    bob = await register(graph.house, "bob@example.com")
    query = """mutation($id: ID!) { revokeSession(input: {id: $id}) { __typename
        ... on RevokeSessionPayload { deletedId } } }"""
    foreign = await graph.data(query, {"id": global_id("LoginSession", bob.session_id)}, by=session.viewer)
    assert foreign == {"revokeSession": {"__typename": "NotFound"}}
    own = global_id("LoginSession", session.tokens.session_id)
    revoked = await graph.data(query, {"id": own}, by=session.viewer)
    assert revoked == {"revokeSession": {"__typename": "RevokeSessionPayload", "deletedId": own}}
    everywhere = "mutation { logoutEverywhere { ... on LogoutEverywherePayload { endedSessionCount } } }"
    assert await graph.data(everywhere, by=bob) == {"logoutEverywhere": {"endedSessionCount": 1}}


async def test_sessions_are_paged_and_say_which_is_current(graph: Graph) -> None:
    alice = await register(graph.house)
    graph.house.clock.advance(timedelta(minutes=1))
    await open_session(graph.house, alice.user_id)
    query = """query($after: Cursor) { viewer { sessions(first: 1, after: $after) {
        nodes { isCurrent userAgent ipAddress } pageInfo { hasNextPage endCursor }
        totalCount { value precision } } } }"""
    first = (await graph.data(query, by=alice))["viewer"]["sessions"]
    assert first["nodes"] == [{"isCurrent": False, "userAgent": "tests", "ipAddress": "203.0.113.7"}]
    assert first["totalCount"] == {"value": 2, "precision": "EXACT"}
    second = (await graph.data(query, {"after": first["pageInfo"]["endCursor"]}, by=alice))["viewer"]["sessions"]
    assert [node["isCurrent"] for node in second["nodes"]] == [True]
    assert second["pageInfo"]["hasNextPage"] is False


async def test_the_session_of_another_is_no_node(graph: Graph) -> None:
    alice, bob = await register(graph.house), await register(graph.house, "bob@example.com")
    query = "query($id: ID!) { node(id: $id) { id } }"
    session = global_id("LoginSession", alice.session_id)
    assert (await graph.data(query, {"id": session}, by=alice))["node"] == {"id": session}
    assert (await graph.data(query, {"id": session}, by=bob))["node"] is None
    assert (await graph.data(query, {"id": session}))["node"] is None
