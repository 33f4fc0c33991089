"""Beneficiaries, as clients see them."""

from tests.domains.ledger.scene import Scene
from tests.schema.ledger.graph import Graph


async def test_beneficiaries(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    add = """mutation($input: AddBeneficiaryInput!) { addBeneficiary(input: $input) {
        __typename ... on AddBeneficiaryPayload { beneficiary { id name nickname wallet { walletId } } }
    } }"""
    given = {"walletId": bob.wallet_id, "name": "Bob", "idempotencyKey": "k"}
    added = (await graph.data(add, {"input": given}, by=alice))["addBeneficiary"]["beneficiary"]
    assert (added["name"], added["nickname"], added["wallet"]) == ("Bob", None, {"walletId": bob.wallet_id})
    again = await graph.data(add, {"input": {**given, "idempotencyKey": "k2"}}, by=alice)
    assert again["addBeneficiary"]["__typename"] == "BeneficiaryExists"

    update = """mutation($input: UpdateBeneficiaryInput!) { updateBeneficiary(input: $input) {
        __typename ... on UpdateBeneficiaryPayload { beneficiary { name nickname } }
    } }"""
    renamed = {"input": {"id": added["id"], "nickname": "Bobby"}}
    assert (await graph.data(update, renamed, by=bob))["updateBeneficiary"] == {"__typename": "NotFound"}
    assert (await graph.data(update, renamed, by=alice))["updateBeneficiary"]["beneficiary"] == {
        "name": "Bob",
        "nickname": "Bobby",
    }
    mine = "{ viewer { beneficiaries { nodes { id } totalCount { value } } } }"
    assert (await graph.data(mine, by=alice))["viewer"]["beneficiaries"]["totalCount"] == {"value": 1}
    assert (await graph.data(mine, by=bob))["viewer"]["beneficiaries"]["nodes"] == []
    remove = """mutation($id: ID!) { removeBeneficiary(input: {id: $id}) {
        __typename ... on RemoveBeneficiaryPayload { deletedId }
    } }"""
    assert (await graph.data(remove, {"id": added["id"]}, by=alice))["removeBeneficiary"]["deletedId"] == added["id"]
    assert (await graph.data(remove, {"id": added["id"]}, by=alice))["removeBeneficiary"] == {"__typename": "NotFound"}
