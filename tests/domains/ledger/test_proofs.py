"""Inclusion proofs: they are valid, and every change to one is detected."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.ledger import loaders
from app.domains.ledger.proof import InclusionProof, ProofVerdict, inclusion_proof, verify_proof, verify_proof_json
from app.domains.ledger.rules.header import BlockHeader, block_hash, encode_header
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, Database
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.ledger.rules.chain import remined
from tests.domains.ledger.scene import Scene


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Scene]:
    scene = await Scene.with_people(database, owner, redis, clock)
    await scene.begin(blocks=3)
    yield scene


async def block_of_seven(scene: Scene) -> list[InclusionProof]:
    """The proofs of a block with six payments, in the block's order."""
    for _ in range(6):
        await scene.pay("alice", "bob", "1")
    block = await scene.mine()
    reads = Reads(scene.database, PUBLIC)
    leaves = await reads.one(loaders.leaves_by_height, block.height)
    await reads.aclose()
    assert leaves is not None
    assert len(leaves.hashes) == 7
    return [inclusion_proof(block, leaves, index) for index in range(7)]


async def test_every_transaction_of_a_block_can_be_proved(scene: Scene) -> None:
    for proof in await block_of_seven(scene):
        assert len(proof.branch) == 3
        assert verify_proof_json(msgspec.json.encode(proof).decode()) == ProofVerdict(
            True,
            f"transaction {proof.transaction_hash} is number {proof.index} of block 4 ({proof.block_hash}), "
            "which shows 3 bits of work",
        )


async def test_a_proof_survives_the_response_that_carried_it(scene: Scene) -> None:
    proof = (await block_of_seven(scene))[5]
    document = {"data": {"transaction": {"inclusionProof": msgspec.to_builtins(proof)}}}
    assert verify_proof_json(msgspec.json.encode(document).decode()).valid


async def test_every_flipped_digit_shows(scene: Scene) -> None:
    proof: dict[str, Any] = msgspec.to_builtins((await block_of_seven(scene))[2])
    refused = 0
    for name in ("transactionHash", "blockHash", "merkleRoot", "header"):
        for place in range(len(proof[name])):
            verdict = check(proof | {name: flipped(proof[name], place)})
            assert not verdict.valid, (name, place)
            refused += 1
    for node, sibling in enumerate(proof["branch"]):
        branch = list(proof["branch"])
        branch[node] = flipped(sibling, 63)
        assert (
            check(proof | {"branch": branch}).reason
            == "the branch does not lead from the transaction to the merkle root"
        )
    assert refused == 3 * 64 + 2 * 92


@pytest.mark.parametrize("index", [0, 1, 3, 6, 7, 10, -1, 2**70])
async def test_another_place_shows(scene: Scene, index: int) -> None:
    proof = (await block_of_seven(scene))[2]
    assert not verify_proof(msgspec.structs.replace(proof, index=index)).valid


async def test_another_height_and_a_cut_branch_show(scene: Scene) -> None:
    proof = (await block_of_seven(scene))[2]
    assert verify_proof(msgspec.structs.replace(proof, block_height=5)).reason == "the header states the height 4"
    assert not verify_proof(msgspec.structs.replace(proof, branch=proof.branch[:2])).valid
    assert not verify_proof(msgspec.structs.replace(proof, branch=(*proof.branch, "0" * 64))).valid
    assert not verify_proof(msgspec.structs.replace(proof, branch=proof.branch * 11)).valid


async def test_the_copy_that_pads_an_odd_level_is_no_transaction(scene: Scene) -> None:
    last = (await block_of_seven(scene))[6]
    # Seven leaves: the last one is paired with itself, and would seem to be at 7 as well.
    assert last.branch[0] == last.transaction_hash
    assert not verify_proof(msgspec.structs.replace(last, index=7)).valid


def lone(difficulty_bits: int, *, worked: bool) -> InclusionProof:
    """A block of one transaction whose header states this difficulty."""
    leaf = b"\x07" * 32
    header = BlockHeader(
        previous_hash=bytes(32), merkle_root=leaf, height=1, timestamp_s=1, difficulty_bits=difficulty_bits, nonce=0
    )
    if worked:
        header = remined(header)
    digest = block_hash(header)
    return InclusionProof(
        transaction_hash=leaf.hex(),
        block_hash=digest.hex(),
        block_height=1,
        merkle_root=leaf.hex(),
        header=encode_header(header).hex(),
        index=0,
        branch=(),
    )


def test_a_header_without_its_work_is_refused() -> None:
    assert verify_proof(lone(8, worked=True)).valid
    for difficulty_bits in (0, 255):
        verdict = verify_proof(lone(difficulty_bits, worked=False))
        assert verdict == ProofVerdict(
            False, f"the block's hash does not show the {difficulty_bits} bits of work that its header states"
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"proof"',
        "{}",
        "[" * 60_000,
        "x" * 70_000,
        '{"data": {"transaction": null}}',
        '{"data": {"transaction": {"inclusionProof": null}}}',
        "\ud800",
    ],
)
def test_what_is_no_proof_gets_one_line(text: str) -> None:
    verdict = verify_proof_json(text)
    assert not verdict.valid
    assert verdict.reason.startswith("malformed: ")
    assert "\n" not in verdict.reason
    assert len(verdict.reason) < 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"transactionHash": "AB" * 32}, "malformed: transactionHash is not 64 lower-case hex digits"),
        ({"blockHash": "ab" * 31}, "malformed: blockHash is not 64 lower-case hex digits"),
        ({"merkleRoot": "ab " * 21 + "a"}, "malformed: merkleRoot is not 64 lower-case hex digits"),
        ({"header": ""}, "malformed: header is not 184 lower-case hex digits"),
        ({"header": "ff" * 92}, "malformed: version 4294967295 is not known"),
        ({"branch": ["00"]}, "malformed: branch[0] is not 64 lower-case hex digits"),
        ({"branch": ["00" * 32] * 33}, "malformed: branch has more than 32 nodes"),
        ({"index": "0"}, "malformed: Expected `int`, got `str` - at `$.index`"),
        ({"branch": None}, "malformed: Expected `array`, got `null` - at `$.branch`"),
    ],
)
def test_a_malformed_field_is_named(change: dict[str, Any], reason: str) -> None:
    assert check(msgspec.to_builtins(lone(3, worked=True)) | change) == ProofVerdict(False, reason)


def check(proof: dict[str, Any]) -> ProofVerdict:
    return verify_proof_json(msgspec.json.encode(proof).decode())


def flipped(text: str, place: int) -> str:
    """The same hex with one bit of one digit changed."""
    return f"{text[:place]}{int(text[place], 16) ^ 1:x}{text[place + 1 :]}"
