"""Which coins a payment spends, so that wallets do not accumulate small ones.

The fee is flat and one signature covers all inputs, so a further input costs 36 bytes of block space and nothing else.
Hence the order of preference:

1. No change at all: branch and bound looks for coins that hit the target, or exceed it by less than a dust output,
   which then goes to the fee as change of that size would.
2. Otherwise three plans compete: the smallest coin that suffices, the largest coins, and, where few do, the smallest
   coins. Each plan also spends the smallest coins of a wallet with many coins, while that is cheap. The best plan
   leaves the least dust, then the fewest surplus coins, then spends the fewest coins, then the least money.

The same candidates in any order give the same selection.
"""

from collections.abc import Sequence

import msgspec

from app.domains.ledger.model import MAX_INPUTS
from app.domains.ledger.rules.transaction import OutPoint

# An output below this costs more than it is worth.
DUST_UNITS = 1_000
# Up to this many inputs, spending small coins too is cheap: 1,400 such payments still fit in a block.
CHEAP_INPUTS = 8
# A wallet keeps about this many coins apart, because unconfirmed change cannot be spent: with a single coin, one
# payment would lock the wallet until the next block.
TARGET_COINS = 8
# Bounds the search for an exact match to some ten milliseconds, whatever the wallet holds.
MAX_SEARCH_STEPS = 20_000


class Candidate(msgspec.Struct, frozen=True):
    """A spendable coin."""

    outpoint: OutPoint
    amount_units: int
    confirmations: int


class Selection(msgspec.Struct, frozen=True):
    """The inputs of a payment, its change and its fee."""

    chosen: tuple[Candidate, ...]
    change_units: int
    """What returns to the sender: zero, or at least the dust threshold."""
    fee_units: int
    """The requested fee, plus any change that is too small for an output."""


class InsufficientFunds(Exception):
    """The coins do not cover the payment and its fee."""

    def __init__(self, available_units: int, target_units: int) -> None:
        super().__init__(f"{available_units} units available, {target_units} needed")
        self.available_units = available_units
        self.target_units = target_units


class TooManyInputs(Exception):
    """The coins cover the payment, but only with more inputs than a transaction may have."""

    def __init__(self, payable_units: int, target_units: int) -> None:
        super().__init__(f"{payable_units} units can be spent at once, {target_units} needed: merge coins first")
        self.payable_units = payable_units
        self.target_units = target_units


def select_coins(
    candidates: Sequence[Candidate],
    amount_units: int,
    fee_units: int,
    *,
    dust_units: int = DUST_UNITS,
    max_inputs: int = MAX_INPUTS,
) -> Selection:
    """Returns coins for a payment of `amount_units` (positive) with at least `fee_units`.

    Raises InsufficientFunds with all that is available, or TooManyInputs with what `max_inputs` coins can carry.
    """
    target_units = amount_units + fee_units
    coins = sorted(candidates, key=_largest_first)
    available_units = sum(coin.amount_units for coin in coins)
    if available_units < target_units:
        raise InsufficientFunds(available_units, target_units)
    payable_units = sum(coin.amount_units for coin in coins[:max_inputs])
    if payable_units < target_units:
        raise TooManyInputs(payable_units, target_units)
    chosen = _match(coins, target_units, max(dust_units, 1), max_inputs)
    if chosen is None:
        plans = _plans(coins, target_units, dust_units, max_inputs)
        chosen = min(plans, key=lambda plan: _score(plan, coins, target_units, dust_units))
    change_units = sum(coin.amount_units for coin in chosen) - target_units
    if change_units < dust_units:
        return Selection(tuple(chosen), 0, fee_units + change_units)
    return Selection(tuple(chosen), change_units, fee_units)


def _largest_first(coin: Candidate) -> tuple[int, int, OutPoint]:
    # Among equal coins the oldest, because it is the least likely to be lost in a reorganisation.
    return -coin.amount_units, -coin.confirmations, coin.outpoint


def _match(
    coins: Sequence[Candidate], target_units: int, tolerance_units: int, max_inputs: int
) -> list[Candidate] | None:
    """Returns coins worth from `target_units` to just below `target_units + tolerance_units`, with the least excess.

    Depth first over coins from large to small, each taken before it is left; a subtree is cut when it overshoots, has
    no input left, or cannot reach the target with all the coins below it.
    """
    usable = [coin for coin in coins if coin.amount_units < target_units + tolerance_units]
    below = [0] * (len(usable) + 1)
    for place in range(len(usable) - 1, -1, -1):
        below[place] = below[place + 1] + usable[place].amount_units
    best: list[int] | None = None
    best_excess = tolerance_units
    taken: list[int] = []
    total = place = 0
    for _ in range(MAX_SEARCH_STEPS):
        excess = total - target_units
        if 0 <= excess < best_excess:
            best, best_excess = taken.copy(), excess
            if excess == 0:
                break
        pruned = excess >= 0 or len(taken) == max_inputs or total + below[place] < target_units
        if not pruned:
            taken.append(place)
            total += usable[place].amount_units
            place += 1
            continue
        if not taken:
            break
        left = taken.pop()
        total -= usable[left].amount_units
        place = left + 1
        # Skipping a coin and taking an equal one would search the same subtree again.
        while place < len(usable) and usable[place].amount_units == usable[left].amount_units:
            place += 1
    return None if best is None else [usable[place] for place in best]


def _plans(coins: Sequence[Candidate], target_units: int, dust_units: int, max_inputs: int) -> list[list[Candidate]]:
    plans = [_accumulate(coins, target_units)]
    smallest_first = _accumulate(coins[::-1], target_units)
    if len(smallest_first) <= min(CHEAP_INPUTS, max_inputs):
        plans.append(smallest_first)
    sufficient = [coin for coin in coins if coin.amount_units >= target_units]
    if sufficient:
        plans.append(sufficient[-1:])
    return [_with_small_coins(plan, coins, dust_units, max_inputs) for plan in plans]


def _accumulate(coins: Sequence[Candidate], target_units: int) -> list[Candidate]:
    chosen = []
    for coin in coins:
        chosen.append(coin)
        target_units -= coin.amount_units
        if target_units <= 0:
            break
    return chosen


def _with_small_coins(
    plan: list[Candidate], coins: Sequence[Candidate], dust_units: int, max_inputs: int
) -> list[Candidate]:
    """Adds the smallest other coins, while the wallet has many coins or they are dust, and inputs are cheap."""
    room = min(CHEAP_INPUTS, max_inputs) - len(plan)
    left = len(coins) - len(plan)
    planned = {coin.outpoint for coin in plan}
    for coin in reversed(coins):
        if room <= 0 or (left < TARGET_COINS and coin.amount_units >= dust_units):
            break
        if coin.outpoint not in planned:
            plan.append(coin)
            room -= 1
            left -= 1
    return plan


def _score(
    plan: Sequence[Candidate], coins: Sequence[Candidate], target_units: int, dust_units: int
) -> tuple[int, int, int, int]:
    dust_left = sum(coin.amount_units < dust_units for coin in coins) - sum(
        coin.amount_units < dust_units for coin in plan
    )
    excess_units = sum(coin.amount_units for coin in plan) - target_units
    coins_left = len(coins) - len(plan) + (excess_units >= dust_units)
    return dust_left, max(coins_left - TARGET_COINS, 0), len(plan), excess_units
