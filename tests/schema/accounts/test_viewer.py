from datetime import timedelta

from app.domains.accounts.model import ProfileChanges, Role
from app.engine.nodes import global_id
from tests.factories import PASSWORD, open_session, register
from tests.schema.accounts.conftest import Graph

EXPIRED = "The token has expired."
USER = "id displayName email fullName isVerified role hasNationalId createdAt"


async def test_a_viewer_reads_all_of_themselves_in_two_statements(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    response = await graph.run(f"{{ viewer {{ user {{ {USER} }} }} }}", by=alice)
    assert response.errors == []
    assert response.data == {
        "viewer": {
            "user": {
                "id": global_id("User", alice.user_id),
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


async def test_of_another_user_only_the_display_name_shows(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    bob = await register(graph.house, "bob@example.com")
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on User {{ {USER} }} }} }}"
    for viewer in (bob, None):
        data = await graph.data(query, {"id": global_id("User", alice.user_id)}, by=viewer)
        assert data["node"].pop("id") == global_id("User", alice.user_id)
        assert data["node"].pop("displayName") == "Alice"
        assert set(data["node"].values()) == {None}


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


async def test_the_auth_log_tells_what_happened(graph: Graph) -> None:
    alice = await register(graph.house, verified=False)
    await register(graph.house, "bob@example.com")
    data = await graph.data("{ viewer { authLog { nodes { eventType success errorMessage } } } }", by=alice)
    events = {node["eventType"] for node in data["viewer"]["authLog"]["nodes"]}
    assert events == {"REGISTER", "VERIFICATION_SENT", "LOGIN"}
    assert len(data["viewer"]["authLog"]["nodes"]) == 3


async def test_the_session_of_another_is_no_node(graph: Graph) -> None:
    alice, bob = await register(graph.house), await register(graph.house, "bob@example.com")
    query = "query($id: ID!) { node(id: $id) { id } }"
    session = global_id("Session", alice.session_id)
    assert (await graph.data(query, {"id": session}, by=alice))["node"] == {"id": session}
    assert (await graph.data(query, {"id": session}, by=bob))["node"] is None
    assert (await graph.data(query, {"id": session}))["node"] is None


async def test_profile_and_settings_are_the_viewers_own(graph: Graph) -> None:
    alice, bob = await register(graph.house), await register(graph.house, "bob@example.com")
    await graph.house.accounts.profiles.update(alice, ProfileChanges(username="alice"))
    await graph.house.accounts.profiles.put_setting(alice, "theme", {"dark": True})
    query = """{ viewer { profile { username subscriptionTier tradingMode paperBalance }
        settings { name value } theme: setting(name: "theme") { value }
        none: setting(name: "no name!") { value } } }"""
    assert (await graph.data(query, by=alice))["viewer"] == {
        "profile": {
            "username": "alice",
            "subscriptionTier": "FREE",
            "tradingMode": "PAPER",
            "paperBalance": "10000.00000000",
        },
        "settings": [{"name": "theme", "value": {"dark": True}}],
        "theme": {"value": {"dark": True}},
        "none": None,
    }
    other = (await graph.data(query, by=bob))["viewer"]
    assert (other["profile"]["username"], other["settings"], other["theme"]) == (None, [], None)


async def test_lists_for_admins_are_forbidden_to_others(graph: Graph) -> None:
    viewer = await register(graph.house)
    for query in ("{ users { nodes { id } } }", "{ accessCodes { nodes { id } } }", "{ scheduledJobs { job } }"):
        assert (await graph.run(query, by=viewer)).codes == ["FORBIDDEN"]
        assert (await graph.run(query)).codes == ["UNAUTHENTICATED"]


async def test_an_admin_lists_users_codes_and_jobs(graph: Graph) -> None:
    admin = await register(graph.house, "admin@example.com", role=Role.ADMIN)
    alice = await register(graph.house, "alice@example.com", verified=False)
    await graph.house.add_code("UNUSED-1")
    users = '{ users(filter: {emailPrefix: "ALI"}) { nodes { email isVerified role } totalCount { value } } }'
    assert (await graph.data(users, by=admin))["users"] == {
        "nodes": [{"email": "alice@example.com", "isVerified": False, "role": "USER"}],
        "totalCount": {"value": 1},
    }
    codes = (
        "query($state: AccessCodeState) { accessCodes(filter: {state: $state}) { nodes { code redeemedBy { id } } } }"
    )
    redeemed = (await graph.data(codes, {"state": "REDEEMED"}, by=admin))["accessCodes"]["nodes"]
    assert redeemed == [{"code": "FOR-ALICE", "redeemedBy": {"id": global_id("User", alice.user_id)}}]
    available = (await graph.data(codes, {"state": "AVAILABLE"}, by=admin))["accessCodes"]["nodes"]
    assert available == [{"code": "UNUSED-1", "redeemedBy": None}]
    assert len((await graph.data(codes, by=admin))["accessCodes"]["nodes"]) == 2
    await graph.house.owner.execute(
        "INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('0 2 * * *', 'sessions')"
    )
    jobs = await graph.data("{ scheduledJobs { job schedule lastRunAt succeeded } }", by=admin)
    assert jobs["scheduledJobs"] == [{"job": "sessions", "schedule": "0 2 * * *", "lastRunAt": None, "succeeded": None}]


async def test_whose_token_is_not_good_is_told_so_where_a_viewer_is_needed(graph: Graph) -> None:
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
        logoutEverywhere {{ ... on LogoutEverywherePayload {{ endedSessions }} }}
    }}"""
    data = await graph.data(login, refusal=EXPIRED)
    assert data == {
        "login": {"viewer": {"user": {"email": "alice@example.com"}}},
        "logoutEverywhere": {"endedSessions": 2},
    }
