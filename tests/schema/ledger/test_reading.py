"""The chain as the graph shows it, and how few statements that takes."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.domains.ledger.proof import verify_proof_json
from tests.domains.ledger.scene import MIN_FEE, Scene
from tests.schema.ledger.graph import Graph

EVERYTHING = """
query($height: Int!, $hash: Hash!, $wallet: Hash!) {
  chain {
    height totalCoins circulatingCoins burnedCoins totalTransactions totalBlocks currentDifficulty averageBlockTimeMs
    halvingHeight currentHalvingNumber coinbaseMaturity network updatedAt tipHash tip { hash }
  }
  block(by: {height: $height}) {
    id hash previousHash version merkleRoot minedAt difficulty nonce minerReward fees transactionCount sizeBytes
    confirmations miner { walletId } previous { height } next { height }
    transactions { totalCount { value precision } nodes { hash blockPosition sender { walletId } } }
  }
  transaction(by: {hash: $hash}) {
    hash amount fee memo status failureReason sizeBytes blockHeight blockPosition confirmations createdAt
    sender { walletId custody publicKey owner { displayName } }
    recipient { walletId }
    block { height }
    inputs { outputIndex amount isCoinbase transaction { hash } spentBy { hash } wallet { walletId } }
    outputs { outputIndex amount isChange blockHeight spentInputIndex spentBy { hash } wallet { walletId } }
    inclusionProof { transactionHash blockHash blockHeight merkleRoot header index branch }
  }
  wallet(by: {walletId: $wallet}) {
    walletId balance pending { incoming } utxos { nodes { amount } }
    transactions { nodes { hash } } blocksMined { nodes { height } }
  }
}
"""


async def test_everything_is_navigable(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    paid = await scene.pay(alice, bob, "12.5")
    block = await scene.mine(bob)
    data = await graph.data(EVERYTHING, {"height": 1, "hash": paid, "wallet": alice.wallet_id})

    chain, found, transaction, wallet = data["chain"], data["block"], data["transaction"], data["wallet"]
    assert (chain["height"], chain["circulatingCoins"], chain["totalTransactions"]) == (1, "1000.00000000", "3")
    assert (chain["network"], chain["tipHash"], chain["tip"]["hash"]) == (
        "4d4e5441",
        block.block_hash,
        block.block_hash,
    )
    assert (found["hash"], found["nonce"], found["confirmations"]) == (block.block_hash, str(block.nonce), 1)
    assert (found["previous"], found["next"]) == ({"height": 0}, None)
    assert found["minerReward"] == str(500 + MIN_FEE)
    assert found["transactions"]["totalCount"] == {"value": 2, "precision": "EXACT"}
    assert [(node["blockPosition"], node["sender"]) for node in found["transactions"]["nodes"]] == [
        (0, None),
        (1, {"walletId": alice.wallet_id}),
    ]
    assert (transaction["status"], transaction["amount"], transaction["fee"]) == (
        "CONFIRMED",
        "12.50000000",
        "0.00001000",
    )
    assert transaction["sender"]["custody"] == "CUSTODIAL"
    assert transaction["sender"]["publicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    assert transaction["sender"]["owner"]["displayName"].startswith("user ")
    assert [(each["amount"], each["isCoinbase"], each["spentBy"]["hash"]) for each in transaction["inputs"]] == [
        ("500.00000000", True, paid)
    ]
    assert [(each["amount"], each["isChange"], each["wallet"]["walletId"]) for each in transaction["outputs"]] == [
        ("12.50000000", False, bob.wallet_id),
        (str(500 - Decimal("12.5") - MIN_FEE), True, alice.wallet_id),
    ]
    assert transaction["inclusionProof"]["blockHash"] == block.block_hash
    assert len(transaction["inclusionProof"]["branch"]) == 1
    response = msgspec.json.encode({"data": {"transaction": {"inclusionProof": transaction["inclusionProof"]}}})
    assert verify_proof_json(response.decode()).valid
    assert wallet["blocksMined"] == {"nodes": [{"height": 0}]}
    assert wallet["transactions"]["nodes"][0]["hash"] == paid


async def test_what_is_the_owners_is_null_to_others(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    query = """query($id: Hash!, $to: Hash!) { wallet(by: {walletId: $id}) {
        balance pending { immature } utxos { nodes { amount } totalCount { value } }
        unsignedTransaction(recipientWalletId: $to, amount: "1") { hash fee }
    } }"""
    variables = {"id": alice.wallet_id, "to": bob.wallet_id}
    nothing = {"balance": None, "pending": None, "utxos": None, "unsignedTransaction": None}
    assert (await graph.data(query, variables))["wallet"] == nothing
    assert (await graph.data(query, variables, by=bob))["wallet"] == nothing
    own = (await graph.data(query, variables, by=alice))["wallet"]
    assert own["balance"] == "500.00000000"
    assert own["utxos"] == {"nodes": [{"amount": "500.00000000"}], "totalCount": {"value": 1}}
    assert own["unsignedTransaction"]["fee"] == "0.00001000"
    assert (await graph.data("{ viewer { wallet { balance } } }", by=alice))["viewer"]["wallet"]["balance"] == own[
        "balance"
    ]


async def test_lookups_find_the_same_and_nothing_else(graph: Graph, scene: Scene) -> None:
    alice = await scene.person()
    block = await scene.mine(alice)
    by = "query($by: BlockBy!) { block(by: $by) { id height } }"
    found = (await graph.data(by, {"by": {"height": 0}}))["block"]
    assert (await graph.data(by, {"by": {"hash": block.block_hash}}))["block"] == found
    assert (await graph.data(by, {"by": {"id": found["id"]}}))["block"] == found
    for absent in ({"height": 1}, {"height": -1}, {"hash": "0" * 64}, {"id": "nonsense"}):
        assert (await graph.data(by, {"by": absent}))["block"] is None

    wallet = "query($by: WalletBy!) { wallet(by: $by) { id walletId } }"
    named = (await graph.data(wallet, {"by": {"walletId": alice.wallet_id}}))["wallet"]
    assert (await graph.data(wallet, {"by": {"id": named["id"]}}))["wallet"] == named
    for absent in ({"walletId": "0" * 64}, {"id": "nonsense"}, {"id": found["id"]}, {"id": "é"}):
        assert (await graph.data(wallet, {"by": absent}))["wallet"] is None
    node = "query($id: ID!) { node(id: $id) { __typename id } }"
    assert (await graph.data(node, {"id": named["id"]}))["node"] == {"__typename": "Wallet", "id": named["id"]}
    assert (await graph.data(node, {"id": found["id"]}))["node"]["__typename"] == "Block"


async def test_before_genesis_there_is_nothing(graph: Graph) -> None:
    data = await graph.data("{ chain { height } blocks { nodes { height } } mempool { nodes { hash } } }")
    assert data == {"chain": None, "blocks": {"nodes": []}, "mempool": {"nodes": []}}


async def pages(graph: Graph, query: str, path: tuple[str, ...], first: int, **variables: Any) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        data = await graph.data(query, {"first": first, "after": after, **variables})
        for name in path:
            data = data[name]
        found += [edge["node"] for edge in data["edges"]]
        assert len(data["edges"]) <= first
        if not data["pageInfo"]["hasNextPage"]:
            return found
        after = data["pageInfo"]["endCursor"]


PAGE = "(first: $first, after: $after) { edges { node { %s } } pageInfo { hasNextPage endCursor } }"


@pytest.mark.parametrize("first", [1, 2, 100])
async def test_pages_join_without_hole_or_repeat(graph: Graph, scene: Scene, first: int) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice, 2)
    sent = [await scene.pay(alice, bob, "1") for _ in range(3)]
    await scene.mine(bob)
    waiting = [await scene.pay(bob, alice, "1") for _ in range(3)]

    heads = "query($first: Int!, $after: Cursor) "
    blocks = await pages(graph, heads + "{ blocks" + PAGE % "height" + "}", ("blocks",), first)
    assert [block["height"] for block in blocks] == [2, 1, 0]
    mempool = await pages(graph, heads + "{ mempool" + PAGE % "hash" + "}", ("mempool",), first)
    assert [transaction["hash"] for transaction in mempool] == waiting
    in_block = await pages(
        graph,
        heads + "{ block(by: {height: 2}) { transactions" + PAGE % "blockPosition hash" + "} }",
        ("block", "transactions"),
        first,
    )
    assert [transaction["blockPosition"] for transaction in in_block] == [0, 1, 2, 3]
    assert {transaction["hash"] for transaction in in_block[1:]} == set(sent)
    of_wallet = await pages(
        graph,
        "query($first: Int!, $after: Cursor, $id: Hash!) { wallet(by: {walletId: $id}) { transactions"
        + PAGE % "hash createdAt"
        + "} }",
        ("wallet", "transactions"),
        first,
        id=bob.wallet_id,
    )
    keys = [(transaction["createdAt"], transaction["hash"]) for transaction in of_wallet]
    assert keys == sorted(keys, reverse=True)
    assert len(of_wallet) == len({transaction["hash"] for transaction in of_wallet}) == 7


W3 = """{ blocks(first: 20) { nodes { height transactions(first: 20) { nodes {
    hash amount
    sender { walletId owner { displayName } } recipient { walletId owner { displayName } }
} } } } }"""


async def test_a_wide_query_takes_a_constant_number_of_statements(graph: Graph, scene: Scene) -> None:
    people = [await scene.person() for _ in range(4)]
    counts = []
    for _ in range(2):
        for person in people:
            await scene.mine(person)
        for sender, recipient in zip(people, people[1:] + people[:1], strict=True):
            await scene.pay(sender, recipient, "1")
        await scene.mine(people[0])
        response = await graph.run(W3)
        assert response.errors == []
        counts.append(response.statements)
    # Blocks, transactions, wallets, owners: each level is one statement.
    assert counts == [4, 4]


PROOFS = """{ blocks(first: 20) { nodes { transactions(first: 20) { nodes {
    status inclusionProof { transactionHash blockHash blockHeight merkleRoot header index branch }
} } } } mempool { nodes { status inclusionProof { index } } } }"""


async def test_the_proofs_of_a_list_take_a_constant_number_of_statements(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    for _ in range(3):
        await scene.pay(alice, bob, "1")
        await scene.mine(alice, 2)
    await scene.pay(alice, bob, "1")
    response = await graph.run(PROOFS)
    assert response.errors == []
    assert response.data is not None
    proofs = [
        transaction["inclusionProof"]
        for block in response.data["blocks"]["nodes"]
        for transaction in block["transactions"]["nodes"]
    ]
    assert len(proofs) == 7 + 3
    assert all(verify_proof_json(msgspec.json.encode(proof).decode()).valid for proof in proofs)
    assert response.data["mempool"]["nodes"] == [{"status": "PENDING", "inclusionProof": None}]
    # Blocks, the mempool, transactions; then blocks by height and their leaves for the proofs.
    assert response.statements == 5
