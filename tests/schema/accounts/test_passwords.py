"""Passwords, as clients see them."""

from tests.factories import PASSWORD, register
from tests.schema.accounts.conftest import Graph


async def test_passwords_are_changed_and_reset(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    change = """mutation($input: ChangePasswordInput!) { changePassword(input: $input) { __typename
        ... on ChangePasswordPayload { endedSessionCount } ... on InvalidInput { path } } }"""
    given = {"currentPassword": "wrong", "newPassword": "another-horse-battery"}
    refused = await graph.data(change, {"input": given}, by=alice)
    assert refused["changePassword"] == {"__typename": "InvalidInput", "path": ["input", "currentPassword"]}
    changed = await graph.data(change, {"input": {**given, "currentPassword": PASSWORD}}, by=alice)
    assert changed["changePassword"] == {"__typename": "ChangePasswordPayload", "endedSessionCount": 0}
    request = """mutation($email: String!) { requestPasswordReset(input: {email: $email}) {
        ... on RequestPasswordResetPayload { isAccepted } } }"""
    for email in ("alice@example.com", "nobody@example.com"):
        assert await graph.data(request, {"email": email}) == {"requestPasswordReset": {"isAccepted": True}}
    await graph.house.work()
    token = graph.house.mailbox.last(r"reset-password\?token=(\S+)")
    reset = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { __typename
        ... on ResetPasswordPayload { user { displayName } } } }"""
    done = await graph.data(reset, {"input": {"token": token, "newPassword": PASSWORD}})
    assert done["resetPassword"] == {"__typename": "ResetPasswordPayload", "user": {"displayName": "Alice"}}
    again = await graph.data(reset, {"input": {"token": token, "newPassword": PASSWORD}})
    assert again["resetPassword"] == {"__typename": "ResetInvalid"}
