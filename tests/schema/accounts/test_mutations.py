from typing import Any

import pytest

from app.domains.accounts.model import Role
from app.engine.nodes import global_id
from tests.factories import CLIENT, PASSWORD, open_session, register, register_session
from tests.schema.accounts.conftest import Graph

LOGIN = """mutation($input: LoginInput!) { login(input: $input) {
    __typename
    ... on LoginPayload { viewer { user { email } } accessToken refreshToken accessTokenExpiresAt }
    ... on InvalidInput { field }
    ... on Problem { message } } }"""
REFRESH = """mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
    __typename
    ... on RefreshSessionPayload { viewer { user { email } } accessToken refreshToken }
    ... on InvalidInput { field }
    ... on Problem { message } } }"""
REGISTER = """mutation($input: RegisterInput!) { register(input: $input) {
    __typename
    ... on RegisterPayload { user { id displayName email } }
    ... on InvalidInput { field }
    ... on Problem { message } } }"""


def _login(**more: Any) -> dict[str, Any]:
    return {"input": {"email": "alice@example.com", "password": PASSWORD, **more}}


async def test_a_stranger_registers_verifies_and_logs_in(graph: Graph) -> None:
    await graph.house.add_code()
    new = {
        "accessCode": "bitcoin2025",
        "email": "New@Example.com",
        "password": PASSWORD,
        "fullName": "New User",
        "displayName": "Newcomer",
    }
    registered = (await graph.data(REGISTER, {"input": new}))["register"]
    assert registered["__typename"] == "RegisterPayload"
    assert (registered["user"]["displayName"], registered["user"]["email"]) == ("Newcomer", None)
    await graph.house.work()
    code = graph.house.mailbox.last(r"code is (\d{6})\.")
    verify = """mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { __typename
        ... on VerifyEmailPayload { user { id } } } }"""
    verified = await graph.data(verify, {"input": {"code": {"email": "new@example.com", "code": code}}})
    assert verified["verifyEmail"] == {"__typename": "VerifyEmailPayload", "user": {"id": registered["user"]["id"]}}
    again = await graph.data(verify, {"input": {"token": "nonsense"}})
    assert again["verifyEmail"] == {"__typename": "VerificationInvalid"}
    opened = await graph.data(LOGIN, {"input": {"email": "new@example.com", "password": PASSWORD}})
    assert opened["login"]["viewer"] == {"user": {"email": "new@example.com"}}


async def test_problems_of_registration_are_data(graph: Graph) -> None:
    new = {"accessCode": "UNKNOWN", "email": "a@example.com", "password": PASSWORD, "fullName": "A"}
    assert (await graph.data(REGISTER, {"input": new}))["register"]["__typename"] == "AccessCodeInvalid"
    refused = (await graph.data(REGISTER, {"input": {**new, "email": "nonsense"}}))["register"]
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "email")


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


async def test_an_answer_says_that_it_tells_tokens(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    for browser in (False, True):
        await graph.data(LOGIN, _login(), browser=browser)
        assert graph.context.tells_secret
        session = await open_session(graph.house, alice.user_id)
        tokens = {"input": {"refreshToken": session.tokens.refresh_token}}
        await graph.data(REFRESH, tokens, browser=browser)
        assert graph.context.tells_secret
        await graph.data(LOGIN, _login(password="wrong-password"), browser=browser)
        assert not graph.context.tells_secret


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
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "delivery")
    assert await graph.house.auth_log() == before

    await graph.data(LOGIN, _login(), browser=True)
    tokens = graph.context.new_session
    assert tokens is not None
    for caller, delivery in (({"browser": False}, None), ({"browser": True}, "BEARER")):
        answer = await graph.data(
            REFRESH, {"input": {"delivery": delivery}}, refresh_cookie=tokens.refresh_token, **caller
        )
        assert (answer["refreshSession"]["__typename"], answer["refreshSession"]["field"]) == (
            "InvalidInput",
            "delivery",
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
    query = "mutation { logout { ... on LogoutPayload { loggedOut } } }"
    assert await graph.data(query, by=session.viewer) == {"logout": {"loggedOut": True}}
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
    query = """mutation($id: ID!) { revokeSession(input: {sessionId: $id}) { __typename
        ... on RevokeSessionPayload { sessionId } } }"""
    foreign = await graph.data(query, {"id": global_id("Session", bob.session_id)}, by=session.viewer)
    assert foreign == {"revokeSession": {"__typename": "NotFound"}}
    own = global_id("Session", session.tokens.session_id)
    revoked = await graph.data(query, {"id": own}, by=session.viewer)
    assert revoked == {"revokeSession": {"__typename": "RevokeSessionPayload", "sessionId": own}}
    everywhere = "mutation { logoutEverywhere { ... on LogoutEverywherePayload { endedSessions } } }"
    assert await graph.data(everywhere, by=bob) == {"logoutEverywhere": {"endedSessions": 1}}


async def test_passwords_are_changed_and_reset(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    change = """mutation($input: ChangePasswordInput!) { changePassword(input: $input) { __typename
        ... on ChangePasswordPayload { endedSessions } ... on InvalidInput { field } } }"""
    given = {"currentPassword": "wrong", "newPassword": "another-horse-battery"}
    refused = await graph.data(change, {"input": given}, by=alice)
    assert refused["changePassword"] == {"__typename": "InvalidInput", "field": "currentPassword"}
    changed = await graph.data(change, {"input": {**given, "currentPassword": PASSWORD}}, by=alice)
    assert changed["changePassword"] == {"__typename": "ChangePasswordPayload", "endedSessions": 0}
    request = """mutation($email: String!) { requestPasswordReset(input: {email: $email}) {
        ... on RequestPasswordResetPayload { accepted } } }"""
    for email in ("alice@example.com", "nobody@example.com"):
        assert await graph.data(request, {"email": email}) == {"requestPasswordReset": {"accepted": True}}
    await graph.house.work()
    token = graph.house.mailbox.last(r"reset-password\?token=(\S+)")
    reset = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { __typename
        ... on ResetPasswordPayload { user { displayName } } } }"""
    done = await graph.data(reset, {"input": {"token": token, "newPassword": PASSWORD}})
    assert done["resetPassword"] == {"__typename": "ResetPasswordPayload", "user": {"displayName": "Alice"}}
    again = await graph.data(reset, {"input": {"token": token, "newPassword": PASSWORD}})
    assert again["resetPassword"] == {"__typename": "ResetInvalid"}


async def test_two_writes_in_one_document_each_show_their_own_outcome(graph: Graph) -> None:
    viewer = await register(graph.house)
    query = """mutation { a: updateProfile(input: {displayName: "A", tradingMode: LIVE}) { ...P }
        b: updateProfile(input: {displayName: "B"}) { ...P }
        put: putSetting(input: {name: "n", value: [1, {a: "b"}]}) { ... on PutSettingPayload { setting { value } } }
        gone: putSetting(input: {name: "n", value: null}) { ... on PutSettingPayload { setting { value } } } }
        fragment P on UpdateProfilePayload { profile { displayName tradingMode } }"""
    assert await graph.data(query, by=viewer) == {
        "a": {"profile": {"displayName": "A", "tradingMode": "LIVE"}},
        "b": {"profile": {"displayName": "B", "tradingMode": "LIVE"}},
        "put": {"setting": {"value": [1, {"a": "b"}]}},
        "gone": {"setting": None},
    }


async def test_an_admin_makes_codes_and_admins(graph: Graph) -> None:
    admin = await register(graph.house, "admin@example.com", role=Role.ADMIN)
    bob = await register(graph.house, "bob@example.com")
    create = """mutation($input: CreateAccessCodesInput!) { createAccessCodes(input: $input) { __typename
        ... on CreateAccessCodesPayload { accessCodes { code redeemed } } ... on InvalidInput { field } } }"""
    given = {"codes": ["gold-1", "gold-2"], "idempotencyKey": "k"}
    made = (await graph.data(create, {"input": given}, by=admin))["createAccessCodes"]
    assert made["accessCodes"] == [{"code": "GOLD-1", "redeemed": False}, {"code": "GOLD-2", "redeemed": False}]
    assert (await graph.data(create, {"input": given}, by=admin))["createAccessCodes"] == made
    assert (await graph.run(create, {"input": given}, by=bob)).codes == ["FORBIDDEN"]
    promote = """mutation($id: ID!) { updateUserRole(input: {userId: $id, role: ADMIN}) { __typename
        ... on UpdateUserRolePayload { user { role } } } }"""
    done = await graph.data(promote, {"id": global_id("User", bob.user_id)}, by=admin)
    assert done["updateUserRole"] == {"__typename": "UpdateUserRolePayload", "user": {"role": "ADMIN"}}
    own = await graph.data(promote, {"id": global_id("User", admin.user_id)}, by=admin)
    assert own["updateUserRole"] == {"__typename": "OwnRole"}


@pytest.mark.parametrize(
    "mutation",
    [
        "logoutEverywhere { __typename }",
        'revokeSession(input: {sessionId: "x"}) { __typename }',
        'changePassword(input: {currentPassword: "a", newPassword: "b"}) { __typename }',
        "updateProfile(input: {}) { __typename }",
        'putSetting(input: {name: "n", value: 1}) { __typename }',
        'createAccessCodes(input: {count: 1, idempotencyKey: "k"}) { __typename }',
        'updateUserRole(input: {userId: "x", role: ADMIN}) { __typename }',
    ],
)
async def test_who_is_not_logged_in_does_nothing(graph: Graph, mutation: str) -> None:
    assert (await graph.run(f"mutation {{ {mutation} }}")).codes == ["UNAUTHENTICATED"]
