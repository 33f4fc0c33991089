"""Which pending transactions go into the next block, and in what order. The miner's choice, not consensus."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

# Fee rates are compared as integers: units per this many bytes.
_RATE_BYTES = 1_000_000


class MempoolEntry(msgspec.Struct, frozen=True):
    """A transaction in the mempool."""

    transaction_hash: bytes
    fee_units: int
    size_bytes: int
    """In a block, including its signature."""
    sequence: int
    """Order of acceptance."""


def choose_transactions(
    pending: Sequence[MempoolEntry], parents: Iterable[tuple[bytes, bytes]], room_bytes: int
) -> list[bytes]:
    """Returns the hashes of the transactions for a block, parents before their children.

    `parents` are pairs (parent, child) of unconfirmed transactions. Among those whose parents are all chosen, the
    highest fee rate goes first, then the oldest. What does not fit is left out, and its descendants with it.
    """
    unmet: defaultdict[bytes, set[bytes]] = defaultdict(set)
    children: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for parent, child in parents:
        if parent not in unmet[child]:
            unmet[child].add(parent)
            children[parent].append(child)
    known = {entry.transaction_hash: entry for entry in pending}
    ready = [_rank(entry) for entry in pending if not unmet[entry.transaction_hash]]
    heapq.heapify(ready)
    chosen: list[bytes] = []
    while ready:
        transaction_hash = heapq.heappop(ready)[2]
        size_bytes = known[transaction_hash].size_bytes
        if size_bytes > room_bytes:
            continue
        room_bytes -= size_bytes
        chosen.append(transaction_hash)
        for child in children[transaction_hash]:
            unmet[child].discard(transaction_hash)
            if not unmet[child] and child in known:
                heapq.heappush(ready, _rank(known[child]))
    return chosen


def _rank(entry: MempoolEntry) -> tuple[int, int, bytes]:
    rate = entry.fee_units * _RATE_BYTES // entry.size_bytes
    return (-rate, entry.sequence, entry.transaction_hash)
