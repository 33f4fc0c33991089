"""The viewer, and callers who are none."""

import pytest

from app.engine.declarations.nodes import global_id
from tests.factories import PASSWORD, register
from tests.schema.accounts.conftest import USER, Graph

EXPIRED = "The token has expired."


@pytest.mark.parametrize(
    "mutation",
    [
        "logoutEverywhere { __typename }",
        'revokeSession(input: {id: "x"}) { __typename }',
        'changePassword(input: {currentPassword: "a", newPassword: "b"}) { __typename }',
        "updateProfile(input: {}) { __typename }",
        'putSetting(input: {name: "n", value: 1}) { __typename }',
        'createAccessCodes(input: {count: 1, idempotencyKey: "k"}) { __typename }',
        'updateUserRole(input: {id: "x", role: ADMIN}) { __typename }',
    ],
)
async def test_who_is_not_logged_in_does_nothing(graph: Graph, mutation: str) -> None:
    assert (await graph.run(f"mutation {{ {mutation} }}")).codes == ["UNAUTHENTICATED"]


async def test_a_viewer_reads_all_of_themselves_in_two_statements(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    response = await graph.run(f"{{ viewer {{ user {{ {USER} }} }} }}", by=alice)
    assert response.errors == []
    assert response.data == {
        "viewer": {
            "user": {
                "id": global_id("UserAccount", alice.user_id),
                "displayName": "Alice",
                "email": "alice@example.com",
                "fullName": "Alice Test",
                "isVerified": True,
                "role": "USER",
                "hasNationalId": False,
                "createdAt": "2026-11-21T12:00:00Z",
            }
        }
    }
    assert response.statements == 2


async def test_an_invalid_token_is_reported_where_a_viewer_is_needed(graph: Graph) -> None:
    asked = await graph.run("{ viewer { user { email } } __typename }", refusal=EXPIRED)
    assert asked.data == {"viewer": None, "__typename": "Query"}
    done = await graph.run("mutation { logoutEverywhere { __typename } }", refusal=EXPIRED)
    for response, path in ((asked, ["viewer"]), (done, ["logoutEverywhere"])):
        (error,) = response.errors
        assert (error["message"], error["path"]) == (EXPIRED, path)
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_whose_token_is_not_good_may_log_in_and_is_known_from_there_on(graph: Graph) -> None:
    await register(graph.house, "alice@example.com")
    login = f"""mutation {{
        login(input: {{ email: "alice@example.com", password: "{PASSWORD}" }}) {{
            ... on LoginPayload {{ viewer {{ user {{ email }} }} }}
        }}
        logoutEverywhere {{ ... on LogoutEverywherePayload {{ endedSessionCount }} }}
    }}"""
    data = await graph.data(login, refusal=EXPIRED)
    assert data == {
        "login": {"viewer": {"user": {"email": "alice@example.com"}}},
        "logoutEverywhere": {"endedSessionCount": 2},
    }
