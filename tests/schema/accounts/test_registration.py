"""Registration, as clients see it."""

from tests.factories import PASSWORD
from tests.schema.accounts.conftest import LOGIN, Graph

REGISTER = """mutation($input: RegisterInput!) { register(input: $input) {
    __typename
    ... on RegisterPayload { user { id displayName email } }
    ... on InvalidInput { path }
    ... on Problem { message } } }"""


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
    assert (refused["__typename"], refused["path"]) == ("InvalidInput", ["input", "email"])
