"""Users, as others and admins see them."""

from app.domains.accounts.model import Role
from app.engine.declarations.nodes import global_id
from tests.factories import register
from tests.schema.accounts.conftest import USER, Graph


async def test_of_another_user_only_the_display_name_shows(graph: Graph) -> None:
    alice = await register(graph.house, "alice@example.com")
    bob = await register(graph.house, "bob@example.com")
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on UserAccount {{ {USER} }} }} }}"
    for viewer in (bob, None):
        data = await graph.data(query, {"id": global_id("UserAccount", alice.user_id)}, by=viewer)
        assert data["node"].pop("id") == global_id("UserAccount", alice.user_id)
        assert data["node"].pop("displayName") == "Alice"
        assert set(data["node"].values()) == {None}


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
        "query($redeemed: Boolean) { accessCodes(filter: {redeemed: $redeemed}) { nodes { code redeemedBy { id } } } }"
    )
    redeemed = (await graph.data(codes, {"redeemed": True}, by=admin))["accessCodes"]["nodes"]
    assert redeemed == [{"code": "FOR-ALICE", "redeemedBy": {"id": global_id("UserAccount", alice.user_id)}}]
    available = (await graph.data(codes, {"redeemed": False}, by=admin))["accessCodes"]["nodes"]
    assert available == [{"code": "UNUSED-1", "redeemedBy": None}]
    assert len((await graph.data(codes, by=admin))["accessCodes"]["nodes"]) == 2
    await graph.house.owner.execute(
        "INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('0 2 * * *', 'sessions')"
    )
    jobs = await graph.data("{ scheduledJobs { job schedule lastRunAt hasSucceeded } }", by=admin)
    assert jobs["scheduledJobs"] == [
        {"job": "sessions", "schedule": "0 2 * * *", "lastRunAt": None, "hasSucceeded": None}
    ]
