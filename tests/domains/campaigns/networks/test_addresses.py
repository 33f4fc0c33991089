"""Many addresses at once are checked as each."""

import random
from itertools import product
from typing import Any

from app.domains.campaigns.networks.model import Network, Wanted
from app.domains.campaigns.networks.rules import COINS, address, addresses, checksummed, is_on_curve, off_curve
from app.kit.crypto.base58 import encode58
from app.kit.errors import InvalidInput
from tests.domains.campaigns.fair import ETHEREUM, SOLANA

DRAWN = random.Random(7)
KEYS = [DRAWN.randbytes(32) for _ in range(120)]
EDGES = [bytes(32), b"\x01" + bytes(31), b"\x01" + bytes(30) + b"\x80", b"\xff" * 32, b"\xec" + b"\xff" * 30 + b"\x7f"]


def alone(wanted: Wanted) -> Any:
    try:
        return address(wanted.text, wanted.network, wanted.field, off_curve=wanted.allows_off_curve)
    except InvalidInput as refused:
        return refused.fields


def test_what_is_off_the_curve_is_found_among_many() -> None:
    on = [each for each in KEYS if is_on_curve(each)]
    for keys in (KEYS, on, [*on, *EDGES], EDGES, on[:1], []):
        coins = DRAWN.getrandbits(COINS * max(1, len(keys)))
        assert off_curve(keys, coins) == [not is_on_curve(each) for each in keys]


def test_each_is_as_it_would_be_alone() -> None:
    texts = [SOLANA, ETHEREUM, ETHEREUM.lower(), ETHEREUM.swapcase(), "x", "", encode58(KEYS[0]), *map(encode58, EDGES)]
    digits = [each[:20].hex() for each in KEYS[:20]]
    texts += [*digits, *(f"0x{each}" for each in digits), *map(checksummed, digits)]
    wanted = [Wanted(text, network, "field", off) for text, network, off in product(texts, Network, (False, True))]
    found = addresses(wanted, DRAWN.getrandbits(COINS * len(wanted)))
    assert [each if isinstance(each, str) else each.fields for each in found] == [*map(alone, wanted)]
