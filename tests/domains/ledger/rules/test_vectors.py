"""docs/transaction-encoding.md is a specification for external signers: its vectors and its text hold."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.domains.ledger.rules.header import BlockHeader, block_hash, decode_header, encode_header, meets_difficulty
from app.domains.ledger.rules.merkle import merkle_root
from app.domains.ledger.rules.transaction import (
    MalformedTransaction,
    OutPoint,
    Transaction,
    TransactionOutput,
    decode,
    encode,
    transaction_hash,
)

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "transaction-encoding.md").read_text()
VECTORS: dict[str, list[dict[str, Any]]] = json.loads((DOCS / "transaction-encoding.vectors.json").read_text())


def transaction_of(fields: dict[str, Any]) -> Transaction:
    return Transaction(
        version=fields["version"],
        network=bytes.fromhex(fields["network"]),
        sender_wallet_id=bytes.fromhex(fields["sender_wallet_id"]),
        inputs=tuple(
            OutPoint(bytes.fromhex(spent["transaction_hash"]), spent["output_index"]) for spent in fields["inputs"]
        ),
        outputs=tuple(
            TransactionOutput(bytes.fromhex(output["wallet_id"]), output["amount_units"])
            for output in fields["outputs"]
        ),
        fee_units=fields["fee_units"],
        timestamp_ms=fields["timestamp_ms"],
        memo=fields["memo"],
        height=fields["height"],
    )


@pytest.mark.parametrize("vector", VECTORS["transactions"], ids=lambda vector: vector["name"])
def test_transactions(vector: dict[str, Any]) -> None:
    transaction = transaction_of(vector["transaction"])
    assert encode(transaction).hex() == vector["encoding"]
    assert decode(bytes.fromhex(vector["encoding"])) == transaction
    assert transaction_hash(transaction).hex() == vector["hash"]


@pytest.mark.parametrize("vector", VECTORS["headers"], ids=lambda vector: vector["name"])
def test_headers(vector: dict[str, Any]) -> None:
    fields = dict(vector["header"])
    for name in ("previous_hash", "merkle_root"):
        fields[name] = bytes.fromhex(fields[name])
    header = BlockHeader(**fields)
    assert encode_header(header).hex() == vector["encoding"]
    assert decode_header(bytes.fromhex(vector["encoding"])) == header
    assert block_hash(header).hex() == vector["hash"]
    assert meets_difficulty(block_hash(header), header.difficulty_bits)


def test_the_header_stands_over_the_three_transactions() -> None:
    payment, coinbase, with_memo = (bytes.fromhex(vector["hash"]) for vector in VECTORS["transactions"])
    assert merkle_root([coinbase, payment, with_memo]).hex() == VECTORS["headers"][0]["header"]["merkle_root"]


@pytest.mark.parametrize("vector", VECTORS["malformed_transactions"], ids=lambda vector: vector["reason"])
def test_malformed_transactions(vector: dict[str, Any]) -> None:
    with pytest.raises(MalformedTransaction) as refused:
        decode(bytes.fromhex(vector["encoding"]))
    assert str(refused.value) == vector["reason"]


def test_the_page_shows_the_vectors() -> None:
    shown = re.findall(r"^\| (.+?) \| (\d+) \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
    vectors = VECTORS["transactions"] + VECTORS["headers"]
    assert shown == [(each["name"], str(len(each["encoding"]) // 2), each["hash"]) for each in vectors]


def test_the_page_spells_the_first_vector_out() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    assert "".join(line.split()[0] for line in blocks[0].splitlines()) == VECTORS["transactions"][0]["encoding"]
