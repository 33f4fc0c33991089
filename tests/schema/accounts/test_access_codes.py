"""Access codes, as admins see them."""

from app.domains.accounts.model import Role
from app.engine.declarations.nodes import global_id
from tests.factories import register
from tests.schema.accounts.conftest import Graph


async def test_an_admin_makes_codes_and_admins(graph: Graph) -> None:
    admin = await register(graph.house, "admin@example.com", role=Role.ADMIN)
    bob = await register(graph.house, "bob@example.com")
    create = """mutation($input: CreateAccessCodesInput!) { createAccessCodes(input: $input) { __typename
        ... on CreateAccessCodesPayload { accessCodes { code isRedeemed } } ... on InvalidInput { field } } }"""
    given = {"codes": ["gold-1", "gold-2"], "idempotencyKey": "k"}
    made = (await graph.data(create, {"input": given}, by=admin))["createAccessCodes"]
    assert made["accessCodes"] == [{"code": "GOLD-1", "isRedeemed": False}, {"code": "GOLD-2", "isRedeemed": False}]
    assert (await graph.data(create, {"input": given}, by=admin))["createAccessCodes"] == made
    assert (await graph.run(create, {"input": given}, by=bob)).codes == ["FORBIDDEN"]
    promote = """mutation($id: ID!) { updateUserRole(input: {id: $id, role: ADMIN}) { __typename
        ... on UpdateUserRolePayload { user { role } } } }"""
    done = await graph.data(promote, {"id": global_id("UserAccount", bob.user_id)}, by=admin)
    assert done["updateUserRole"] == {"__typename": "UpdateUserRolePayload", "user": {"role": "ADMIN"}}
    own = await graph.data(promote, {"id": global_id("UserAccount", admin.user_id)}, by=admin)
    assert own["updateUserRole"] == {"__typename": "OwnRole"}
