"""Payments, and the problems that come back as data."""

import base64
from typing import Any

from app.kit.crypto.rsa import sign
from tests.domains.ledger.scene import Scene, rsa_key
from tests.schema.ledger.graph import Graph

TRANSFER = """mutation($input: TransferInput!) { transfer(input: $input) {
    __typename
    ... on TransferPayload { transaction { hash status amount sender { balance pending { outgoing } } } }
    ... on InsufficientFunds { available }
    ... on FeeTooLow { minimum }
    ... on InvalidInput { path }
    ... on Problem { message }
} }"""


async def test_a_transfer_and_what_it_may_meet(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)

    async def transfer(**changes: Any) -> Any:
        given = {"recipientWalletId": bob.wallet_id, "amount": "1", "idempotencyKey": "k", **changes}
        return (await graph.data(TRANSFER, {"input": given}, by=alice))["transfer"]

    assert (await transfer(amount="500"))["available"] == "500.00000000"
    assert (await transfer(fee="0"))["minimum"] == "0.00001000"
    assert (await transfer(amount="0"))["path"] == ["input", "amount"]
    assert (await transfer(recipientWalletId="0" * 64))["message"] == "No wallet has this id."
    assert (await transfer(recipientWalletId=alice.wallet_id))["path"] == ["input", "recipientWalletId"]
    done = await transfer()
    assert done["__typename"] == "TransferPayload"
    assert done["transaction"]["status"] == "PENDING"
    assert done["transaction"]["sender"] == {"balance": "498.99999000", "pending": {"outgoing": "1.00001000"}}
    assert (await transfer()) == done
    assert (await transfer(amount="2"))["__typename"] == "IdempotencyKeyReused"


async def test_the_second_write_of_a_request_is_seen(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    field = (
        '%s: transfer(input: {recipientWalletId: "%s", amount: "1", idempotencyKey: "%s"})'
        " { ... on TransferPayload { transaction { sender { balance } } } }"
    )
    data = await graph.data(
        "mutation { " + " ".join(field % (key, bob.wallet_id, key) for key in ("a", "b")) + " }", by=alice
    )
    balances = [data[key]["transaction"]["sender"]["balance"] for key in ("a", "b")]
    assert balances == ["498.99999000", "497.99998000"]


async def test_nobody_pays_without_logging_in(graph: Graph, scene: Scene) -> None:
    bob = await scene.person()
    given = {"recipientWalletId": bob.wallet_id, "amount": "1", "idempotencyKey": "k"}
    assert (await graph.run(TRANSFER, {"input": given})).codes == ["UNAUTHENTICATED"]


async def test_a_payment_signed_elsewhere(graph: Graph, scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    assert alice.key is not None
    given = {"recipientWalletId": bob.wallet_id, "amount": "1", "idempotencyKey": "k"}
    assert (await graph.data(TRANSFER, {"input": given}, by=alice))["transfer"]["__typename"] == "WalletIsExternal"

    draft = """query($to: Hash!) { viewer { wallet {
        unsignedTransaction(recipientWalletId: $to, amount: "1", memo: "m") { bytes hash }
    } } }"""
    unsigned = (await graph.data(draft, {"to": bob.wallet_id}, by=alice))["viewer"]["wallet"]["unsignedTransaction"]
    submit = """mutation($input: SubmitTransactionInput!) { submitTransaction(input: $input) {
        ... on SubmitTransactionPayload { transaction { hash memo status } }
        ... on TransactionRejected { reason message }
    } }"""

    async def send(signature: bytes, key: str) -> Any:
        signed = base64.b64encode(signature).decode()
        given = {"transaction": unsigned["bytes"], "signature": signed, "idempotencyKey": key}
        return (await graph.data(submit, {"input": given}, by=alice))["submitTransaction"]

    assert (await send(b"forged", "k1"))["reason"] == "BAD_SIGNATURE"
    signature = sign(alice.key.private_der, base64.b64decode(unsigned["bytes"]))
    assert (await send(signature, "k2"))["transaction"] == {"hash": unsigned["hash"], "memo": "m", "status": "PENDING"}
